//! Joining values along one axis.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::Op;
use crate::ops::movement::copy::resolve_axis;
use crate::shape::{Dim, Shape, element_count};

impl Graph {
    /// Joins values along one axis, as ONNX's `Concat` does.
    ///
    /// All values have the same shape but for that axis; its lengths add up. A negative axis
    /// counts from the end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when there is no value, when the shapes do
    /// not fit, and for the batch's axis.
    pub fn concat(&mut self, values: &[Symbol], axis: isize) -> Result<Symbol> {
        self.join("concat", values, axis)
    }

    /// Joins values along the last axis, as Keras's `Concatenate` does by default.
    ///
    /// # Errors
    ///
    /// As [`Graph::concat`].
    pub fn concatenate(&mut self, values: &[Symbol]) -> Result<Symbol> {
        self.join("concatenate", values, -1)
    }

    fn join(&mut self, kind: &str, values: &[Symbol], axis: isize) -> Result<Symbol> {
        let name = self.name_for(kind, None)?;
        let node = title(kind, &name);
        let operands = values
            .iter()
            .map(|&value| self.operand(&node, "a value", value))
            .collect::<Result<Vec<_>>>()?;
        let shapes: Vec<String> = operands.iter().map(Operand::describe).collect();
        let site = Site::new(&node, shapes.join(", "));
        let Some((first, rest)) = operands.split_first() else {
            return Err(site.refuse(
                "values",
                "are none",
                "at least one is joined",
                "name a value",
            ));
        };
        let axis = resolve_axis(&site, &first.name, first.shape.rank(), axis)?;
        let mut length = joined(&site, first, axis)?;
        for other in rest {
            check_fit(&site, first, other, axis)?;
            length = length.checked_add(joined(&site, other, axis)?).ok_or_else(|| {
                site.refuse(
                    "axis",
                    format!("is {axis}"),
                    "the lengths along it add up to more than a machine word counts",
                    "join fewer values",
                )
            })?;
        }
        let mut dims = first.shape.dims().to_vec();
        if let Some(dim) = dims.get_mut(axis) {
            *dim = Dim::Fixed(length);
        }
        let shape = Shape::new(dims);
        element_count(&node, &shape.resolve(1))?;
        // One value joined with nothing is itself.
        let op = if rest.is_empty() { Op::Reshape } else { Op::Concat { axis } };
        let operands = operands.iter().map(|operand| operand.index).collect();
        Ok(self.insert(name, op, operands, Vec::new(), shape))
    }
}

/// Returns a value's length along the axis, which must not be the batch.
fn joined(site: &Site, value: &Operand, axis: usize) -> Result<usize> {
    match value.shape.dims().get(axis) {
        Some(Dim::Fixed(length)) => Ok(*length),
        _ => Err(site.refuse(
            &format!("\"{}\"", value.name),
            "has the batch on axis 0",
            "the batch cannot be joined",
            "use fixed dimensions",
        )),
    }
}

fn check_fit(site: &Site, first: &Operand, other: &Operand, axis: usize) -> Result<()> {
    let (one, two) = (first.shape.dims(), other.shape.dims());
    let pairs = one.iter().zip(two).enumerate();
    if one.len() == two.len() && pairs.into_iter().all(|(k, (a, b))| k == axis || a == b) {
        return Ok(());
    }
    Err(site.refuse(
        &format!("\"{}\"", other.name),
        format!("has shape {}", other.shape),
        format!("it must be \"{}\"'s {} but for axis {axis}", first.name, first.shape),
        "slice, pad or reshape one of them",
    ))
}
