//! The functions of two operands by name, and of any number of operands.

use crate::error::Result;
use crate::graph::{Graph, Site, Symbol};
use crate::ops::{Activation, BinaryOp};

impl Graph {
    /// Adds two symbols element by element.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn add(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Add, left, right)
    }

    /// Multiplies two symbols element by element.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn multiply(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Multiply, left, right)
    }

    /// Subtracts `right` from `left`.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn subtract(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Subtract, left, right)
    }

    /// Divides `left` by `right`; a device may be off by 2.5 units in the last place.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn divide(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Divide, left, right)
    }

    /// Raises `left` to the power `right`, with NumPy's rules; see [`BinaryOp::Power`].
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn power(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Power, left, right)
    }

    /// Takes the lesser of two elements; NaN where one is NaN.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn minimum(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Minimum, left, right)
    }

    /// Takes the greater of two elements; NaN where one is NaN.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn maximum(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Maximum, left, right)
    }

    /// Takes the remainder of `left / right` with the sign of `left`: ONNX's Mod with fmod = 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn fmod(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Fmod, left, right)
    }

    /// Takes the remainder of `left / right` with the sign of `right`: NumPy's mod.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn modulo(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Mod, left, right)
    }

    /// Gives 1 where both are equal, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn equal(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Equal, left, right)
    }

    /// Gives 1 where `left > right`, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn greater(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Greater, left, right)
    }

    /// Gives 1 where `left >= right`, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn greater_equal(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::GreaterEqual, left, right)
    }

    /// Gives 1 where `left < right`, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn less(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::Less, left, right)
    }

    /// Gives 1 where `left <= right`, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn less_equal(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::LessEqual, left, right)
    }

    /// Gives 1 where neither is 0, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn logical_and(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::LogicalAnd, left, right)
    }

    /// Gives 1 where one is not 0, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn logical_or(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::LogicalOr, left, right)
    }

    /// Gives 1 where exactly one is 0, else 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::binary`].
    pub fn logical_xor(&mut self, left: Symbol, right: Symbol) -> Result<Symbol> {
        self.binary(BinaryOp::LogicalXor, left, right)
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
        // A product plus -0 is the product, zeros' signs included.
        let scale = 1.0 / symbols.len() as f32;
        let mean = self.activation(sum, Activation::Affine { scale, offset: -0.0 });
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
