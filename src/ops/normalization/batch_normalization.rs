//! Batch normalisation for inference: by means and variances that are weights.

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Site, Symbol, Weight, title};
use crate::ops::Op;
use crate::ops::checks::check_vector;
use crate::ops::movement::copy::resolve_axis;
use crate::shape::Dim;

/// Describes a batch normalisation; names and defaults are Keras's.
#[derive(Clone, Debug)]
pub struct BatchNormalization {
    axis: isize,
    epsilon: f32,
    center: bool,
    scale: bool,
    name: Option<String>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        BatchNormalization { axis: -1, epsilon: 1e-3, center: true, scale: true, name: None }
    }
}

impl BatchNormalization {
    /// Makes a normalisation of the channels on the last axis.
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
        self.epsilon = epsilon;
        self
    }

    /// Adds `beta`, or leaves it out.
    #[must_use]
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Multiplies by `gamma`, or leaves it out.
    #[must_use]
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A batch normalisation with its options resolved.
///
/// The node's weights are, in this order, `gamma` (if `scale`), `beta` (if `center`),
/// `moving_mean` and `moving_variance`, each with one number for each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    /// The channel axis, counted from the first.
    pub axis: usize,
    /// What is added to the variance.
    pub epsilon: f32,
    /// Whether there is a `beta`.
    pub center: bool,
    /// Whether there is a `gamma`.
    pub scale: bool,
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
        layer: &BatchNormalization,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let BatchNormalization { epsilon, center, scale, .. } = *layer;
        let name = self.name_for("batch_normalization", layer.name.as_deref())?;
        let node = title("batch_normalization", &name);
        let switched =
            [("gamma", scale), ("beta", center), ("moving_mean", true), ("moving_variance", true)];
        let known: Vec<&str> =
            switched.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        weights.check_names(&node, &known)?;
        let weights: Vec<Weight> =
            known.iter().map(|name| weights.required(&node, name)).collect::<Result<_>>()?;
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, x.describe());
        let axis = resolve_axis(&site, &x.name, x.shape.rank(), layer.axis)?;
        let Some(&Dim::Fixed(channels)) = x.shape.dims().get(axis) else {
            return Err(site.refuse(
                "axis",
                "is the batch",
                "the channels have a fixed number",
                "normalize another axis",
            ));
        };
        for (weight, name) in weights.iter().zip(known) {
            check_vector(&site, name, weight, channels)?;
        }
        let op = Op::BatchNormalization(Resolved { axis, epsilon, center, scale });
        Ok(self.insert(name, op, vec![x.index], weights, x.shape))
    }
}
