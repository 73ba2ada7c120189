//! Batch normalization for inference: by means and variances that are weights.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Node, Symbol};
use crate::kernels::Work;
use crate::ops::checks::check_vector;
use crate::ops::checks::{check_channels, switched};
use crate::ops::movement::copy::resolve_axis;
use crate::ops::{Arguments, Epilogue, Op, Operator, Shapes, around};
use crate::serial::{length, number};
use crate::shape::Shape;

/// Describes a batch normalization; names and defaults are Keras's.
///
/// ```
/// use longshore::{BatchNormalization, Graph, HostArray, LayerWeights, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 4]));
/// let four = |value: f32| HostArray::from(ndarray::arr1(&[value; 4]));
/// let weights = LayerWeights::default()
///     .with("gamma", four(1.0))
///     .with("beta", four(0.0))
///     .with("moving_mean", four(0.5))
///     .with("moving_variance", four(2.0));
/// let y = g.batch_normalization(x, BatchNormalization::new(), &weights)?;
/// assert_eq!(g.shape(y), g.shape(x));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BatchNormalization {
    rule: Resolved,
    axis: isize,
    name: Option<String>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        let rule = Resolved { axis: 0, epsilon: 1e-3, center: true, scale: true };
        BatchNormalization { rule, axis: -1, name: None }
    }
}

impl BatchNormalization {
    /// Makes a normalization of the channels on the last axis.
    #[must_use]
    pub fn new() -> Self {
        BatchNormalization::default()
    }

    /// Sets the channel axis; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// Sets what is added to the variance.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.rule.epsilon = epsilon;
        self
    }

    /// Adds `beta`, or leaves it out.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.rule.center = center;
        self
    }

    /// Multiplies by `gamma`, or leaves it out.
    #[must_use]
    pub fn scale(mut self, scale: bool) -> Self {
        self.rule.scale = scale;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A batch normalization with its options resolved.
///
/// The node's weights are, in this order, `gamma` (if `scale`), `beta` (if `center`),
/// `moving_mean` and `moving_variance`, each with one number for each channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The channel axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
    /// What is added to the variance.
    #[serde(with = "number")]
    pub epsilon: f32,
    /// Whether there is a `beta`.
    pub center: bool,
    /// Whether there is a `gamma`.
    pub scale: bool,
}

impl Resolved {
    /// Returns the weights in their order, and whether there is one.
    fn switches(&self) -> [(&'static str, bool); 4] {
        let (scale, center) = (self.scale, self.center);
        [("gamma", scale), ("beta", center), ("moving_mean", true), ("moving_variance", true)]
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "batch_normalization"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.operands()?;
        let site = of.site("");
        let channels = check_channels(of, &site, x, self.axis)?;
        let names = self.switches().into_iter().filter(|(_, on)| *on).map(|(name, _)| name);
        let expected = names.clone().count();
        if of.weights.len() != expected {
            return Err(of.count("weights", of.weights.len(), &expected.to_string()));
        }
        for (weight, name) in of.weights.iter().zip(names) {
            check_vector(&site, name, weight, channels)?;
        }
        Ok(x.shape.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [outer, channels, inner] = around(&at.result, self.axis)?;
        Some(Work::BatchNormalization(Geometry {
            outer,
            channels,
            inner,
            has_scale: self.scale,
            has_bias: self.center,
            epsilon: self.epsilon,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::BatchNormalization(Resolved { axis: *perm.get(self.axis)?, ..*self }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// What to compute: input and output are (outer, channels, inner). The operands are the input,
/// then scale and bias where there are any, mean and variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the channel axis.
    pub outer: usize,
    /// The number of channels.
    pub channels: usize,
    /// The product of the lengths behind the channel axis.
    pub inner: usize,
    /// Whether there is a scale.
    pub has_scale: bool,
    /// Whether there is a bias.
    pub has_bias: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

impl Graph {
    /// Adds `(x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta`, by channel.
    ///
    /// `x` is of any rank with its channels on `axis`; each weight is (channels). The rule is
    /// that of Keras's `BatchNormalization` with `training=False`, and ONNX's.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes disagree or the channel axis is the
    /// batch, [`Error::Name`](crate::Error::Name) for a weight that is missing, or that the layer
    /// does not know.
    pub fn batch_normalization(
        &mut self,
        x: Symbol,
        layer: BatchNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let pending = self.begin("batch_normalization", layer.name.as_deref(), [("x", x)])?;
        let taken = switched(&pending.node, weights, layer.rule.switches())?;
        let [x] = &pending.operands;
        let axis = resolve_axis(&pending.site(""), &x.name, x.shape.rank(), layer.axis)?;
        let op = Op::BatchNormalization(Resolved { axis, ..layer.rule });
        self.add_node(pending, op, taken.into_iter().flatten().collect())
    }
}
