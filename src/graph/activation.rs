//! Element-wise activations, named as Keras names them.

use super::{Graph, Op, Symbol, title};
use crate::error::Result;

/// Names an activation function; `x` is the value it is applied to.
///
/// Formulas and default constants are Keras 3's. NaN stays NaN in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// `x`.
    #[default]
    Linear,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` if positive, else `slope * x`; Keras's default slope is 0.2.
    LeakyRelu(f32),
    /// `x` if positive, else `alpha * (exp(x) - 1)`; Keras's default alpha is 1.
    Elu(f32),
    /// `1.0507 * (x if positive, else 1.6733 * (exp(x) - 1))`.
    Selu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `min(max(x / 6 + 0.5, 0), 1)`.
    HardSigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `log(1 + exp(x))`, computed so that large `x` does not overflow.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `x * hard_sigmoid(x)`, also called hard swish.
    HardSilu,
    /// `x * Phi(x)` through erf: Keras's `gelu(approximate=False)`.
    Gelu,
    /// `x * Phi(x)` through tanh: Keras's `gelu(approximate=True)`.
    GeluTanh,
    /// `exp(x)`.
    Exponential,
    /// `x * tanh(softplus(x))`.
    Mish,
    /// `exp(x - max) / sum(exp(x - max))` over the last axis.
    ///
    /// The one activation that is not element-wise: a layer that asks for it
    /// becomes two steps.
    Softmax,
}

impl Activation {
    /// Returns the name Keras gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu(_) => "leaky_relu",
            Activation::Elu(_) => "elu",
            Activation::Selu => "selu",
            Activation::Sigmoid => "sigmoid",
            Activation::HardSigmoid => "hard_sigmoid",
            Activation::Tanh => "tanh",
            Activation::Softplus => "softplus",
            Activation::Softsign => "softsign",
            Activation::Silu => "silu",
            Activation::HardSilu => "hard_silu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Exponential => "exponential",
            Activation::Mish => "mish",
            Activation::Softmax => "softmax",
        }
    }
}

impl Graph {
    /// Applies an activation to every element; softmax goes over the last axis.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for a symbol of another graph, or for
    /// softmax of a value without axes.
    pub fn activation(&mut self, x: Symbol, activation: Activation) -> Result<Symbol> {
        if activation == Activation::Softmax {
            return self.softmax(x, -1);
        }
        let name = self.name_for(activation.name(), None)?;
        let x = self.operand(&title(activation.name(), &name), "x", x)?;
        let op = Op::Activation(activation);
        Ok(self.insert(name, op, vec![x.index], Vec::new(), x.shape))
    }
}
