//! Normalisation by the moments of a row: over layers, groups, instances, or chosen axes.

mod again;
mod options;

pub use options::{
    GroupNormalization, InstanceNormalization, LayerNormalization, MeanVarianceNormalization,
    RmsNormalization,
};

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Operand, Site, Symbol, Weight, title};
use crate::ops::Op;
use crate::ops::checks::check_vector;
use crate::ops::movement::copy::resolve_axis;
use crate::ops::normalization::moments::{self, Part};
use crate::ops::reduction::reduce::mark_axes;
use crate::shape::{Dim, Shape, element_count};

/// A normalisation with every option resolved.
///
/// The node's operands are `x` and its moments; its weights, scale and bias where there are any.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The operand's shape, a channel axis split into groups and what is in them.
    pub split: Shape,
    /// Which axes of `split` a row spans.
    pub reduced: Vec<bool>,
    /// The scale's shape, which broadcasts to `split` and has as many axes.
    pub scale: Option<Vec<usize>>,
    /// The same of the bias.
    pub bias: Option<Vec<usize>>,
}

/// What layer normalisation gives besides its result, as ONNX's does.
#[derive(Clone, Copy, Debug)]
pub struct LayerNormalized {
    /// The normalised value, of the operand's shape.
    pub output: Symbol,
    /// The mean of each row; normalised axes have length 1.
    pub mean: Symbol,
    /// `1 / sqrt(variance + epsilon)` of each row; normalised axes have length 1.
    pub inv_std_dev: Symbol,
}

/// A normalisation on its way into the graph.
struct Draft {
    name: String,
    x: Operand,
    moments: moments::Resolved,
    /// Scale and bias, each with its shape along the split axes.
    scale: Option<(Weight, Vec<usize>)>,
    bias: Option<(Weight, Vec<usize>)>,
}

impl Graph {
    /// Normalises each row over the layer's axes: `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
    ///
    /// `x` is of any rank; `gamma` and `beta` have the lengths of the normalised axes, or
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
        layer: &LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let draft = self.layer_draft(x, layer, weights)?;
        self.insert_normalization(draft)
    }

    /// Normalises as [`Graph::layer_normalization`] does, and gives the moments too.
    ///
    /// They are nodes named `NAME/mean` and `NAME/inv_std_dev`; a plan leaves out what is not used.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::layer_normalization`].
    pub fn layer_normalization_with_moments(
        &mut self,
        x: Symbol,
        layer: &LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<LayerNormalized> {
        let draft = self.layer_draft(x, layer, weights)?;
        let single = [(Part::Mean, "mean"), (Part::InverseDeviation, "inv_std_dev")];
        let [mean, inv_std_dev] =
            single.map(|(part, suffix)| -> Result<(String, moments::Resolved)> {
                let name = self.name_for("moments", Some(&format!("{}/{suffix}", draft.name)))?;
                Ok((name, moments::Resolved { part, ..draft.moments.clone() }))
            });
        let (mean, inv_std_dev, operand) = (mean?, inv_std_dev?, draft.x.index);
        let output = self.insert_normalization(draft)?;
        let mut insert = |(name, resolved): (String, moments::Resolved)| {
            let shape = resolved.shape();
            self.insert(name, Op::Moments(resolved), vec![operand], Vec::new(), shape)
        };
        Ok(LayerNormalized { output, mean: insert(mean), inv_std_dev: insert(inv_std_dev) })
    }

    /// Divides each row by its root mean square: `x / sqrt(mean(x^2) + epsilon) * scale`.
    ///
    /// `x` is of any rank; the weight `scale` has the lengths of the normalised axes, or
    /// broadcasts to them. The rule is that of Keras's `RMSNormalization`, and of ONNX's if the
    /// axes are the last ones.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::layer_normalization`].
    pub fn rms_normalization(
        &mut self,
        x: Symbol,
        layer: &RmsNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let name = self.name_for("rms_normalization", layer.name.as_deref())?;
        let node = title("rms_normalization", &name);
        weights.check_names(&node, &["scale"])?;
        let scale = weights.required(&node, "scale")?;
        let (x, reduced) = self.rows_of(&node, x, &layer.axis)?;
        let site = Site::new(&node, x.describe());
        let scale = Some(along_rows(&site, "scale", scale, &x.shape, &reduced)?);
        let moments = moments_of(x.shape.clone(), reduced, false, layer.epsilon);
        self.insert_normalization(Draft { name, x, moments, scale, bias: None })
    }

    /// Normalises each group of channels of each item.
    ///
    /// `x` is (batch, ...) with its channels on `axis`; a row is what belongs to one item and one
    /// of `groups` equal groups of neighbouring channels. `gamma` and `beta` are (channels), as in
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
        layer: &GroupNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        self.grouped(x, "group_normalization", layer, weights)
    }

    /// Normalises each channel of each item: group normalisation with one channel to a group.
    ///
    /// The rule is ONNX's `InstanceNormalization`; the weights have Keras's names.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::group_normalization`].
    pub fn instance_normalization(
        &mut self,
        x: Symbol,
        layer: &InstanceNormalization,
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
        layer: &MeanVarianceNormalization,
    ) -> Result<Symbol> {
        let name = self.name_for("mean_variance_normalization", layer.name.as_deref())?;
        let node = title("mean_variance_normalization", &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, x.describe());
        let reduced = mark_axes(&site, &x.name, &layer.axes, x.shape.rank(), false)?;
        let mut moments = moments_of(x.shape.clone(), reduced, true, 0.0);
        moments.floor = 1e-9;
        self.insert_normalization(Draft { name, x, moments, scale: None, bias: None })
    }

    fn layer_draft(
        &mut self,
        x: Symbol,
        layer: &LayerNormalization,
        weights: &LayerWeights,
    ) -> Result<Draft> {
        let name = self.name_for("layer_normalization", layer.name.as_deref())?;
        let node = title("layer_normalization", &name);
        let [scale, bias] = switched(&node, weights, layer.scale, layer.center)?;
        let (x, reduced) = self.rows_of(&node, x, &layer.axis)?;
        let site = Site::new(&node, x.describe());
        let fit = |name: &str, weight: Option<Weight>| {
            weight.map(|weight| along_rows(&site, name, weight, &x.shape, &reduced)).transpose()
        };
        let (scale, bias) = (fit("gamma", scale)?, fit("beta", bias)?);
        let moments = moments_of(x.shape.clone(), reduced, true, layer.epsilon);
        Ok(Draft { name, x, moments, scale, bias })
    }

    /// Resolves the operand and the axes of a layer whose rows are normalised.
    fn rows_of(&self, node: &str, x: Symbol, axes: &[isize]) -> Result<(Operand, Vec<bool>)> {
        let x = self.operand(node, "x", x)?;
        let site = Site::new(node, x.describe());
        let reduced = mark_axes(&site, &x.name, axes, x.shape.rank(), false)?;
        if x.shape.has_batch() && reduced.first() == Some(&true) {
            return Err(site.refuse(
                "axis",
                "includes the batch",
                "a weight has one number for each place of a row",
                "use fixed dimensions",
            ));
        }
        Ok((x, reduced))
    }

    fn grouped(
        &mut self,
        x: Symbol,
        kind: &str,
        layer: &GroupNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let name = self.name_for(kind, layer.name.as_deref())?;
        let node = title(kind, &name);
        let [scale, bias] = switched(&node, weights, layer.scale, layer.center)?;
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, format!("{}, groups {}", x.describe(), layer.groups));
        let axis = resolve_axis(&site, &x.name, x.shape.rank(), layer.axis)?;
        let channels = match x.shape.dims().get(axis) {
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
        let each = channels / groups;
        let mut dims = x.shape.dims().to_vec();
        dims.splice(axis..=axis, [Dim::Fixed(groups), Dim::Fixed(each)]);
        let reduced = (0..dims.len()).map(|place| place != 0 && place != axis).collect();
        let split = Split { rank: dims.len(), axis, groups, each };
        let fit = |name: &str, weight: Option<Weight>| {
            weight.map(|weight| along_groups(&site, name, weight, &split)).transpose()
        };
        let (scale, bias) = (fit("gamma", scale)?, fit("beta", bias)?);
        let moments = moments_of(Shape::new(dims), reduced, true, layer.epsilon);
        self.insert_normalization(Draft { name, x, moments, scale, bias })
    }

    /// Adds the two nodes of a normalisation.
    fn insert_normalization(&mut self, draft: Draft) -> Result<Symbol> {
        let Draft { name, x, moments, scale, bias } = draft;
        let shape = moments.shape();
        let half = self.name_for("moments", Some(&format!("{name}/moments")))?;
        element_count(&title("moments", &half), &shape.resolve(1))?;
        let op = Op::Normalization(Resolved {
            split: moments.split.clone(),
            reduced: moments.reduced.clone(),
            scale: scale.as_ref().map(|(_, shape)| shape.clone()),
            bias: bias.as_ref().map(|(_, shape)| shape.clone()),
        });
        let before = self.insert(half, Op::Moments(moments), vec![x.index], Vec::new(), shape);
        let weights = scale.into_iter().chain(bias).map(|(weight, _)| weight).collect();
        Ok(self.insert(name, op, vec![x.index, before.index], weights, x.shape))
    }
}

fn moments_of(
    split: Shape,
    reduced: Vec<bool>,
    is_centered: bool,
    epsilon: f32,
) -> moments::Resolved {
    moments::Resolved { split, reduced, is_centered, epsilon, floor: 0.0, part: Part::Both }
}

/// Takes `gamma` and `beta`, if the layer has them, and no other weight.
fn switched(
    node: &str,
    weights: &LayerWeights,
    scale: bool,
    center: bool,
) -> Result<[Option<Weight>; 2]> {
    let both = [("gamma", scale), ("beta", center)];
    let known: Vec<&str> = both.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    weights.check_names(node, &known)?;
    let take = |on: bool, name: &str| on.then(|| weights.required(node, name)).transpose();
    Ok([take(scale, "gamma")?, take(center, "beta")?])
}

/// Lays a weight along the normalised axes, to which it broadcasts; 1 along all others.
fn along_rows(
    site: &Site,
    name: &str,
    weight: Weight,
    x: &Shape,
    reduced: &[bool],
) -> Result<(Weight, Vec<usize>)> {
    let axes: Vec<usize> = (0..reduced.len()).filter(|&axis| reduced[axis]).collect();
    let lengths: Vec<usize> = axes.iter().map(|&axis| x.dims()[axis].resolve(1)).collect();
    let own = weight.shape();
    let aligned = own.iter().rev().zip(lengths.iter().rev());
    let broadcasts = own.len() <= lengths.len()
        && aligned.into_iter().all(|(&own, &length)| own == length || own == 1);
    if !broadcasts {
        return Err(site.refuse(
            name,
            format!("has shape {own:?}"),
            format!("the normalised axes are {lengths:?}"),
            "give one number for each place of a row",
        ));
    }
    let mut shape = vec![1; reduced.len()];
    for (&axis, &length) in axes.iter().rev().zip(own.iter().rev()) {
        shape[axis] = length;
    }
    Ok((weight, shape))
}

/// A channel axis split in two.
struct Split {
    /// Of the shape with both.
    rank: usize,
    /// That of the groups; the channels of a group follow.
    axis: usize,
    groups: usize,
    each: usize,
}

/// Lets a weight broadcast over groups: one number for each, or for each channel.
fn along_groups(
    site: &Site,
    name: &str,
    weight: Weight,
    split: &Split,
) -> Result<(Weight, Vec<usize>)> {
    let &Split { rank, axis, groups, each } = split;
    let lengths = if weight.shape() == [groups] {
        [groups, 1]
    } else {
        check_vector(site, name, &weight, groups.saturating_mul(each))?;
        [groups, each]
    };
    let mut shape = vec![1; rank];
    for (place, length) in shape.iter_mut().skip(axis).zip(lengths) {
        *place = length;
    }
    Ok((weight, shape))
}
