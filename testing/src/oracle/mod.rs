//! The naive oracle: every layer in f64 by plain loops, with its own size arithmetic and a bound for f32.
//!
//! It imports ndarray only, so it cannot share a mistake with the crate, and it is itself checked against
//! numbers made by Keras, JAX and ONNX. Inputs are f64 arrays that hold f32 values.
//!
//! A bound says how far a correct f32 computation can be from the exact result. It is derived from the number
//! of terms and their magnitudes; where WGSL is looser than IEEE (division 2.5 ulp, exp 3 + 2|x| ulp,
//! log 2^-21, subnormal numbers that may be flushed to zero), the bound is as loose as WGSL.

use ndarray::ArrayD;

pub mod activation;
pub mod batch_normalization;
pub mod binary;
pub mod conv2d;
pub mod conv2d_transpose;
pub mod copy;
pub mod cumsum;
pub mod dense;
mod erf;
pub mod gather;
pub mod grid_sample;
pub mod lrn;
pub mod matmul;
pub mod moments;
pub mod normalization;
pub mod pad;
pub mod pool2d;
pub mod reduce;
pub mod reshape;
pub mod resize;
pub mod resize2d;
pub mod select;
pub mod softmax;
pub mod top_k;
pub mod unary;

/// The distance from 1 to the next f32: one rounding is wrong by at most half of this, relatively.
pub const EPSILON: f64 = f32::EPSILON as f64;

/// The smallest normal f32: WGSL lets a device replace anything smaller by zero.
pub const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

/// The exact result of an operation and how far an f32 result may be from it, element by element.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The exact result.
    pub value: ArrayD<f64>,
    /// The greatest allowed distance from it.
    pub bound: ArrayD<f64>,
}

impl Expected {
    /// A result that f32 must reproduce exactly.
    pub fn exact(value: ArrayD<f64>) -> Self {
        let bound = ArrayD::zeros(value.raw_dim());
        Self { value, bound }
    }

    /// A result of zeros with zero bounds, to be filled.
    pub(super) fn zeros(shape: &[usize]) -> Self {
        Self::exact(ArrayD::zeros(shape))
    }
}

/// A sum of products with what its bound needs.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    pub value: f64,
    magnitude: f64,
    terms: usize,
}

impl Sum {
    /// Adds one term: a product of two f32 numbers, or a bias.
    pub fn add(&mut self, term: f64) {
        self.value += term;
        self.magnitude += term.abs();
        self.terms += 1;
    }

    /// (terms + 2) * epsilon * sum of |term|, whatever the order of summation and with or without fused
    /// multiply-add; each product and each partial sum may also lose a subnormal.
    pub fn bound(&self) -> f64 {
        let terms = self.terms as f64;
        (terms + 2.0) * EPSILON * self.magnitude + 2.0 * terms * SMALLEST
    }
}

/// The four sizes of an image or kernel array.
pub(super) fn sizes4(array: &ArrayD<f64>) -> [usize; 4] {
    let shape = array.shape();
    shape.try_into().unwrap_or_else(|_| panic!("expected 4 dimensions, got {shape:?}"))
}
