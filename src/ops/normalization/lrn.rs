//! Local response normalization across channels.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Symbol};
use crate::kernels::Work;
use crate::ops::checks::check_channels;
use crate::ops::movement::copy::resolve_axis;
use crate::ops::{Arguments, Op, Operator, Shapes, around};
use crate::serial::{length, number};
use crate::shape::Shape;

/// Describes a local response normalization; names and defaults are those of ONNX's `LRN`, but for
/// the channel axis, which is the last one.
///
/// ```
/// use longshore::{Graph, Lrn, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.lrn(x, Lrn::new(5).alpha(1e-4))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([8, 8, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Lrn {
    rule: Resolved,
    axis: isize,
    name: Option<String>,
}

impl Lrn {
    /// Makes a normalization over `size` channels.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let rule = Resolved { axis: 0, size, alpha: 1e-4, beta: 0.75, bias: 1.0 };
        Lrn { rule, axis: -1, name: None }
    }

    /// Sets what the mean of the squares is multiplied by.
    #[must_use]
    pub fn alpha(mut self, alpha: f32) -> Self {
        self.rule.alpha = alpha;
        self
    }

    /// Sets the exponent.
    #[must_use]
    pub fn beta(mut self, beta: f32) -> Self {
        self.rule.beta = beta;
        self
    }

    /// Sets what is added to the mean of the squares.
    #[must_use]
    pub fn bias(mut self, bias: f32) -> Self {
        self.rule.bias = bias;
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

/// A local response normalization with its options resolved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The channel axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
    /// Channels of a window.
    #[serde(with = "length")]
    pub size: usize,
    /// What the mean of the squares is multiplied by.
    #[serde(with = "number")]
    pub alpha: f32,
    /// The exponent.
    #[serde(with = "number")]
    pub beta: f32,
    /// What is added to the mean of the squares.
    #[serde(with = "number")]
    pub bias: f32,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "lrn"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let Resolved { axis, size, alpha, bias, .. } = *self;
        let [x] = of.only()?;
        let site = of.site(&format!("size {size}"));
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
        check_channels(of, &site, x, axis)?;
        Ok(x.shape.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [outer, channels, inner] = around(&at.result, self.axis)?;
        let Resolved { size, alpha, beta, bias, .. } = *self;
        Some(Work::Lrn(Geometry { outer, channels, inner, size, alpha, beta, bias }))
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::Lrn(Resolved { axis: *perm.get(self.axis)?, ..*self }))
    }
}

/// What to compute: input and output are (outer, channels, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the channel axis.
    pub outer: usize,
    /// The number of channels.
    pub channels: usize,
    /// The product of the lengths behind the channel axis.
    pub inner: usize,
    /// Channels of a window; at least 1.
    pub size: usize,
    /// What the mean of the window's squares is multiplied by.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// What is added.
    pub bias: f32,
}

impl Geometry {
    /// Returns how many channels of the window stand before its own, and how many behind it.
    pub(crate) fn sides(&self) -> [usize; 2] {
        let others = self.size.saturating_sub(1);
        // No window reaches further than the channels do.
        [others / 2, others - others / 2].map(|side| side.min(self.channels))
    }

    /// Returns what the sum of the squares is multiplied by.
    #[expect(clippy::cast_precision_loss, reason = "a size beyond 2^24 is near enough")]
    pub(crate) fn factor(&self) -> f32 {
        self.alpha / self.size as f32
    }
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
    pub fn lrn(&mut self, x: Symbol, layer: Lrn) -> Result<Symbol> {
        let pending = self.begin("lrn", layer.name.as_deref(), [("x", x)])?;
        let site = pending.site(&format!("size {}", layer.rule.size));
        let [x] = &pending.operands;
        let axis = resolve_axis(&site, &x.name, x.shape.rank(), layer.axis)?;
        self.add_node(pending, Op::Lrn(Resolved { axis, ..layer.rule }), Vec::new())
    }
}
