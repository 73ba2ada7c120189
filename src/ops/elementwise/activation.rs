//! Element-wise functions of one operand: Keras's activations and ONNX's unary operators.

use crate::error::Result;
use crate::graph::{Graph, Site, Symbol, title};
use crate::ops::Op;

/// Names a function of one operand; `x` is the value it is applied to.
///
/// Formulas and default constants are Keras 3's, and ONNX's for what Keras lacks. NaN stays NaN
/// in all of them but [`Activation::LogicalNot`], [`Activation::IsNan`] and [`Activation::IsInf`].
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
    /// `scale * x + offset`.
    Affine {
        /// The factor.
        scale: f32,
        /// What is added after it.
        offset: f32,
    },
    /// `min(max(x, min), max)`; infinite bounds are none.
    Clip {
        /// The least value.
        min: f32,
        /// The greatest value, which wins where it is below `min`.
        max: f32,
    },
    /// `max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))` for a positive alpha; ONNX's default is 1.
    Celu(f32),
    /// `gamma * (x if positive, else alpha * (exp(x) - 1))`: ONNX's Selu with constants of its own.
    SeluWith {
        /// The factor of the negative part.
        alpha: f32,
        /// The factor of the whole.
        gamma: f32,
    },
    /// `min(max(alpha * x + beta, 0), 1)`: ONNX's `HardSigmoid`, whose defaults are 0.2 and 0.5.
    HardSigmoidWith {
        /// The slope.
        alpha: f32,
        /// The value at 0.
        beta: f32,
    },
    /// `x * sigmoid(alpha * x)`: ONNX's Swish.
    Swish(f32),
    /// `x` if it exceeds alpha, else 0; ONNX's default alpha is 1.
    ThresholdedRelu(f32),
    /// `|x|`.
    Abs,
    /// `-x`.
    Negative,
    /// The square root, NaN for negative `x`.
    Sqrt,
    /// `1 / x`.
    Reciprocal,
    /// The greatest whole number that is not above `x`.
    Floor,
    /// The least whole number that is not below `x`.
    Ceil,
    /// The nearest whole number; of two, the even one.
    Round,
    /// -1, 0 or 1.
    Sign,
    /// 1 for 0, else 0; NaN is not 0.
    LogicalNot,
    /// The natural logarithm, -inf for 0, NaN for negative `x`.
    Log,
    /// The error function.
    Erf,
    /// The sine of radians; every finite number is reduced exactly.
    Sin,
    /// The cosine of radians; every finite number is reduced exactly.
    Cos,
    /// The tangent of radians; every finite number is reduced exactly.
    Tan,
    /// The inverse sine in radians, NaN beyond 1.
    Asin,
    /// The inverse cosine in radians, NaN beyond 1.
    Acos,
    /// The inverse tangent in radians.
    Atan,
    /// The hyperbolic sine.
    Sinh,
    /// The hyperbolic cosine.
    Cosh,
    /// The inverse hyperbolic sine.
    Asinh,
    /// The inverse hyperbolic cosine, NaN below 1.
    Acosh,
    /// The inverse hyperbolic tangent, infinite at 1 and -1, NaN beyond.
    Atanh,
    /// 1 for NaN, else 0.
    IsNan,
    /// 1 for an infinity that counts, else 0.
    IsInf {
        /// Whether positive infinity counts.
        positive: bool,
        /// Whether negative infinity counts.
        negative: bool,
    },
    /// `exp(x - max) / sum(exp(x - max))` over the last axis.
    ///
    /// The one activation that is not element-wise: a layer that asks for it
    /// becomes two steps.
    Softmax,
}

impl Activation {
    /// Returns the name Keras gives it, or ONNX in Keras's spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::Relu6 => "relu6",
            Activation::LeakyRelu(_) => "leaky_relu",
            Activation::Elu(_) => "elu",
            Activation::Selu | Activation::SeluWith { .. } => "selu",
            Activation::Sigmoid => "sigmoid",
            Activation::HardSigmoid | Activation::HardSigmoidWith { .. } => "hard_sigmoid",
            Activation::Tanh => "tanh",
            Activation::Softplus => "softplus",
            Activation::Softsign => "softsign",
            Activation::Silu => "silu",
            Activation::HardSilu => "hard_silu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Exponential => "exponential",
            Activation::Mish => "mish",
            Activation::Affine { .. } => "affine",
            Activation::Clip { .. } => "clip",
            Activation::Celu(_) => "celu",
            Activation::Swish(_) => "swish",
            Activation::ThresholdedRelu(_) => "thresholded_relu",
            Activation::Abs => "abs",
            Activation::Negative => "negative",
            Activation::Sqrt => "sqrt",
            Activation::Reciprocal => "reciprocal",
            Activation::Floor => "floor",
            Activation::Ceil => "ceil",
            Activation::Round => "round",
            Activation::Sign => "sign",
            Activation::LogicalNot => "logical_not",
            Activation::Log => "log",
            Activation::Erf => "erf",
            Activation::Sin => "sin",
            Activation::Cos => "cos",
            Activation::Tan => "tan",
            Activation::Asin => "asin",
            Activation::Acos => "acos",
            Activation::Atan => "atan",
            Activation::Sinh => "sinh",
            Activation::Cosh => "cosh",
            Activation::Asinh => "asinh",
            Activation::Acosh => "acosh",
            Activation::Atanh => "atanh",
            Activation::IsNan => "is_nan",
            Activation::IsInf { .. } => "is_inf",
            Activation::Softmax => "softmax",
        }
    }

    /// Tells whether every kernel with an epilogue has it, so that a layer can fuse it.
    ///
    /// The logarithm, erf and the circular and hyperbolic functions are long, and `is_nan` and
    /// `is_inf` seldom asked for, so that element-wise nodes alone have them; softmax is not
    /// element-wise. As a layer's activation they become a node of their own.
    #[must_use]
    pub fn is_fusable(self) -> bool {
        !matches!(
            self,
            Activation::Log
                | Activation::Erf
                | Activation::Sin
                | Activation::Cos
                | Activation::Tan
                | Activation::Asin
                | Activation::Acos
                | Activation::Atan
                | Activation::Sinh
                | Activation::Cosh
                | Activation::Asinh
                | Activation::Acosh
                | Activation::Atanh
                | Activation::IsNan
                | Activation::IsInf { .. }
                | Activation::Softmax
        )
    }

    /// Says what is wrong with its constants, if something is.
    pub(crate) fn undefined(self) -> Option<String> {
        match self {
            Activation::Celu(alpha) if alpha.is_nan() || alpha <= 0.0 => {
                Some(format!("celu with alpha {alpha}, which must be positive"))
            }
            Activation::Clip { min, max } if min.is_nan() || max.is_nan() => {
                Some(format!("clip to between {min} and {max}"))
            }
            _ => None,
        }
    }
}

impl Graph {
    /// Applies a function to every element; softmax goes over the last axis.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for a symbol of another graph, for softmax of a
    /// value without axes, and for constants that the function is not defined with: an alpha of
    /// celu that is not positive, a bound of clip that is NaN.
    pub fn activation(&mut self, x: Symbol, activation: Activation) -> Result<Symbol> {
        if activation == Activation::Softmax {
            return self.softmax(x, -1);
        }
        let name = self.name_for(activation.name(), None)?;
        let node = title(activation.name(), &name);
        let x = self.operand(&node, "x", x)?;
        check(&node, activation)?;
        let op = Op::Activation(activation);
        Ok(self.insert(name, op, vec![x.index], Vec::new(), x.shape))
    }
}

/// Refuses constants that a function is not defined with.
pub(crate) fn check(node: &str, activation: Activation) -> Result<()> {
    let Some(what) = activation.undefined() else { return Ok(()) };
    let remedy = "use constants that the function is defined with";
    let expected = "the function is not defined so";
    Err(Site::new(node, format!("{activation:?}")).refuse(
        "a constant",
        format!("asks for {what}"),
        expected,
        remedy,
    ))
}
