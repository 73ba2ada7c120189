//! Running sums along one axis.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Symbol};
use crate::kernels::Work;
use crate::ops::movement::copy::resolve_axis;
use crate::ops::{Arguments, Op, Operator, Shapes, around};
use crate::serial::length;
use crate::shape::Shape;

/// Describes running sums; names and defaults are those of ONNX's `CumSum`, whose axis is an input.
///
/// ```
/// use longshore::{CumSum, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([5]));
/// let y = g.cumsum(x, CumSum::new().axis(-1).exclusive(true))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([5])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CumSum {
    axis: isize,
    exclusive: bool,
    reverse: bool,
    name: Option<String>,
}

impl CumSum {
    /// Makes sums along the first axis, each of which includes its own element.
    #[must_use]
    pub fn new() -> Self {
        CumSum::default()
    }

    /// Sets the axis; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// Leaves each element out of its own sum, so that the first one is 0.
    #[must_use]
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.exclusive = exclusive;
        self
    }

    /// Sums from the end of the axis.
    #[must_use]
    pub fn reverse(mut self, reverse: bool) -> Self {
        self.reverse = reverse;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// Running sums with the axis resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
    /// Whether an element is left out of its own sum.
    pub exclusive: bool,
    /// Whether sums begin at the end.
    pub reverse: bool,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        of.check_axis(&of.site(""), self.axis, x.shape.rank())?;
        Ok(x.shape.clone())
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [outer, length, inner] = around(&at.result, self.axis)?;
        let Resolved { exclusive, reverse, .. } = *self;
        Some(Work::CumSum(Geometry { outer, length, inner, exclusive, reverse }))
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::CumSum(Resolved { axis: *perm.get(self.axis)?, ..*self }))
    }

    /// A line along the batch needs all of it.
    fn splits_along_batch(&self) -> bool {
        self.axis > 0
    }
}

/// What to compute: input and output are (outer, length, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the axis.
    pub outer: usize,
    /// The axis's length.
    pub length: usize,
    /// The product of the lengths behind the axis.
    pub inner: usize,
    /// Whether an element is left out of its own sum.
    pub exclusive: bool,
    /// Whether sums begin at the end.
    pub reverse: bool,
}

impl Graph {
    /// Gives each element the sum of those up to it along an axis; the shape stays.
    ///
    /// The rule is ONNX's `CumSum`, and with no option but the axis Keras's `ops.cumsum`. Sums go
    /// in blocks of 64 terms. The axis may be the batch, which the plan must then be able to bind
    /// whole.
    ///
    /// ```
    /// use longshore::{CumSum, Dim, Graph};
    ///
    /// let mut g = Graph::new();
    /// let x = g.input("x", [Dim::Batch, 5.into()]);
    /// let y = g.cumsum(x, CumSum::new().axis(-1).exclusive(true))?;
    /// assert_eq!(g.shape(y), g.shape(x));
    /// # Ok::<(), longshore::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that `x` lacks and for a symbol of
    /// another graph; [`Error::Name`](crate::Error::Name) for a name in use.
    pub fn cumsum(&mut self, x: Symbol, layer: CumSum) -> Result<Symbol> {
        let pending = self.begin("cumsum", layer.name.as_deref(), [("x", x)])?;
        let [x] = &pending.operands;
        let axis = resolve_axis(&pending.site(""), &x.name, x.shape.rank(), layer.axis)?;
        let CumSum { exclusive, reverse, .. } = layer;
        self.add_node(pending, Op::CumSum(Resolved { axis, exclusive, reverse }), Vec::new())
    }
}
