//! What is applied to every result before it leaves the cache.

use super::functions::{
    exponential, exponential_minus_one, gelu, gelu_tanh, hard_sigmoid, mish, sigmoid, softplus,
    tanh,
};
use super::simd::vectorized;
use crate::graph::Activation;

/// Applies an activation to results whose first one is element `first` of the tensor.
///
/// Softmax is no element-wise function; [`Work::launch`](crate::kernels::Work::launch) has
/// refused it, and here it changes nothing.
pub(crate) fn finish(activation: Activation, values: &mut [f32], first: usize) {
    // Nothing that is applied depends on the place yet.
    let _ = first;
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
