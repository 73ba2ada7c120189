//! Functions of one element that ONNX and NumPy have beside Keras's activations.
//!
//! Those that f32 computes exactly have a bound of zero. The others' bounds say what the kernels promise: a
//! relative error of some units in the last place over the whole range, near the zeros of a function too.

use super::erf::erf;
use super::{EPSILON, SMALLEST};

/// A function of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    Affine { scale: f64, offset: f64 },
    Clip { min: f64, max: f64 },
    Celu { alpha: f64 },
    Selu { alpha: f64, gamma: f64 },
    HardSigmoid { alpha: f64, beta: f64 },
    Swish { alpha: f64 },
    ThresholdedRelu { alpha: f64 },
    Abs,
    Negative,
    Sqrt,
    Reciprocal,
    Floor,
    Ceil,
    Round,
    Sign,
    LogicalNot,
    Log,
    Erf,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    IsNan,
    IsInf { positive: bool, negative: bool },
}

impl Unary {
    /// The exact value at x.
    pub fn value(self, x: f64) -> f64 {
        match self {
            Self::LogicalNot => f64::from(x == 0.0),
            Self::IsNan => f64::from(x.is_nan()),
            Self::IsInf { positive, negative } => {
                f64::from(x.is_infinite() && if x > 0.0 { positive } else { negative })
            }
            _ if x.is_nan() => x,
            Self::Affine { scale, offset } => scale * x + offset,
            Self::Clip { min, max } => x.max(min).min(max),
            Self::Celu { alpha } => x.max(0.0) + (alpha * (x / alpha).exp_m1()).min(0.0),
            Self::Selu { alpha, gamma } if x < 0.0 => gamma * alpha * x.exp_m1(),
            Self::Selu { gamma, .. } => gamma * x,
            Self::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Self::Swish { alpha } => x / (1.0 + (-alpha * x).exp()),
            Self::ThresholdedRelu { alpha } => {
                if x > alpha {
                    x
                } else {
                    0.0
                }
            }
            Self::Abs => x.abs(),
            Self::Negative => -x,
            Self::Sqrt => x.sqrt(),
            Self::Reciprocal => 1.0 / x,
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Round => {
                // Of two neighbours as near, the even one.
                let low = x.floor();
                let tie = x - low == 0.5;
                if tie && low % 2.0 == 0.0 { low } else { (x + 0.5).floor() }
            }
            Self::Sign => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
            Self::Log => x.ln(),
            Self::Erf => erf(x),
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sinh => x.sinh(),
            Self::Cosh => x.cosh(),
            Self::Asinh if x.is_infinite() => x,
            Self::Asinh => (x.abs() + x * x / (1.0 + (x * x + 1.0).sqrt())).ln_1p() * x.signum(),
            Self::Acosh => {
                if x < 1.0 {
                    f64::NAN
                } else {
                    ((x - 1.0) + ((x - 1.0) * (x + 1.0)).sqrt()).ln_1p()
                }
            }
            Self::Atanh => 0.5 * (2.0 * x.abs() / (1.0 - x.abs())).ln_1p() * x.signum(),
        }
    }

    /// How far f32 may be from the exact value at an exact x.
    pub fn rounding(self, x: f64) -> f64 {
        let value = self.value(x).abs();
        let units = match self {
            Self::Clip { .. }
            | Self::ThresholdedRelu { .. }
            | Self::Floor
            | Self::Ceil
            | Self::Round
            | Self::Sign
            | Self::LogicalNot
            | Self::IsNan
            | Self::IsInf { .. } => return 0.0,
            Self::Abs | Self::Negative => 0.0,
            Self::Affine { scale, .. } => return EPSILON * ((scale * x).abs() + value) + SMALLEST,
            Self::Celu { alpha } if x < 0.0 => {
                let t = x / alpha;
                let exp = t.exp() * (3.0 + 5.0 * t.abs()) * EPSILON;
                return alpha * (exp + EPSILON) + 2.0 * EPSILON * value + SMALLEST;
            }
            Self::Celu { .. } => 0.0,
            Self::Selu { alpha, gamma } if x < 0.0 => {
                let exp = x.exp() * (3.0 + 2.0 * x.abs()) * EPSILON;
                return (alpha * gamma).abs() * (exp + EPSILON) + 3.0 * EPSILON * value + SMALLEST;
            }
            Self::Selu { .. } => 1.0,
            Self::HardSigmoid { alpha, beta } => {
                let inner = alpha * x + beta;
                let is_flat = !(-0.01..=1.01).contains(&inner);
                return if is_flat {
                    0.0
                } else {
                    2.0 * EPSILON * ((alpha * x).abs() + beta.abs())
                };
            }
            Self::Swish { alpha } => {
                let (u, sigmoid) = ((alpha * x).abs(), 1.0 / (1.0 + (-alpha * x).exp()));
                let slope = (1.0 - sigmoid) * (3.0 + 3.0 * u);
                return value * (slope + 6.0) * EPSILON + SMALLEST * (1.0 + x.abs());
            }
            // WGSL's sqrt is 1 / inverseSqrt(x), its division 2.5 units off.
            Self::Sqrt => 4.0,
            Self::Reciprocal => 3.0,
            Self::Log | Self::Sin | Self::Cos => 6.0,
            Self::Erf | Self::Asin | Self::Acos | Self::Atan => 8.0,
            Self::Tan | Self::Sinh | Self::Cosh | Self::Asinh | Self::Acosh | Self::Atanh => 16.0,
        };
        units * EPSILON * value + SMALLEST
    }

    /// The steepest slope of a function that has one everywhere; NaN for the others, which fit no bound.
    pub fn slope(self) -> f64 {
        match self {
            Self::Affine { scale, .. } => scale.abs(),
            Self::Celu { .. } | Self::Clip { .. } | Self::Abs | Self::Negative => 1.0,
            Self::Selu { alpha, gamma } => gamma.abs() * alpha.abs().max(1.0),
            Self::HardSigmoid { alpha, .. } => alpha.abs(),
            Self::Swish { .. } => 1.11,
            _ => f64::NAN,
        }
    }
}
