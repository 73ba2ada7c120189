//! Transposition: the axes in another order.

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::Op;
use crate::ops::movement::copy::Start;
use crate::shape::Dim;

impl Graph {
    /// Puts the axes in another order, as ONNX's `Transpose` does: axis `k` of the result is
    /// axis `perm[k]` of `x`.
    ///
    /// ONNX's default is the reversed order. The batch stays the first axis.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `perm` does not name every axis once,
    /// and when it moves the batch.
    pub fn transpose(&mut self, x: Symbol, perm: &[usize]) -> Result<Symbol> {
        let start = self.start("transpose", x)?;
        let rank = start.x.shape.rank();
        if !is_permutation(perm, rank) {
            return Err(start.refuse(
                "perm",
                format!("is {perm:?}"),
                format!("\"{}\" has {rank} axes, each named once", start.x.name),
                "name every axis once",
            ));
        }
        self.permuted(start, perm.to_vec())
    }

    /// Puts the axes behind the first in another order, as Keras's `Permute` does: they are
    /// counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `dims` does not name every axis but
    /// the first once.
    pub fn permute(&mut self, x: Symbol, dims: &[usize]) -> Result<Symbol> {
        let start = self.start("permute", x)?;
        let rank = start.x.shape.rank();
        let perm: Vec<usize> = std::iter::once(0).chain(dims.iter().copied()).collect();
        if !is_permutation(&perm, rank) {
            return Err(start.refuse(
                "dims",
                format!("are {dims:?}"),
                format!(
                    "\"{}\" has {rank} axes, of which all but the first are named",
                    start.x.name
                ),
                "name every axis from 1 on once",
            ));
        }
        self.permuted(start, perm)
    }

    fn permuted(&mut self, start: Start, perm: Vec<usize>) -> Result<Symbol> {
        let dims: Vec<Dim> =
            perm.iter().filter_map(|&axis| start.dims().get(axis).copied()).collect();
        if dims.iter().skip(1).any(|&dim| dim == Dim::Batch) {
            return Err(start.batch("it stays the first axis"));
        }
        Ok(self.finish(start, Op::Transpose { perm }, dims))
    }
}

fn is_permutation(perm: &[usize], rank: usize) -> bool {
    perm.len() == rank && (0..rank).all(|axis| perm.contains(&axis))
}
