//! Activations as Keras 3 defines them, with what f32 and WGSL may do to them.
//!
//! exp(t) is allowed a relative error of (3 + 2|t|) epsilon, WGSL's own promise; a division 2.5 ulp. Functions
//! WGSL lacks or promises little for are bounded by a form made of exp: sigmoid as 1 / (1 + e^-x), tanh as
//! (1 - e^-2|x|) / (1 + e^-2|x|), softplus as max(x, 0) + log(1 + e^-|x|) with WGSL's 2^-21 for log, and erf by
//! an approximation as good as Abramowitz and Stegun 7.1.26 (1.5e-7).

use ndarray::{ArrayD, Zip};

use super::erf::erf;
use super::unary::Unary;
use super::{EPSILON, Expected, SMALLEST};

/// SELU's two constants.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// A function of one element. NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    Linear,
    Relu,
    Relu6,
    LeakyRelu {
        negative_slope: f64,
    },
    Elu {
        alpha: f64,
    },
    Selu,
    Sigmoid,
    HardSigmoid,
    Tanh,
    Softplus,
    Softsign,
    Silu,
    HardSilu,
    Gelu {
        approximate: bool,
    },
    Exponential,
    Mish,
    /// One that is ONNX's rather than Keras's.
    Other(Unary),
}

impl Activation {
    /// The activation of a Keras name, with Keras's defaults.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Self::Linear,
            "relu" => Self::Relu,
            "relu6" => Self::Relu6,
            "leaky_relu" => Self::LeakyRelu { negative_slope: 0.2 },
            "elu" => Self::Elu { alpha: 1.0 },
            "selu" => Self::Selu,
            "sigmoid" => Self::Sigmoid,
            "hard_sigmoid" => Self::HardSigmoid,
            "tanh" => Self::Tanh,
            "softplus" => Self::Softplus,
            "softsign" => Self::Softsign,
            "silu" => Self::Silu,
            "hard_silu" => Self::HardSilu,
            "gelu" => Self::Gelu { approximate: false },
            "exponential" => Self::Exponential,
            "mish" => Self::Mish,
            _ => return None,
        })
    }

    /// The function of a name that the crate prints, with its constants.
    pub fn of(name: &str, constants: [f64; 2]) -> Option<Self> {
        let [one, _] = constants;
        match name {
            "leaky_relu" => Some(Self::LeakyRelu { negative_slope: one }),
            "elu" => Some(Self::Elu { alpha: one }),
            "gelu_tanh" => Some(Self::Gelu { approximate: true }),
            _ => Unary::named(name, constants).map(Self::Other).or_else(|| Self::named(name)),
        }
    }

    /// The exact value at x.
    pub fn value(self, x: f64) -> f64 {
        if let Self::Other(function) = self {
            return function.value(x);
        }
        if x.is_nan() {
            return x;
        }
        match self {
            Self::Other(function) => function.value(x),
            Self::Linear => x,
            Self::Relu => x.max(0.0),
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::LeakyRelu { negative_slope } if x < 0.0 => negative_slope * x,
            Self::Elu { alpha } if x < 0.0 => alpha * x.exp_m1(),
            Self::LeakyRelu { .. } | Self::Elu { .. } => x,
            Self::Selu if x < 0.0 => SELU_SCALE * SELU_ALPHA * x.exp_m1(),
            Self::Selu => SELU_SCALE * x,
            Self::Sigmoid => sigmoid(x),
            Self::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Tanh => x.tanh(),
            Self::Softplus => softplus(x),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Silu => x * sigmoid(x),
            Self::HardSilu => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Gelu { approximate: false } => {
                0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
            }
            Self::Gelu { approximate: true } => 0.5 * x * (1.0 + gelu_inner(x).tanh()),
            Self::Exponential => x.exp(),
            Self::Mish => x * softplus(x).tanh(),
        }
    }

    /// How far f32 may be from the exact value at an exact x.
    fn rounding(self, x: f64) -> f64 {
        let value = self.value(x).abs();
        let own = match self {
            Self::Linear => return 0.0,
            Self::Other(function) => return function.rounding(x),
            Self::Relu | Self::Relu6 => 0.0,
            Self::LeakyRelu { .. } if x < 0.0 => 2.0 * EPSILON * value,
            Self::Elu { alpha } if x < 0.0 => {
                alpha.abs() * exp_error(x) + EPSILON * (alpha.abs() + 2.0 * value)
            }
            Self::LeakyRelu { .. } | Self::Elu { .. } => 0.0,
            Self::Selu if x < 0.0 => 1.76 * (exp_error(x) + EPSILON) + 3.0 * EPSILON * value,
            Self::Selu => 2.0 * EPSILON * value,
            Self::Sigmoid => sigmoid_error(x),
            Self::HardSigmoid => hard_sigmoid_error(x),
            Self::Tanh => tanh_error(x),
            Self::Softplus => softplus_error(x),
            Self::Softsign => 4.0 * EPSILON * value,
            Self::Silu => x.abs() * sigmoid_error(x) + 2.0 * EPSILON * value,
            Self::HardSilu => x.abs() * hard_sigmoid_error(x) + 2.0 * EPSILON * value,
            Self::Gelu { approximate: false } => {
                let erf_error = 1.5e-7 + 3.0 * EPSILON + exp_error(-0.5 * x * x);
                0.5 * x.abs() * erf_error + 2.0 * EPSILON * value
            }
            Self::Gelu { approximate: true } => {
                let u = gelu_inner(x);
                let slope = 1.0 - u.tanh() * u.tanh();
                let inner = slope * 8.0 * EPSILON * u.abs() + tanh_error(u) + EPSILON;
                0.5 * x.abs() * inner + 2.0 * EPSILON * value
            }
            Self::Exponential => exp_error(x),
            Self::Mish => {
                let s = softplus(x);
                let slope = 1.0 - s.tanh() * s.tanh();
                x.abs() * (slope * softplus_error(x) + tanh_error(s)) + 2.0 * EPSILON * value
            }
        };
        // A factor may be flushed to zero before it is multiplied by x.
        own + SMALLEST * (1.0 + x.abs())
    }

    /// How far the value moves when its input, near x, is off by a given amount: the steepest slope times it.
    fn spread(self, x: f64, amount: f64) -> f64 {
        if amount == 0.0 {
            return 0.0;
        }
        let slope = match self {
            Self::Other(function) => return function.reach(x, amount),
            Self::Linear
            | Self::Relu
            | Self::Relu6
            | Self::Tanh
            | Self::Softplus
            | Self::Softsign => 1.0,
            Self::LeakyRelu { negative_slope } => negative_slope.abs().max(1.0),
            Self::Elu { alpha } => alpha.abs().max(1.0),
            Self::Selu => 1.76,
            Self::Sigmoid => 0.25,
            Self::HardSigmoid => 1.0 / 6.0,
            Self::Silu | Self::Mish => 1.11,
            Self::Gelu { .. } => 1.13,
            Self::HardSilu => 1.5,
            Self::Exponential => (x + amount).exp(),
        };
        slope * amount
    }
}

/// An activation of exact values.
pub fn activation(kind: Activation, input: &ArrayD<f64>) -> Expected {
    activate(kind, Expected::exact(input.clone()))
}

/// An activation of values that are themselves within a bound: what a layer with an activation computes.
pub fn activate(kind: Activation, input: Expected) -> Expected {
    let mut result = input;
    Zip::from(&mut result.value).and(&mut result.bound).for_each(|value, bound| {
        let x = *value;
        *value = kind.value(x);
        *bound = kind.rounding(x) + kind.spread(x, *bound);
    });
    result
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The argument of tanh in the approximate GELU.
fn gelu_inner(x: f64) -> f64 {
    (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)
}

/// The absolute error of exp(t).
fn exp_error(t: f64) -> f64 {
    t.exp() * (3.0 + 2.0 * t.abs()) * EPSILON
}

fn sigmoid_error(x: f64) -> f64 {
    let value = sigmoid(x);
    value * ((1.0 - value) * (3.0 + 2.0 * x.abs()) + 4.0) * EPSILON
}

/// x + 3 is rounded before it is divided by 6; clearly outside of the slope nothing is.
fn hard_sigmoid_error(x: f64) -> f64 {
    if x < -3.01 { 0.0 } else { 4.0 * EPSILON }
}

fn tanh_error(x: f64) -> f64 {
    2.0 * exp_error(-2.0 * x.abs()) + 7.0 * EPSILON
}

fn softplus_error(x: f64) -> f64 {
    // 2^-21 is four epsilon; one more for rounding 1 + e.
    exp_error(-x.abs()) + (4.0 + 1.0 + 2.0 * softplus(x)) * EPSILON
}
