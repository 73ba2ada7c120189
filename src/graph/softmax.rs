//! Softmax over one axis.

use super::checks::axis_from_start;
use super::{Graph, Op, Site, Symbol, title};
use crate::error::{Error, Result};

impl Graph {
    /// Divides the exponentials along `axis` by their sum; -1 is the last axis.
    ///
    /// The largest value is subtracted first, so large values do not overflow.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` has no such axis or is another graph's.
    pub fn softmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        let name = self.name_for("softmax", None)?;
        let node = title("softmax", &name);
        let x = self.operand(&node, "x", x)?;
        let rank = x.shape.rank();
        if rank == 0 {
            return Err(no_axis(&node));
        }
        let axis = axis_from_start(&Site::new(&node, x.describe()), "axis", &x.name, axis, rank)?;
        Ok(self.insert(name, Op::Softmax { axis }, vec![x.index], Vec::new(), x.shape))
    }
}

/// Makes the error of a softmax over a value without axes.
pub(crate) fn no_axis(node: &str) -> Error {
    Site::new(node, "x []").refuse("x", "has no axes", "softmax goes over one", "reshape it to [1]")
}
