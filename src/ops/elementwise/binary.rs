//! Element-wise functions of two operands, with NumPy's broadcasting.

use crate::error::Result;
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::Op;
use crate::shape::{Shape, broadcast, element_count};

/// The most dimensions that a broadcast handles.
pub const MAX_BROADCAST_RANK: usize = 6;

/// Names a function of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BinaryOp {
    /// `left + right`.
    Add,
    /// `left * right`.
    Multiply,
    /// `left - right`.
    Subtract,
    /// `left / right`.
    Divide,
    /// `left` to the power `right`, with NumPy's rules: of a negative number NaN, unless `right`
    /// is whole; 1 where `right` is 0 or `left` is 1, whatever the other is.
    Power,
    /// The lesser one; NaN where one is NaN.
    Minimum,
    /// The greater one; NaN where one is NaN.
    Maximum,
    /// `left` if it is not negative, else `right * left`.
    PRelu,
    /// The remainder of `left / right` with the sign of `left`, exact: ONNX's Mod with fmod = 1.
    Fmod,
    /// The remainder of `left / right` with the sign of `right`: NumPy's mod, ONNX's for integers.
    Mod,
    /// 1 where both are equal, else 0; NaN equals nothing.
    Equal,
    /// 1 where `left > right`, else 0.
    Greater,
    /// 1 where `left >= right`, else 0.
    GreaterEqual,
    /// 1 where `left < right`, else 0.
    Less,
    /// 1 where `left <= right`, else 0.
    LessEqual,
    /// 1 where neither is 0, else 0; NaN is not 0.
    LogicalAnd,
    /// 1 where one is not 0, else 0; NaN is not 0.
    LogicalOr,
    /// 1 where exactly one is 0, else 0; NaN is not 0.
    LogicalXor,
}

impl BinaryOp {
    /// Returns the name that messages and plans print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Multiply => "multiply",
            BinaryOp::Subtract => "subtract",
            BinaryOp::Divide => "divide",
            BinaryOp::Power => "power",
            BinaryOp::Minimum => "minimum",
            BinaryOp::Maximum => "maximum",
            BinaryOp::PRelu => "p_relu",
            BinaryOp::Fmod => "fmod",
            BinaryOp::Mod => "mod",
            BinaryOp::Equal => "equal",
            BinaryOp::Greater => "greater",
            BinaryOp::GreaterEqual => "greater_equal",
            BinaryOp::Less => "less",
            BinaryOp::LessEqual => "less_equal",
            BinaryOp::LogicalAnd => "logical_and",
            BinaryOp::LogicalOr => "logical_or",
            BinaryOp::LogicalXor => "logical_xor",
        }
    }

    /// Tells whether every kernel with an epilogue has it, so that a layer can fuse it.
    ///
    /// The power and the remainders are long: element-wise nodes alone have them.
    #[must_use]
    pub fn is_fusable(self) -> bool {
        !matches!(self, BinaryOp::Power | BinaryOp::Fmod | BinaryOp::Mod)
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
        let op = Op::Binary(op);
        let name = self.name_for(op.name(), None)?;
        let node = title(op.name(), &name);
        let left = self.operand(&node, "left", left)?;
        let right = self.operand(&node, "right", right)?;
        let site = Site::new(&node, format!("{}, {}", left.describe(), right.describe()));
        let shape = broadcast_operands(&site, &left, &right)?;
        Ok(self.insert(name, op, vec![left.index, right.index], Vec::new(), shape))
    }
}

/// Finds the shape of two operands together; `left` may stand for several that were joined.
pub(crate) fn broadcast_operands(site: &Site, left: &Operand, right: &Operand) -> Result<Shape> {
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
