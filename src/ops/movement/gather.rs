//! Picking entries along one axis by constant indices.

use ndarray::ArrayD;

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::Op;
use crate::shape::{Dim, Shape, element_count};

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
        element_count(&start.site.node, &Shape::new(dims.clone()).resolve(1))?;
        Ok(self.finish(start, Op::Gather { axis, indices: resolved }, dims))
    }
}
