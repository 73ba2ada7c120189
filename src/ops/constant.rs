//! Constants: weights as values of the graph.

use crate::error::Result;
use crate::graph::{Graph, Symbol, Weight, title};
use crate::kernels::Work;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Shape, element_count};

/// A value that is the node's one weight; moves nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constant;

impl Operator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [] = of.operands()?;
        let [value] = of.weights else {
            return Err(of.count("weights", of.weights.len(), "1"));
        };
        element_count(of.node, value.shape())?;
        Ok(Shape::from(value.shape()))
    }

    fn work(&self, _at: &Shapes) -> Option<Work> {
        None
    }
}

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
