//! Circular and hyperbolic functions and their inverses, by ONNX's names.

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::Activation;

impl Graph {
    /// Takes the sine of radians.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn sin(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Sin)
    }

    /// Takes the cosine of radians.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn cos(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Cos)
    }

    /// Takes the tangent of radians.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn tan(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Tan)
    }

    /// Takes the inverse sine in radians; NaN for elements beyond 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn asin(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Asin)
    }

    /// Takes the inverse cosine in radians; NaN for elements beyond 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn acos(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Acos)
    }

    /// Takes the inverse tangent in radians.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn atan(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Atan)
    }

    /// Takes the hyperbolic sine.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn sinh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Sinh)
    }

    /// Takes the hyperbolic cosine.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn cosh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Cosh)
    }

    /// Takes the inverse hyperbolic sine.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn asinh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Asinh)
    }

    /// Takes the inverse hyperbolic cosine; NaN for elements below 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn acosh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Acosh)
    }

    /// Takes the inverse hyperbolic tangent; NaN for elements beyond 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn atanh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Atanh)
    }
}
