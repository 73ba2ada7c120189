//! Functions of any number of operands, and of an operand and a number.

use super::{Activation, BinaryOp};
use crate::error::Result;
use crate::graph::{Graph, Site, Symbol};

impl Graph {
    /// Applies the scaled exponential linear unit with its usual constants.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn selu(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Selu)
    }

    /// Adds a number.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn add_scalar(&mut self, x: Symbol, offset: f32) -> Result<Symbol> {
        self.affine(x, 1.0, offset)
    }

    /// Multiplies by a number; what is added is -0, so that zeros keep their sign.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn multiply_scalar(&mut self, x: Symbol, scale: f32) -> Result<Symbol> {
        self.affine(x, scale, -0.0)
    }

    /// Adds up all of the symbols, from the first to the last: ONNX's Sum.
    ///
    /// All broadcast as in NumPy. Of one symbol it is that symbol.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`], and [`Error::Operand`](crate::Error::Operand) for no symbols.
    pub fn sum(&mut self, symbols: &[Symbol]) -> Result<Symbol> {
        self.chain("sum", BinaryOp::Add, symbols)
    }

    /// Takes the greatest of all symbols: ONNX's Max.
    ///
    /// All broadcast as in NumPy. Of one symbol it is that symbol.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`], and [`Error::Operand`](crate::Error::Operand) for no symbols.
    pub fn max(&mut self, symbols: &[Symbol]) -> Result<Symbol> {
        self.chain("max", BinaryOp::Maximum, symbols)
    }

    /// Takes the least of all symbols: ONNX's Min.
    ///
    /// All broadcast as in NumPy. Of one symbol it is that symbol.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`], and [`Error::Operand`](crate::Error::Operand) for no symbols.
    pub fn min(&mut self, symbols: &[Symbol]) -> Result<Symbol> {
        self.chain("min", BinaryOp::Minimum, symbols)
    }

    /// Takes the mean of all symbols: ONNX's Mean.
    ///
    /// # Errors
    ///
    /// As [`Graph::sum`].
    pub fn mean(&mut self, symbols: &[Symbol]) -> Result<Symbol> {
        let nodes = self.nodes().len();
        let sum = self.chain("mean", BinaryOp::Add, symbols)?;
        if symbols.len() == 1 {
            return Ok(sum);
        }
        let mean = self.multiply_scalar(sum, 1.0 / symbols.len() as f32);
        if mean.is_err() {
            self.truncate(nodes);
        }
        mean
    }

    fn chain(&mut self, kind: &str, operation: BinaryOp, symbols: &[Symbol]) -> Result<Symbol> {
        let Some((&first, rest)) = symbols.split_first() else {
            return Err(Site::new(kind, "no operands").refuse(
                "the list of operands",
                "is empty",
                "at least one is needed",
                "give one symbol or more",
            ));
        };
        self.operand(kind, "the first operand", first)?;
        let nodes = self.nodes().len();
        let mut result = first;
        for &symbol in rest {
            result = match self.binary(operation, result, symbol) {
                Ok(next) => next,
                Err(error) => {
                    self.truncate(nodes);
                    return Err(error);
                }
            };
        }
        Ok(result)
    }
}
