//! Local response normalisation across channels.

use super::copy::resolve_axis;
use super::{Graph, Op, Site, Symbol, title};
use crate::error::Result;
use crate::shape::Dim;

/// Describes a local response normalisation; names and defaults are those of ONNX's `LRN`, but for
/// the channel axis, which is the last one.
#[derive(Clone, Debug)]
pub struct Lrn {
    size: usize,
    alpha: f32,
    beta: f32,
    bias: f32,
    axis: isize,
    name: Option<String>,
}

impl Lrn {
    /// Makes a normalisation over `size` channels.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Lrn { size, alpha: 1e-4, beta: 0.75, bias: 1.0, axis: -1, name: None }
    }

    /// Sets what the mean of the squares is multiplied by.
    #[must_use]
    pub fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the exponent.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// Sets what is added to the mean of the squares.
    #[must_use]
    pub fn bias(mut self, bias: f32) -> Self {
        self.bias = bias;
        self
    }

    /// Sets the channel axis; a negative one counts from the end. ONNX's is 1.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A local response normalisation with its options resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    /// The channel axis, counted from the first.
    pub axis: usize,
    /// Channels of a window.
    pub size: usize,
    /// What the mean of the squares is multiplied by.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// What is added to the mean of the squares.
    pub bias: f32,
}

impl Graph {
    /// Divides each element by `(bias + alpha / size * sum of squares)^beta`, the sum going over
    /// the `size` channels round its own.
    ///
    /// The rule is ONNX's `LRN`: of an even size, one channel more stands behind than before.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for a size of 0, for an `alpha` or a `bias` below
    /// 0 (whose power may be no number), and for a channel axis that `x` lacks or that is the batch.
    pub fn lrn(&mut self, x: Symbol, layer: &Lrn) -> Result<Symbol> {
        let Lrn { size, alpha, beta, bias, .. } = *layer;
        let name = self.name_for("lrn", layer.name.as_deref())?;
        let node = title("lrn", &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, format!("{}, size {size}", x.describe()));
        if size == 0 {
            return Err(site.refuse("size", "is 0", "a window has at least 1 channel", "use 1"));
        }
        for (option, value) in [("alpha", alpha), ("bias", bias)] {
            if value.is_nan() || value < 0.0 {
                return Err(site.refuse(
                    option,
                    format!("is {value}"),
                    "the power of a negative number is none",
                    "use 0 or more",
                ));
            }
        }
        let axis = resolve_axis(&site, &x.name, x.shape.rank(), layer.axis)?;
        if x.shape.dims().get(axis) == Some(&Dim::Batch) {
            return Err(site.refuse(
                "axis",
                "is the batch",
                "the channels have a fixed number",
                "normalise another axis",
            ));
        }
        let op = Op::Lrn(Resolved { axis, size, alpha, beta, bias });
        Ok(self.insert(name, op, vec![x.index], Vec::new(), x.shape))
    }
}
