//! The functions of one operand by name: ONNX's operators, and Keras's.

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::Activation;

impl Graph {
    /// Takes the absolute value.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn abs(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Abs)
    }

    /// Takes the negative: ONNX's Neg.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn negative(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Negative)
    }

    /// Takes the exponential.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn exp(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Exponential)
    }

    /// Takes the natural logarithm; -inf for 0, NaN for negative elements.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn log(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Log)
    }

    /// Takes the square root; NaN for negative elements.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn sqrt(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Sqrt)
    }

    /// Takes the reciprocal; a device may be off by 2.5 units in the last place.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn reciprocal(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Reciprocal)
    }

    /// Rounds down.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn floor(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Floor)
    }

    /// Rounds up.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn ceil(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Ceil)
    }

    /// Rounds to the nearest whole number, halves to the even one.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn round(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Round)
    }

    /// Takes the sign: -1, 0 or 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn sign(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Sign)
    }

    /// Takes the error function.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn erf(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Erf)
    }

    /// Takes the hyperbolic tangent.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn tanh(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Tanh)
    }

    /// Gives 1 for 0, else 0: ONNX's Not.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn logical_not(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::LogicalNot)
    }

    /// Gives 1 for NaN, else 0: ONNX's `IsNaN`.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn is_nan(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::IsNan)
    }

    /// Gives 1 for infinities of the signs that count, else 0: ONNX's `IsInf`, where both do.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn is_inf(&mut self, x: Symbol, positive: bool, negative: bool) -> Result<Symbol> {
        self.activation(x, Activation::IsInf { positive, negative })
    }

    /// Takes the logistic function.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn sigmoid(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Sigmoid)
    }

    /// Replaces negative elements by 0.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn relu(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Relu)
    }

    /// Multiplies negative elements by `alpha`; ONNX's default is 0.01, Keras's 0.2.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn leaky_relu(&mut self, x: Symbol, alpha: f32) -> Result<Symbol> {
        self.activation(x, Activation::LeakyRelu(alpha))
    }

    /// Applies the exponential linear unit; the default alpha is 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn elu(&mut self, x: Symbol, alpha: f32) -> Result<Symbol> {
        self.activation(x, Activation::Elu(alpha))
    }

    /// Applies the scaled exponential linear unit with its usual constants.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn selu(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Selu)
    }

    /// Applies the continuously differentiable exponential linear unit; the default alpha is 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn celu(&mut self, x: Symbol, alpha: f32) -> Result<Symbol> {
        self.activation(x, Activation::Celu(alpha))
    }

    /// Keeps elements above `alpha`, replaces others by 0; ONNX's default is 1.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn thresholded_relu(&mut self, x: Symbol, alpha: f32) -> Result<Symbol> {
        self.activation(x, Activation::ThresholdedRelu(alpha))
    }

    /// Clips `alpha * x + beta` to between 0 and 1; ONNX's defaults are 0.2 and 0.5.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn hard_sigmoid(&mut self, x: Symbol, alpha: f32, beta: f32) -> Result<Symbol> {
        self.activation(x, Activation::HardSigmoidWith { alpha, beta })
    }

    /// Multiplies each element by its hard sigmoid, of slope 1/6: ONNX's `HardSwish`, Keras's `hard_silu`.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn hard_swish(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::HardSilu)
    }

    /// Multiplies each element by the sigmoid of `alpha` times it; with 1 it is silu.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn swish(&mut self, x: Symbol, alpha: f32) -> Result<Symbol> {
        self.activation(x, Activation::Swish(alpha))
    }

    /// Multiplies each element by the normal distribution's function, through erf or through tanh.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn gelu(&mut self, x: Symbol, approximate: bool) -> Result<Symbol> {
        let form = if approximate { Activation::GeluTanh } else { Activation::Gelu };
        self.activation(x, form)
    }

    /// Multiplies each element by the tanh of its softplus.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn mish(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Mish)
    }

    /// Takes log(1 + exp(x)).
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn softplus(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Softplus)
    }

    /// Takes x / (1 + |x|).
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn softsign(&mut self, x: Symbol) -> Result<Symbol> {
        self.activation(x, Activation::Softsign)
    }

    /// Clips to between `min` and `max`; infinite bounds are none, and `max` wins over `min`.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn clip(&mut self, x: Symbol, min: f32, max: f32) -> Result<Symbol> {
        self.activation(x, Activation::Clip { min, max })
    }

    /// Multiplies by a number and adds another.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn affine(&mut self, x: Symbol, scale: f32, offset: f32) -> Result<Symbol> {
        self.activation(x, Activation::Affine { scale, offset })
    }

    /// Adds a number.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn add_scalar(&mut self, x: Symbol, offset: f32) -> Result<Symbol> {
        self.activation(x, Activation::Affine { scale: 1.0, offset })
    }

    /// Multiplies by a number; what is added is -0, so that zeros keep their sign.
    ///
    /// # Errors
    ///
    /// As [`Graph::activation`].
    pub fn multiply_scalar(&mut self, x: Symbol, scale: f32) -> Result<Symbol> {
        self.activation(x, Activation::Affine { scale, offset: -0.0 })
    }
}
