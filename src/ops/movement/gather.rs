//! Picking entries along one axis by constant indices.

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Symbol};
use crate::kernels::Work;
use crate::ops::movement::copy::fixed;
use crate::ops::{Arguments, Op, Operator, Shapes, around};
use crate::serial::length;
use crate::shape::{Dim, Shape, element_count};

/// Picking along an axis, as a node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
    /// The entries, in C order, each counted from the first; their own shape is in the node's,
    /// at the place of the axis.
    #[serde(with = "length::list")]
    pub indices: Vec<usize>,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let Resolved { axis, indices } = self;
        let [x] = of.only()?;
        let site = of.site("");
        of.check_axis(&site, *axis, x.shape.rank())?;
        let length = fixed(&site, x, *axis, "it cannot be picked from")?;
        if let Some(index) = indices.iter().find(|&&index| index >= length) {
            return Err(site.refuse(
                "indices",
                format!("hold {index}"),
                format!("axis {axis} has {length} entries"),
                "use indices from -length to length - 1",
            ));
        }
        // The indices' own shape is what is wanted in place of the axis.
        let (before, rest) = x.shape.dims().split_at(*axis);
        let after = &rest[1..];
        let own = of.wanted.and_then(|wanted| {
            let own = wanted.dims().strip_prefix(before)?.strip_suffix(after)?;
            own.iter().map(|dim| dim.fixed()).collect::<Option<Vec<usize>>>()
        });
        let count = |own: &Vec<usize>| element_count(of.node, own).ok();
        match (&own, of.wanted) {
            (Some(own), Some(wanted)) if count(own) == Some(indices.len() as u64) => {
                element_count(of.node, &wanted.resolve(1))?;
                Ok(wanted.clone())
            }
            _ => Err(site.refuse(
                "indices",
                format!("are {} for the shape {}", indices.len(), of.wanted()?),
                "the result has their shape in place of the axis",
                "give one index for each entry",
            )),
        }
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let [outer, length, inner] = around(at.operand(0)?, self.axis)?;
        Some(Work::Gather(Geometry { outer, length, inner, indices: self.indices.clone() }))
    }

    fn reordered(&self, node: &Node, perm: &[usize]) -> Option<Op> {
        let Resolved { axis, indices } = self;
        // With one axis of indices, the result has the operand's axes.
        let indices = indices.clone();
        let axis = *perm.get(*axis)?;
        (node.shape.rank() == perm.len()).then_some(Op::Gather(Resolved { axis, indices }))
    }
}

/// What to compute: `output[o, j, i] = input[o, indices[j], i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// Elements before the axis, multiplied.
    pub outer: usize,
    /// The input's length along the axis.
    pub length: usize,
    /// Elements behind the axis, multiplied.
    pub inner: usize,
    /// Which entries to take; each is below `length`.
    pub indices: Vec<usize>,
}

impl Graph {
    /// Picks entries along one axis, as ONNX's `Gather` does.
    ///
    /// The indices' shape takes the axis's place; indices without dimensions remove the axis.
    /// Negative indices, and a negative axis, count from the end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for an axis that is not there, for the batch's,
    /// and for an index outside of the axis; [`Error::Limit`](crate::Error::Limit) when the
    /// elements cannot be counted.
    pub fn gather(&mut self, x: Symbol, indices: &ArrayD<i64>, axis: isize) -> Result<Symbol> {
        let start = self.start("gather", x)?;
        let axis = start.axis(axis)?;
        let length = start.fixed(axis, "it cannot be picked from")?;
        let resolve = |index: i64| {
            let places = usize::try_from(index.unsigned_abs()).ok()?;
            let place = if index < 0 { length.checked_sub(places)? } else { places };
            (place < length).then_some(place)
        };
        let mut resolved = Vec::with_capacity(indices.len());
        for &index in indices {
            resolved.push(resolve(index).ok_or_else(|| {
                start.refuse(
                    "indices",
                    format!("hold {index}"),
                    format!("axis {axis} has {length} entries"),
                    "use indices from -length to length - 1",
                )
            })?);
        }
        let (before, rest) = start.dims().split_at(axis);
        let inserted = indices.shape().iter().map(|&length| Dim::Fixed(length));
        let kept = rest.iter().skip(1).copied();
        let dims: Vec<Dim> = before.iter().copied().chain(inserted).chain(kept).collect();
        self.finish_as(start, Op::Gather(Resolved { axis, indices: resolved }), dims)
    }
}
