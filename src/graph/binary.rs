//! Element-wise functions of two operands, with NumPy's broadcasting.

use super::{Graph, Op, Site, Symbol, title};
use crate::error::Result;
use crate::shape::{broadcast, element_count};

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
}

impl BinaryOp {
    /// Returns the name that messages and plans print.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BinaryOp::Add => "add",
            BinaryOp::Multiply => "multiply",
        }
    }
}

impl Graph {
    /// Adds two symbols element by element, broadcasting as NumPy does.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the shapes do not broadcast or
    /// have more than [`MAX_BROADCAST_RANK`] dimensions.
    pub fn add(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Add, left, right)
    }

    /// Multiplies two symbols element by element, broadcasting as NumPy does.
    ///
    /// # Errors
    ///
    /// As [`Graph::add`].
    pub fn multiply(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Multiply, left, right)
    }

    fn binary(&mut self, op: BinaryOp, left: Symbol, right: Symbol) -> Result<Symbol> {
        let op = Op::Binary(op);
        let name = self.name_for(op.name(), None)?;
        let node = title(op.name(), &name);
        let left = self.operand(&node, "left", left)?;
        let right = self.operand(&node, "right", right)?;
        let site = Site::new(&node, format!("{}, {}", left.describe(), right.describe()));
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
        element_count(&node, &shape.resolve(1))?;
        Ok(self.insert(name, op, vec![left.index, right.index], Vec::new(), shape))
    }
}
