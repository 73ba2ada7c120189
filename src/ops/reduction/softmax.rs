//! Softmax over one axis, its logarithm, and hardmax.

use crate::error::{Error, Result};
use crate::graph::{Graph, Site, Symbol, title};
use crate::ops::Op;
use crate::ops::movement::copy::resolve_axis;

impl Graph {
    /// Divides the exponentials along `axis` by their sum; -1 is the last axis.
    ///
    /// The largest value is subtracted first, so large values do not overflow.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` has no such axis or is another graph's. Planning refuses an
    /// axis longer than 2^24.
    pub fn softmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("softmax", x, axis, |axis| Op::Softmax { axis })
    }

    /// Gives the logarithm of [`Graph::softmax`], without its underflow: `x - max - log(sum(exp(x - max)))`.
    ///
    /// The rule is Keras's `ops.log_softmax`, and ONNX's `LogSoftmax` from version 13 on.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::softmax`].
    pub fn log_softmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("log_softmax", x, axis, |axis| Op::LogSoftmax { axis })
    }

    /// Gives 1 where the first of the largest values along `axis` is, and 0 elsewhere.
    ///
    /// The rule is ONNX's `Hardmax` from version 13 on; NaN counts as the largest, as in NumPy.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::softmax`].
    pub fn hardmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("hardmax", x, axis, |axis| Op::Hardmax { axis })
    }

    fn along(
        &mut self,
        kind: &str,
        x: Symbol,
        axis: isize,
        op: impl Fn(usize) -> Op,
    ) -> Result<Symbol> {
        let name = self.name_for(kind, None)?;
        let node = title(kind, &name);
        let x = self.operand(&node, "x", x)?;
        let rank = x.shape.rank();
        if rank == 0 {
            return Err(no_axis(&node));
        }
        let axis = resolve_axis(&Site::new(&node, x.describe()), &x.name, rank, axis)?;
        Ok(self.insert(name, op(axis), vec![x.index], Vec::new(), x.shape))
    }
}

/// Makes the error of a softmax over a value without axes.
pub(crate) fn no_axis(node: &str) -> Error {
    Site::new(node, "x []").refuse("x", "has no axes", "softmax goes over one", "reshape it to [1]")
}
