//! What is applied to every result before it leaves the cache.

use super::binary::{Operand, Visit, with_function};
use super::functions::{
    erf, exponential, exponential_minus_one, gelu, gelu_tanh, hard_sigmoid, mish, sigmoid,
    softplus, tanh,
};
use super::simd::vectorized;
use crate::ops::{Activation, Stage};

/// What is applied to each result: an epilogue's stages, and its extra operand.
#[derive(Clone, Copy)]
pub(crate) struct Stages<'a> {
    /// The stages, the first one applied first.
    pub list: &'a [Stage],
    /// The extra operand; result `i` meets its element `i % extra.len()`.
    pub extra: &'a [f32],
}

/// Results computed at a time: they are still in the cache when the stages are applied.
const CHUNK: usize = 4096;

/// Computes a run of whole units with `body`, which gets the number of its first unit, and
/// applies the stages to what it made, a chunk at a time.
pub(super) fn in_chunks(
    stages: Stages<'_>,
    unit: usize,
    (first, run): (usize, &mut [f32]),
    body: impl Fn(usize, &mut [f32]),
) {
    if stages.list.is_empty() {
        return body(first, run);
    }
    let units = (CHUNK / unit.max(1)).max(1);
    let chunks = run.chunks_mut(units.saturating_mul(unit).max(1));
    for (number, chunk) in chunks.enumerate() {
        let at = first + number * units;
        body(at, chunk);
        finish(stages, chunk, at * unit);
    }
}

/// Applies the stages to results whose first one is element `first` of the tensor.
///
/// Results that lie behind one another are worth a call, single ones are not.
pub(crate) fn finish(stages: Stages<'_>, values: &mut [f32], first: usize) {
    for stage in stages.list {
        match *stage {
            Stage::Unary(activation) => activate(activation, values),
            Stage::Binary { operation, swapped } => {
                let mut rest = &mut *values;
                let mut index = first;
                while !rest.is_empty() && !stages.extra.is_empty() {
                    // As far as the extra operand goes before it begins anew.
                    let from = index % stages.extra.len();
                    let other = if let [one] = stages.extra {
                        Operand::One(*one)
                    } else {
                        let count = rest.len().min(stages.extra.len() - from);
                        Operand::Many(&stages.extra[from..from + count])
                    };
                    let count = other.count().unwrap_or(rest.len());
                    let (run, behind) = rest.split_at_mut(count);
                    with_function(operation, InPlace { values: run, other, swapped });
                    (rest, index) = (behind, index + count);
                }
            }
        }
    }
}

/// A stage that meets the extra operand.
struct InPlace<'a> {
    values: &'a mut [f32],
    other: Operand<'a>,
    swapped: bool,
}

impl Visit for InPlace<'_> {
    fn visit(self, function: impl Fn(f32, f32) -> f32) {
        let InPlace { values, other, swapped } = self;
        vectorized(
            #[inline(always)]
            || match (other, swapped) {
                (Operand::One(b), false) => values.iter_mut().for_each(|a| *a = function(*a, b)),
                (Operand::One(b), true) => values.iter_mut().for_each(|a| *a = function(b, *a)),
                (Operand::Many(other), false) => {
                    values.iter_mut().zip(other).for_each(|(a, b)| *a = function(*a, *b));
                }
                (Operand::Many(other), true) => {
                    values.iter_mut().zip(other).for_each(|(a, b)| *a = function(*b, *a));
                }
            },
        );
    }
}

/// Applies an activation. Softmax is no element-wise function: launches refuse it, and here it
/// changes nothing.
fn activate(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Linear | Activation::Softmax => {}
        // Not `max`, which gives the other operand for NaN.
        Activation::Relu => each(values, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::Relu6 => each(values, |x| x.clamp(0.0, 6.0)),
        Activation::LeakyRelu(slope) => each(values, |x| if x < 0.0 { slope * x } else { x }),
        Activation::Elu(alpha) => {
            each(values, |x| if x < 0.0 { alpha * exponential_minus_one(x) } else { x });
        }
        Activation::Selu => each(values, |x| {
            1.050_701 * if x < 0.0 { 1.673_263_2 * exponential_minus_one(x) } else { x }
        }),
        Activation::Sigmoid => each(values, sigmoid),
        Activation::HardSigmoid => each(values, hard_sigmoid),
        Activation::Tanh => each(values, tanh),
        Activation::Softplus => each(values, softplus),
        Activation::Softsign => each(values, |x| x / (1.0 + x.abs())),
        Activation::Silu => each(values, |x| x * sigmoid(x)),
        Activation::HardSilu => each(values, |x| x * hard_sigmoid(x)),
        Activation::Gelu => each(values, gelu),
        Activation::GeluTanh => each(values, gelu_tanh),
        Activation::Exponential => each(values, exponential),
        Activation::Mish => each(values, mish),
        other => activate_onnx(other, values),
    }
}

/// The functions that are ONNX's more than Keras's.
fn activate_onnx(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Affine { scale, offset } => each(values, |x| x * scale + offset),
        // Not `f32::clamp`, which panics where the bounds are the wrong way round.
        Activation::Clip { min, max } => each(values, |x| {
            let low = if x < min { min } else { x };
            if low > max { max } else { low }
        }),
        Activation::Celu(alpha) => {
            each(values, |x| if x < 0.0 { alpha * exponential_minus_one(x / alpha) } else { x });
        }
        Activation::SeluWith { alpha, gamma } => {
            each(values, |x| gamma * if x < 0.0 { alpha * exponential_minus_one(x) } else { x });
        }
        Activation::HardSigmoidWith { alpha, beta } => {
            each(values, |x| (alpha * x + beta).clamp(0.0, 1.0));
        }
        Activation::Swish(alpha) => each(values, |x| x * sigmoid(alpha * x)),
        // NaN is neither above nor below.
        Activation::ThresholdedRelu(alpha) => each(values, |x| if x <= alpha { 0.0 } else { x }),
        Activation::Abs => each(values, f32::abs),
        Activation::Negative => each(values, |x| -x),
        Activation::Sqrt => each(values, f32::sqrt),
        Activation::Reciprocal => each(values, f32::recip),
        Activation::Floor => each(values, f32::floor),
        Activation::Ceil => each(values, f32::ceil),
        Activation::Round => each(values, f32::round_ties_even),
        Activation::Sign => each(values, |x| {
            // Adding 0 leaves NaN, and of -0 makes 0.
            let falling = if x < 0.0 { -1.0 } else { x + 0.0 };
            if x > 0.0 { 1.0 } else { falling }
        }),
        Activation::LogicalNot => each(values, |x| if x == 0.0 { 1.0 } else { 0.0 }),
        other => activate_rare(other, values),
    }
}

/// The functions that element-wise nodes alone have.
fn activate_rare(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Log => each(values, f32::ln),
        Activation::Erf => each(values, erf),
        Activation::Sin => each(values, f32::sin),
        Activation::Cos => each(values, f32::cos),
        Activation::Tan => each(values, f32::tan),
        Activation::Asin => each(values, f32::asin),
        Activation::Acos => each(values, f32::acos),
        Activation::Atan => each(values, f32::atan),
        Activation::Sinh => each(values, f32::sinh),
        Activation::Cosh => each(values, f32::cosh),
        // The standard library makes these of logarithms, which in f32 lose digits.
        Activation::Asinh => each_wide(values, f64::asinh),
        Activation::Acosh => each_wide(values, f64::acosh),
        Activation::Atanh => each_wide(values, f64::atanh),
        Activation::IsNan => each(values, |x| if x.is_nan() { 1.0 } else { 0.0 }),
        Activation::IsInf { positive, negative } => {
            let counts = |sign: bool| if sign { 1.0 } else { 0.0 };
            let (above, below) = (counts(positive), counts(negative));
            each(values, |x| match x {
                f32::INFINITY => above,
                f32::NEG_INFINITY => below,
                _ => 0.0,
            });
        }
        // The callers have the rest.
        _ => {}
    }
}

/// Adds a bias to a row of results.
pub(crate) fn add_bias(bias: Option<&[f32]>, values: &mut [f32]) {
    if let Some(bias) = bias {
        vectorized(|| {
            for (value, shift) in values.iter_mut().zip(bias) {
                *value += shift;
            }
        });
    }
}

fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
    vectorized(
        #[inline(always)]
        || {
            for value in values {
                *value = function(*value);
            }
        },
    );
}

/// As [`each`], in f64.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
fn each_wide(values: &mut [f32], function: impl Fn(f64) -> f64) {
    for value in values {
        *value = function(f64::from(*value)) as f32;
    }
}
