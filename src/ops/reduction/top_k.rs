//! The largest or smallest elements along one axis, in order, and where they are.
//!
//! They are two nodes: the values, which carry the name, and `NAME/indices`.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Symbol};
use crate::kernels::Work;
use crate::ops::movement::copy::{fixed, resolve_axis};
use crate::ops::{Arguments, Op, Operator, Shapes, around};
use crate::serial::length;
use crate::shape::{Dim, Shape};

/// The longest axis: f32 tells its indices apart.
const MOST: usize = 1 << 24;

/// Describes the search for the largest elements; names and defaults are those of ONNX's `TopK`,
/// whose `k` is an input.
///
/// ```
/// use longshore::{Graph, Shape, TopK};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let scores = g.input("scores", Shape::batch([1000]));
/// let best = g.top_k(scores, TopK::new(5))?;
/// assert_eq!(g.shape(best.indices), Some(&Shape::batch([5])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TopK {
    k: usize,
    axis: isize,
    largest: bool,
    name: Option<String>,
}

impl TopK {
    /// Makes a search for the `k` largest elements along the last axis.
    #[must_use]
    pub fn new(k: usize) -> Self {
        TopK { k, axis: -1, largest: true, name: None }
    }

    /// Sets the axis; a negative one counts from the end.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// Takes the largest elements, or the smallest.
    #[must_use]
    pub fn largest(mut self, largest: bool) -> Self {
        self.largest = largest;
        self
    }

    /// Names the node of the values; that of the indices becomes `NAME/indices`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// What [`Graph::top_k`] gives: two values of one shape.
#[derive(Clone, Copy, Debug)]
pub struct TopKOutputs {
    /// The elements, the first in order at index 0.
    pub values: Symbol,
    /// Where along the axis each of them is, as an f32.
    pub indices: Symbol,
}

/// Says what is kept of the elements found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The elements.
    Values,
    /// Their places along the axis.
    Indices,
}

/// A search with the axis resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
    /// How many elements are found.
    #[serde(with = "length")]
    pub k: usize,
    /// Whether they are the largest, else the smallest.
    pub largest: bool,
    /// What is kept.
    pub part: Part,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "top_k"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let Resolved { axis, k, .. } = *self;
        let [x] = of.only()?;
        let site = of.site(&format!("k {k}"));
        of.check_axis(&site, axis, x.shape.rank())?;
        let length = fixed(&site, x, axis, "elements are taken of a fixed length")?;
        if !(1..=length).contains(&k) {
            let expected = format!("axis {axis} of \"{}\" has {length} elements", x.name);
            let remedy = "use a k from 1 to that many";
            return Err(site.refuse("k", format!("is {k}"), expected, remedy));
        }
        if length > MOST {
            return Err(site.refuse(
                "axis",
                format!("has {length} elements"),
                format!("an index is an f32, which tells {MOST} apart"),
                "split it, and take the elements of what the parts give",
            ));
        }
        let dims = x.shape.dims().iter().enumerate();
        Ok(Shape::new(dims.map(|(at, &dim)| if at == axis { Dim::Fixed(k) } else { dim })))
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [outer, length, inner] = around(at.operand(0)?, self.axis)?;
        let Resolved { k, largest, part, .. } = *self;
        Some(Work::TopK(Geometry { outer, length, inner, k, largest, part }))
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::TopK(Resolved { axis: *perm.get(self.axis)?, ..*self }))
    }
}

/// What to compute: the input is (outer, length, inner), the output (outer, k, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the axis.
    pub outer: usize,
    /// The axis's length; at most 2^24.
    pub length: usize,
    /// The product of the lengths behind the axis.
    pub inner: usize,
    /// How many elements are found; at most `length`.
    pub k: usize,
    /// Whether they are the largest, else the smallest.
    pub largest: bool,
    /// What is written for each.
    pub part: Part,
}

impl Graph {
    /// Finds the `k` largest elements along an axis, largest first, and their indices.
    ///
    /// The rule is ONNX's `TopK` with `sorted`: of equal elements the one with the lower index comes
    /// first. NaN counts as larger than every number, as NumPy sorts it: it comes first among the
    /// largest, and last among the smallest. Elements keep their bits; 0 and -0 are equal. Both
    /// results have length `k` on the axis, and a plan computes those that are used.
    ///
    /// ```
    /// use longshore::{Dim, Graph, TopK};
    ///
    /// let mut g = Graph::new();
    /// let scores = g.input("scores", [Dim::Batch, 1000.into()]);
    /// let best = g.top_k(scores, TopK::new(5))?;
    /// g.output("classes", best.indices);
    /// assert_eq!(g.shape(best.indices), Some(&longshore::Shape::new([Dim::Batch, 5.into()])));
    /// # Ok::<(), longshore::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that `x` lacks, that is the batch or
    /// that has more than 2^24 elements, for a `k` of 0 or beyond the axis's length, and for a symbol
    /// of another graph; [`Error::Name`](crate::Error::Name) for a name in use.
    pub fn top_k(&mut self, x: Symbol, layer: TopK) -> Result<TopKOutputs> {
        let values = self.begin("top_k", layer.name.as_deref(), [("x", x)])?;
        let indices = format!("{}/indices", values.name);
        let indices = self.begin("top_k", Some(&indices), [("x", x)])?;
        let TopK { k, largest, .. } = layer;
        let site = values.site(&format!("k {k}"));
        let [operand] = &values.operands;
        let axis = resolve_axis(&site, &operand.name, operand.shape.rank(), layer.axis)?;
        let op = |part| Op::TopK(Resolved { axis, k, largest, part });
        Ok(TopKOutputs {
            values: self.add_node(values, op(Part::Values), Vec::new())?,
            indices: self.add_node(indices, op(Part::Indices), Vec::new())?,
        })
    }
}
