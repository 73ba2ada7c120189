//! Joining values along one axis.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Node, Operand, Site, Symbol, title};
use crate::kernels::axes::dense_strides;
use crate::kernels::{Work, copy};
use crate::ops::movement::copy::{resolve_axis, zip};
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::serial::length;
use crate::shape::{Dim, Shape, element_count};

/// A concatenation, as a node holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The axis, counted from the first.
    #[serde(with = "length")]
    pub axis: usize,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let axis = self.axis;
        of.no_weights()?;
        let first = first(of)?;
        let site = of.site("");
        of.check_axis(&site, axis, first.shape.rank())?;
        if of.operands.len() == 1 {
            let got = format!("are only \"{}\"", first.name);
            return Err(site.refuse("values", got, "one value is itself", "reshape it"));
        }
        let mut length = joined(&site, first, axis)?;
        for other in &of.operands[1..] {
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
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, _at: &Shapes) -> Option<Work> {
        // It takes a step for each operand.
        None
    }

    fn steps(&self, at: &Shapes) -> Option<Vec<(Work, Vec<usize>)>> {
        let out_strides = dense_strides(&at.result);
        let out_stride = usize::try_from(*out_strides.get(self.axis)?).ok()?;
        let mut steps = Vec::with_capacity(at.operands.len());
        let mut before = 0usize;
        for (number, input) in at.operands.iter().enumerate() {
            if !input.contains(&0) {
                let out_base = before.checked_mul(out_stride)?;
                let axes = zip(input, &dense_strides(input), &out_strides);
                steps.push((Work::Copy(copy::Geometry { axes, base: 0, out_base }), vec![number]));
            }
            before = before.checked_add(*input.get(self.axis)?)?;
        }
        Some(steps)
    }

    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        Some(Op::Concat(Resolved { axis: *perm.get(self.axis)? }))
    }
}

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
        let of = Arguments { node: &node, operands: &operands, weights: &[], wanted: None };
        let first = first(&of)?;
        let axis = resolve_axis(&of.site(""), &first.name, first.shape.rank(), axis)?;
        let (op, shape) = match operands.as_slice() {
            // One value joined with nothing is itself.
            [value] => {
                joined(&of.site(""), value, axis)?;
                (Op::Reshape, value.shape.clone())
            }
            _ => (Op::Concat(Resolved { axis }), Resolved { axis }.infer(&of)?),
        };
        let operands = operands.iter().map(|operand| operand.index).collect();
        Ok(self.insert(name, op, operands, Vec::new(), shape))
    }
}

fn first<'a>(of: &'a Arguments<'_>) -> Result<&'a Operand> {
    of.operands.first().ok_or_else(|| {
        of.site("").refuse("values", "are empty", "at least one is needed", "name a value")
    })
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
