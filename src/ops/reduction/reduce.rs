//! Reductions over axes, named as ONNX names them, and positions of extremes.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Site, Symbol};
use crate::kernels::Work;
use crate::ops::movement::copy::{resolve_axis, twice};
use crate::ops::operator::reorder;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Dim, Shape};

/// Up to this rank, kernels walk over rows along axes in any order.
pub(crate) const MOST_AXES: usize = 6;

/// Names what a reduction makes of the elements `x` it goes over.
///
/// The formulas are ONNX's; NaN and infinity give what NumPy's f32 gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReduceOp {
    /// `sum(x) / count`; NaN of nothing.
    Mean,
    /// `sum(x)`; 0 of nothing.
    Sum,
    /// The largest, NaN if there is one; -inf of nothing.
    Max,
    /// The smallest, NaN if there is one; inf of nothing.
    Min,
    /// `product(x)`; 1 of nothing.
    Prod,
    /// `sum(|x|)`; 0 of nothing.
    L1,
    /// `sqrt(sum(x^2))`; 0 of nothing. Squares above the largest f32 give inf.
    L2,
    /// `sum(x^2)`; 0 of nothing.
    SumSquare,
    /// `log(sum(x))`; -inf of nothing.
    LogSum,
    /// `log(sum(exp(x)))`, computed so that large `x` does not overflow; -inf of nothing.
    LogSumExp,
}

/// Says what becomes of a row, with every option resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// A value made of all elements.
    Value(ReduceOp),
    /// The position of an extreme element along one axis.
    Position {
        /// The largest element's, else the smallest one's.
        largest: bool,
        /// The last of equal ones, else the first.
        last: bool,
    },
}

impl Operation {
    /// Returns the name of the operation, as messages and plans print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::Value(ReduceOp::Mean) => "reduce_mean",
            Operation::Value(ReduceOp::Sum) => "reduce_sum",
            Operation::Value(ReduceOp::Max) => "reduce_max",
            Operation::Value(ReduceOp::Min) => "reduce_min",
            Operation::Value(ReduceOp::Prod) => "reduce_prod",
            Operation::Value(ReduceOp::L1) => "reduce_l1",
            Operation::Value(ReduceOp::L2) => "reduce_l2",
            Operation::Value(ReduceOp::SumSquare) => "reduce_sum_square",
            Operation::Value(ReduceOp::LogSum) => "reduce_log_sum",
            Operation::Value(ReduceOp::LogSumExp) => "reduce_log_sum_exp",
            Operation::Position { largest: true, .. } => "arg_max",
            Operation::Position { largest: false, .. } => "arg_min",
        }
    }
}

/// A reduction with resolved axes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// What becomes of a row.
    pub operation: Operation,
    /// Which axes are reduced, one for each of the operand's.
    pub reduced: Vec<bool>,
}

impl Resolved {
    /// Returns the shape of the value, with a length of 1 for each reduced axis or without it.
    fn shape(&self, x: &Shape, keepdims: bool) -> Shape {
        let dims = x.dims().iter().zip(&self.reduced);
        let kept = dims.filter(|(_, reduced)| keepdims || !**reduced);
        Shape::new(kept.map(|(&dim, &reduced)| if reduced { Dim::Fixed(1) } else { dim }))
    }
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    /// Whether reduced axes are kept is told by the wanted rank alone.
    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let (site, rank) = (of.site(""), x.shape.rank());
        if self.reduced.len() != rank {
            return Err(site.refuse(
                "reduced",
                format!("are {} for {rank} axes", self.reduced.len()),
                "each axis is reduced or kept",
                "save the graph again",
            ));
        }
        if matches!(self.operation, Operation::Position { .. }) {
            let axes = x.shape.dims().iter().zip(&self.reduced);
            let axes: Vec<&Dim> = axes.filter(|(_, is)| **is).map(|(dim, _)| dim).collect();
            let refuse = |got: &str, expected: &str, remedy: &str| {
                Err(site.refuse("axis", got, expected, remedy))
            };
            match axes.as_slice() {
                [Dim::Fixed(0)] => {
                    let expected = "a position needs at least 1";
                    return refuse("has no elements", expected, "reduce another axis");
                }
                [_] => {}
                _ => {
                    let expected = "a position lies along one";
                    return refuse("is not one", expected, "save the graph again");
                }
            }
        }
        let keepdims = of.wanted.is_some_and(|wanted| wanted.rank() == rank);
        Ok(self.shape(&x.shape, keepdims))
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let Resolved { operation, reduced } = self.clone();
        Some(Work::Reduce(Geometry { input: at.operand(0)?.to_vec(), reduced, operation }))
    }

    /// Where reduced axes are kept with a length of 1.
    fn reordered(&self, node: &Node, perm: &[usize]) -> Option<Op> {
        if node.shape.rank() != perm.len() || perm.len() > MOST_AXES {
            return None;
        }
        let reduced = reorder(&self.reduced, perm)?;
        Some(Op::Reduce(Resolved { reduced, operation: self.operation }))
    }
}

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Which axes are reduced, one for each of the input's.
    pub reduced: Vec<bool>,
    /// What becomes of a row; positions take one reduced axis.
    pub operation: Operation,
}

/// Describes a reduction; names and defaults are those of ONNX's `ReduceSum` and its kin.
///
/// ```
/// use longshore::{Graph, Reduce, ReduceOp, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 6]));
/// let y = g.reduce(x, Reduce::new(ReduceOp::Mean).axes([2]).keepdims(false))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([8])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reduce {
    operation: ReduceOp,
    axes: Vec<isize>,
    keepdims: bool,
    noop_with_empty_axes: bool,
    name: Option<String>,
}

impl Reduce {
    /// Makes a reduction over all axes that keeps them, with length 1.
    #[must_use]
    pub fn new(operation: ReduceOp) -> Self {
        Reduce {
            operation,
            axes: Vec::new(),
            keepdims: true,
            noop_with_empty_axes: false,
            name: None,
        }
    }

    /// Sets the axes to reduce; a negative one counts from the end. None means all of them.
    #[must_use]
    pub fn axes(mut self, axes: impl IntoIterator<Item = isize>) -> Self {
        self.axes = axes.into_iter().collect();
        self
    }

    /// Keeps reduced axes with length 1, or drops them.
    #[must_use]
    pub fn keepdims(mut self, keepdims: bool) -> Self {
        self.keepdims = keepdims;
        self
    }

    /// Lets no axes mean none instead of all: each element is a row of its own.
    ///
    /// The rest of the formula still applies, as ONNX says: a sum of squares squares.
    #[must_use]
    pub fn noop_with_empty_axes(mut self, noop: bool) -> Self {
        self.noop_with_empty_axes = noop;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// Describes the search for an extreme element; names and defaults are those of ONNX's `ArgMax`.
///
/// ```
/// use longshore::{ArgReduce, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let scores = g.input("scores", Shape::batch([10]));
/// let class = g.arg_max(scores, ArgReduce::new(-1).keepdims(false))?;
/// assert_eq!(g.shape(class), Some(&Shape::batch([])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ArgReduce {
    axis: isize,
    keepdims: bool,
    select_last_index: bool,
    name: Option<String>,
}

impl Default for ArgReduce {
    fn default() -> Self {
        ArgReduce { axis: 0, keepdims: true, select_last_index: false, name: None }
    }
}

impl ArgReduce {
    /// Makes a search along an axis, which is kept with length 1; a negative one counts from the end.
    #[must_use]
    pub fn new(axis: isize) -> Self {
        ArgReduce { axis, ..ArgReduce::default() }
    }

    /// Keeps the axis with length 1, or drops it.
    #[must_use]
    pub fn keepdims(mut self, keepdims: bool) -> Self {
        self.keepdims = keepdims;
        self
    }

    /// Takes the last of equal elements in place of the first.
    #[must_use]
    pub fn select_last_index(mut self, last: bool) -> Self {
        self.select_last_index = last;
        self
    }

    /// Names the node.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Graph {
    /// Reduces axes: `x` of any shape, the result without them or with length 1 in their place.
    ///
    /// The rule is ONNX's `ReduceSum` and its kin. Sums go in blocks of 64 terms. Over the batch,
    /// the result has none, and the plan must be able to bind `x` whole.
    /// Planning refuses more than 2^24 elements for one result.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that `x` lacks or that is named
    /// twice, and for a symbol of another graph; [`Error::Name`](crate::Error::Name) for a name
    /// in use.
    pub fn reduce(&mut self, x: Symbol, layer: Reduce) -> Result<Symbol> {
        let operation = Operation::Value(layer.operation);
        let all = layer.axes.is_empty() && !layer.noop_with_empty_axes;
        self.reduction(x, operation, &layer.axes, all, layer.keepdims, layer.name.as_deref())
    }

    /// Finds the position of the largest element along an axis, as an f32.
    ///
    /// The rule is ONNX's `ArgMax`; NaN counts as the largest, as in NumPy.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that `x` lacks or that is empty,
    /// and for a symbol of another graph; [`Error::Name`](crate::Error::Name) for a name in use.
    /// Planning refuses an axis longer than 2^24.
    pub fn arg_max(&mut self, x: Symbol, layer: ArgReduce) -> Result<Symbol> {
        self.position(x, true, layer)
    }

    /// Finds the position of the smallest element along an axis, as an f32.
    ///
    /// The rule is ONNX's `ArgMin`; NaN counts as the smallest, as in NumPy.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::arg_max`].
    pub fn arg_min(&mut self, x: Symbol, layer: ArgReduce) -> Result<Symbol> {
        self.position(x, false, layer)
    }

    fn position(&mut self, x: Symbol, largest: bool, layer: ArgReduce) -> Result<Symbol> {
        let operation = Operation::Position { largest, last: layer.select_last_index };
        self.reduction(x, operation, &[layer.axis], false, layer.keepdims, layer.name.as_deref())
    }

    fn reduction(
        &mut self,
        x: Symbol,
        operation: Operation,
        axes: &[isize],
        all: bool,
        keepdims: bool,
        name: Option<&str>,
    ) -> Result<Symbol> {
        let pending = self.begin(operation.name(), name, [("x", x)])?;
        let [x] = &pending.operands;
        let reduced = mark_axes(&pending.site(""), &x.name, axes, x.shape.rank(), all)?;
        let rule = Resolved { operation, reduced };
        let wanted = rule.shape(&x.shape, keepdims);
        self.add_shaped_node(pending, Op::Reduce(rule), &wanted)
    }
}

/// Marks the named axes, or all of them.
pub(crate) fn mark_axes(
    site: &Site,
    x: &str,
    axes: &[isize],
    rank: usize,
    all: bool,
) -> Result<Vec<bool>> {
    let mut marked = vec![all; rank];
    for &axis in axes {
        let found = resolve_axis(site, x, rank, axis)?;
        if std::mem::replace(&mut marked[found], true) {
            return Err(twice(site, axes, found));
        }
    }
    Ok(marked)
}
