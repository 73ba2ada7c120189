//! Kernels of the user's own as nodes.

use crate::error::Result;
use crate::graph::{Graph, Operand, Symbol, title};
use crate::ops::Op;
use crate::own::{Bound, OwnCall, OwnKernel, arrange, output_shape};
use crate::shape::Shape;

impl Graph {
    /// Adds a kernel of the user's own; operands are given by the names that its source has.
    ///
    /// The result has the shape that the kernel's rule gives. See [`own`](crate::own).
    ///
    /// # Errors
    ///
    /// [`Error::Name`](crate::Error::Name) for an operand or a parameter that is missing,
    /// unknown or given twice; [`Error::Operand`](crate::Error::Operand) for a parameter of
    /// another type, a kernel without a shape rule, operands that the rule refuses, and arrays
    /// of a length that the source does not take. What depends on the batch is reported when
    /// planning.
    pub fn own<'a>(
        &mut self,
        kernel: &OwnKernel,
        operands: impl IntoIterator<Item = (&'a str, Symbol)>,
        call: &OwnCall,
    ) -> Result<Symbol> {
        let name = match &call.name {
            Some(name) => self.name_for("own", Some(name))?,
            None => self.name_for(kernel.name(), None)?,
        };
        let node = title("own", &name);
        let symbols = arrange(&node, kernel, operands)?;
        let operands: Vec<Operand> = kernel
            .inputs()
            .zip(symbols)
            .map(|(name, symbol)| self.operand(&node, &format!("\"{name}\""), symbol))
            .collect::<Result<_>>()?;
        let bound = Bound::new(&node, kernel, call)?;
        let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape.clone()).collect();
        let shape = output_shape(&node, kernel, &shapes)?;
        let operands = operands.iter().map(|operand| operand.index).collect();
        Ok(self.insert(name, Op::Own(bound), operands, Vec::new(), shape))
    }
}
