//! Kernels of the user's own as nodes.

use crate::error::Result;
use crate::graph::{Graph, Operand, Symbol, title};
use crate::kernels::{Work, own};
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::own::{Bound, OwnCall, OwnKernel, arrange, output_shape};
use crate::shape::Shape;

impl Operator for Bound {
    fn name(&self) -> &'static str {
        "own"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        of.no_weights()?;
        let inputs = self.kernel().inputs().count();
        if inputs != of.operands.len() {
            return Err(of.count("operands", of.operands.len(), &inputs.to_string()));
        }
        let shapes: Vec<Shape> = of.operands.iter().map(|operand| operand.shape.clone()).collect();
        output_shape(of.node, self.kernel(), &shapes)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let (operands, result) = (at.operands.clone(), at.result.clone());
        Some(Work::Own(own::Geometry { call: self.clone(), operands, result }))
    }

    fn splits_along_batch(&self) -> bool {
        self.kernel().is_per_item()
    }
}

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
        let of = Arguments { node: &node, operands: &operands, weights: &[], wanted: None };
        let shape = bound.infer(&of)?;
        let operands = operands.iter().map(|operand| operand.index).collect();
        Ok(self.insert(name, Op::Own(bound), operands, Vec::new(), shape))
    }
}
