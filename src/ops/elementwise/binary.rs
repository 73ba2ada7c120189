//! Element-wise functions of two operands, with NumPy's broadcasting.

use super::BinaryOp;
use crate::error::Result;
use crate::graph::{Graph, Node, Operand, Site, Symbol};
use crate::kernels::Work;
use crate::kernels::binary::Geometry;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Shape, broadcast, element_count};

/// The most dimensions that a broadcast handles.
pub const MAX_BROADCAST_RANK: usize = 6;

impl BinaryOp {
    /// Returns the name that messages and plans print.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

impl Graph {
    /// Applies a function of two operands element by element, broadcasting as NumPy does.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the shapes do not broadcast or have more
    /// than [`MAX_BROADCAST_RANK`] dimensions, or for a symbol of another graph.
    pub fn binary(&mut self, op: BinaryOp, left: Symbol, right: Symbol) -> Result<Symbol> {
        let pending = self.begin(op.name(), None, [("left", left), ("right", right)])?;
        self.add_node(pending, Op::Binary(op), Vec::new())
    }
}

impl Operator for BinaryOp {
    fn name(&self) -> &'static str {
        BinaryOp::name(*self)
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [left, right] = of.only()?;
        broadcast_operands(&of.site(""), left, right)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        Some(Work::Binary(Geometry {
            left: at.operand(0)?.to_vec(),
            right: at.operand(1)?.to_vec(),
            operation: *self,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn reordered(&self, _node: &Node, _perm: &[usize]) -> Option<Op> {
        Some(Op::Binary(*self))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// Finds the shape of two operands together; `left` may stand for several that were joined.
pub(super) fn broadcast_operands(site: &Site, left: &Operand, right: &Operand) -> Result<Shape> {
    let Some(shape) = broadcast(&left.shape, &right.shape) else {
        return Err(site.refuse(
            &format!("\"{}\"", right.name),
            format!("has shape {}", right.shape),
            format!(
                "it must broadcast with \"{}\" {}: aligned at the end, lengths agree or are 1",
                left.name, left.shape
            ),
            "reshape one of them",
        ));
    };
    if shape.rank() > MAX_BROADCAST_RANK {
        return Err(site.refuse(
            "the result",
            format!("has {} dimensions", shape.rank()),
            format!("at most {MAX_BROADCAST_RANK} are supported"),
            "merge dimensions by a reshape",
        ));
    }
    element_count(&site.node, &shape.resolve(1))?;
    Ok(shape)
}
