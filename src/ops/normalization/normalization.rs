//! Normalization by the moments of a row: over layers, groups, instances, or chosen axes.

use serde::{Deserialize, Serialize};

pub use super::options::{
    GroupNormalization, InstanceNormalization, LayerNormalization, MeanVarianceNormalization,
    RmsNormalization,
};
use super::rows::{Rows, check_items};
use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Pending, Symbol, Weight};
use crate::kernels::Work;
use crate::ops::checks::switched;
use crate::ops::movement::copy::resolve_axis;
use crate::ops::normalization::moments::{self, Part};
use crate::ops::reduction::reduce::mark_axes;
use crate::ops::{Arguments, Epilogue, Op, Operator, Shapes};
use crate::serial::{length, shape};
use crate::shape::{Dim, Shape};

/// A normalization with every option resolved.
///
/// The node's operands are `x` and its moments; its weights, scale and bias where there are any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The operand's shape, a channel axis split into groups and what is in them.
    #[serde(with = "shape")]
    pub split: Shape,
    /// Which axes of `split` a row spans.
    pub reduced: Vec<bool>,
    /// The scale's shape, which broadcasts to `split` and has as many axes.
    #[serde(with = "length::option_list")]
    pub scale: Option<Vec<usize>>,
    /// The same of the bias.
    #[serde(with = "length::option_list")]
    pub bias: Option<Vec<usize>>,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "normalization"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x, moments] = of.operands()?;
        let site = of.site("");
        let laid = [("scale", &self.scale), ("bias", &self.bias)];
        let laid = laid.into_iter().filter_map(|(name, shape)| Some((name, shape.as_ref()?)));
        let expected = laid.clone().count();
        if of.weights.len() != expected {
            return Err(of.count("weights", of.weights.len(), &expected.to_string()));
        }
        let rows = Rows::find(&site, x, &self.split, &self.reduced)?;
        let kept = moments::shape_of(&self.split, &self.reduced, Part::Both);
        if moments.shape != kept {
            return Err(site.refuse(
                &format!("\"{}\"", moments.name),
                format!("has shape {}", moments.shape),
                format!("the moments of its rows are {kept}"),
                "normalize by the moments of the same rows",
            ));
        }
        for ((name, claimed), weight) in laid.zip(of.weights) {
            let found = rows.lay(&site, name, weight)?;
            if found != *claimed {
                return Err(site.refuse(
                    name,
                    format!("is said to broadcast as {claimed:?}"),
                    format!("a weight of shape {:?} does as {found:?}", weight.shape()),
                    "save the graph again",
                ));
            }
        }
        Ok(x.shape.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let Resolved { split, reduced, scale, bias } = self.clone();
        let (input, epilogue) = (split.resolve(at.items), at.epilogue.clone());
        Some(Work::Normalization(Geometry { input, reduced, scale, bias, epilogue }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// What to compute. The operands are the input, the moments (rows, 2), then scale and bias where
/// there are any.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Which axes a row spans, one for each of the input's.
    pub reduced: Vec<bool>,
    /// The shape of the scale, with a length for each of the input's axes, which broadcasts.
    pub scale: Option<Vec<usize>>,
    /// The same of the bias.
    pub bias: Option<Vec<usize>>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// What layer normalization gives besides its result, as ONNX's does.
#[derive(Clone, Copy, Debug)]
pub struct LayerNormalized {
    /// The normalized value, of the operand's shape.
    pub output: Symbol,
    /// The mean of each row; normalized axes have length 1.
    pub mean: Symbol,
    /// `1 / sqrt(variance + epsilon)` of each row; normalized axes have length 1.
    pub inv_std_dev: Symbol,
}

/// A normalization on its way into the graph.
struct Draft {
    pending: Pending<1>,
    x: Symbol,
    /// What messages show besides the operand.
    options: String,
    moments: moments::Resolved,
    /// Scale and bias by the layer's names, where there are any.
    weights: [(&'static str, Option<Weight>); 2],
}

impl Graph {
    /// Normalizes each row over the layer's axes: `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
    ///
    /// `x` is of any rank; `gamma` and `beta` have the lengths of the normalized axes, or
    /// broadcast to them. The rule is that of Keras's `LayerNormalization`, and of ONNX's if the
    /// axes are the last ones.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes disagree or the batch is among the
    /// axes, [`Error::Name`](crate::Error::Name) for a weight that is missing, or that the layer
    /// does not know.
    pub fn layer_normalization(
        &mut self,
        x: Symbol,
        layer: LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let draft = self.layer_draft(x, &layer, weights)?;
        self.insert_normalization(draft)
    }

    /// Normalizes as [`Graph::layer_normalization`] does, and gives the moments too.
    ///
    /// They are nodes named `NAME/mean` and `NAME/inv_std_dev`; a plan leaves out what is not used.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::layer_normalization`].
    pub fn layer_normalization_with_moments(
        &mut self,
        x: Symbol,
        layer: LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<LayerNormalized> {
        let draft = self.layer_draft(x, &layer, weights)?;
        let rule = draft.moments.clone();
        let mut single = |part: Part, suffix: &str| {
            let name = format!("{}/{suffix}", draft.pending.name);
            let pending = self.begin("moments", Some(&name), [("x", x)])?;
            Ok((pending, Op::Moments(moments::Resolved { part, ..rule.clone() })))
        };
        let mean = single(Part::Mean, "mean")?;
        let inv_std_dev = single(Part::InverseDeviation, "inv_std_dev")?;
        let output = self.insert_normalization(draft)?;
        let mut add = |(pending, op)| self.add_node(pending, op, Vec::new());
        Ok(LayerNormalized { output, mean: add(mean)?, inv_std_dev: add(inv_std_dev)? })
    }

    /// Divides each row by its root mean square: `x / sqrt(mean(x^2) + epsilon) * scale`.
    ///
    /// `x` is of any rank; the weight `scale` has the lengths of the normalized axes, or
    /// broadcasts to them. The rule is that of Keras's `RMSNormalization`, and of ONNX's if the
    /// axes are the last ones.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::layer_normalization`].
    pub fn rms_normalization(
        &mut self,
        x: Symbol,
        layer: RmsNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let pending = self.begin("rms_normalization", layer.name.as_deref(), [("x", x)])?;
        let [scale] = switched(&pending.node, weights, [("scale", true)])?;
        let mut moments = row_moments(&pending, &layer.axis, layer.epsilon)?;
        moments.is_centered = false;
        let (options, weights) = (String::new(), [("scale", scale), ("bias", None)]);
        self.insert_normalization(Draft { pending, x, options, moments, weights })
    }

    /// Normalizes each group of channels of each item.
    ///
    /// `x` is (batch, ...) with its channels on `axis`; a row is what belongs to one item and one
    /// of `groups` equal groups of neighboring channels. `gamma` and `beta` are (channels), as in
    /// Keras and ONNX 21, or (groups), as in ONNX 18.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes disagree, the channel axis is the
    /// first, or `groups` does not divide the channels, [`Error::Name`](crate::Error::Name) for a
    /// weight that is missing, or that the layer does not know.
    pub fn group_normalization(
        &mut self,
        x: Symbol,
        layer: GroupNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        self.grouped(x, "group_normalization", &layer, weights)
    }

    /// Normalizes each channel of each item: group normalization with one channel to a group.
    ///
    /// The rule is ONNX's `InstanceNormalization`; the weights have Keras's names.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::group_normalization`].
    pub fn instance_normalization(
        &mut self,
        x: Symbol,
        layer: InstanceNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        self.grouped(x, "instance_normalization", &layer.0, weights)
    }

    /// Gives each row over the axes mean 0 and variance 1: `(x - mean) / (sqrt(variance) + 1e-9)`.
    ///
    /// The rule is ONNX's `MeanVarianceNormalization`; the batch may be among the axes, if the
    /// plan can bind `x` whole.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that `x` lacks or that is named twice.
    pub fn mean_variance_normalization(
        &mut self,
        x: Symbol,
        layer: MeanVarianceNormalization,
    ) -> Result<Symbol> {
        let name = layer.name.as_deref();
        let pending = self.begin("mean_variance_normalization", name, [("x", x)])?;
        let [operand] = &pending.operands;
        let rank = operand.shape.rank();
        let reduced = mark_axes(&pending.site(""), &operand.name, &layer.axes, rank, false)?;
        let mut moments = moments_of(operand.shape.clone(), reduced, 0.0);
        moments.floor = 1e-9;
        let (options, weights) = (String::new(), [("scale", None), ("bias", None)]);
        self.insert_normalization(Draft { pending, x, options, moments, weights })
    }

    fn layer_draft(
        &mut self,
        x: Symbol,
        layer: &LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<Draft> {
        let pending = self.begin("layer_normalization", layer.name.as_deref(), [("x", x)])?;
        let switches = [("gamma", layer.scale), ("beta", layer.center)];
        let [scale, bias] = switched(&pending.node, weights, switches)?;
        let moments = row_moments(&pending, &layer.axis, layer.epsilon)?;
        let (options, weights) = (String::new(), [("gamma", scale), ("beta", bias)]);
        Ok(Draft { pending, x, options, moments, weights })
    }

    fn grouped(
        &mut self,
        x: Symbol,
        kind: &str,
        layer: &GroupNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let pending = self.begin(kind, layer.name.as_deref(), [("x", x)])?;
        let switches = [("gamma", layer.scale), ("beta", layer.center)];
        let [scale, bias] = switched(&pending.node, weights, switches)?;
        let options = format!("groups {}", layer.groups);
        let site = pending.site(&options);
        let [operand] = &pending.operands;
        let mut dims = operand.shape.dims().to_vec();
        let axis = resolve_axis(&site, &operand.name, dims.len(), layer.axis)?;
        let channels = match dims.get(axis) {
            Some(&Dim::Fixed(channels)) if axis > 0 => channels,
            _ => {
                return Err(site.refuse(
                    "axis",
                    "is the first",
                    "that one counts the items",
                    "give x a first dimension of 1, and its channels another",
                ));
            }
        };
        let groups = if layer.groups == -1 { Some(channels) } else { layer.groups.try_into().ok() };
        let Some(groups) = groups.filter(|&groups| groups > 0 && channels.is_multiple_of(groups))
        else {
            return Err(site.refuse(
                "groups",
                format!("is {}", layer.groups),
                format!("{channels} channels are to be divided equally"),
                "use a divisor, or -1 for one channel to a group",
            ));
        };
        dims.splice(axis..=axis, [Dim::Fixed(groups), Dim::Fixed(channels / groups)]);
        let reduced = (0..dims.len()).map(|place| place != 0 && place != axis).collect();
        let moments = moments_of(Shape::new(dims), reduced, layer.epsilon);
        let weights = [("gamma", scale), ("beta", bias)];
        self.insert_normalization(Draft { pending, x, options, moments, weights })
    }

    /// Adds the two nodes of a normalization.
    fn insert_normalization(&mut self, draft: Draft) -> Result<Symbol> {
        let Draft { pending, x, options, moments, weights } = draft;
        let site = pending.site(&options);
        let Pending { name, node, operands: [operand] } = pending;
        let rows = Rows::find(&site, &operand, &moments.split, &moments.reduced)?;
        let [scale, bias] = weights.each_ref().map(|(name, weight)| {
            weight.as_ref().map(|weight| rows.lay(&site, name, weight)).transpose()
        });
        let (split, reduced) = (moments.split.clone(), moments.reduced.clone());
        let op = Op::Normalization(Resolved { split, reduced, scale: scale?, bias: bias? });
        let half = self.begin("moments", Some(&format!("{name}/moments")), [("x", x)])?;
        let before = self.add_node(half, Op::Moments(moments), Vec::new())?;
        let operands = [operand, self.operand(&node, "moments", before)?];
        let weights = weights.into_iter().filter_map(|(_, weight)| weight).collect();
        self.add_node(Pending { name, node, operands }, op, weights)
    }
}

/// Makes the moments of a layer whose rows lie along axes, and not along the batch.
fn row_moments(pending: &Pending<1>, axes: &[isize], epsilon: f32) -> Result<moments::Resolved> {
    let ([x], site) = (&pending.operands, pending.site(""));
    let reduced = mark_axes(&site, &x.name, axes, x.shape.rank(), false)?;
    check_items(&site, x, &reduced)?;
    Ok(moments_of(x.shape.clone(), reduced, epsilon))
}

fn moments_of(split: Shape, reduced: Vec<bool>, epsilon: f32) -> moments::Resolved {
    let (is_centered, floor, part) = (true, 0.0, Part::Both);
    moments::Resolved { split, reduced, is_centered, epsilon, floor, part }
}
