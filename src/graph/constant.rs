//! Constants: weights as values of the graph.

use super::{Graph, Op, Symbol, Weight, title};
use crate::error::Result;
use crate::shape::{Shape, element_count};

impl Graph {
    /// Adds a value that every run shares: an array uploaded when the session is prepared,
    /// with the layers' weights, or a tensor staged before.
    ///
    /// Its shape is fixed, and is not split along the batch. It can be an operand of every
    /// operation, and an output.
    ///
    /// # Errors
    ///
    /// [`Error::Name`](crate::Error::Name) when a node has the name already,
    /// [`Error::Limit`](crate::Error::Limit) when its elements cannot be counted.
    pub fn constant(
        &mut self,
        name: impl Into<String>,
        value: impl Into<Weight>,
    ) -> Result<Symbol> {
        let name = self.name_for("constant", Some(&name.into()))?;
        let mut weight = value.into();
        if weight.label.is_empty() {
            weight.label.clone_from(&name);
        }
        let shape = Shape::from(weight.shape());
        element_count(&title("constant", &name), weight.shape())?;
        Ok(self.insert(name, Op::Constant, Vec::new(), vec![weight], shape))
    }
}
