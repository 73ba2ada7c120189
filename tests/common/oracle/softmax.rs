//! Softmax along one axis.

use ndarray::{ArrayD, Axis};

use super::{EPSILON, Expected, SMALLEST};

/// Softmax of exact values along an axis; a negative axis counts from the end.
pub fn softmax(input: &ArrayD<f64>, axis: isize) -> Expected {
    softmax_of(Expected::exact(input.clone()), axis)
}

/// Softmax of values that are themselves within a bound.
///
/// Each exp(x - max) may be wrong, relatively, by the rounding of the difference (half an ulp of it), by
/// 3 + 2|x - max| ulp of exp, and by twice the greatest input bound; the sum by the weighted mean of these and
/// one rounding per term; the division by 2.5 ulp.
pub fn softmax_of(input: Expected, axis: isize) -> Expected {
    let rank = input.value.ndim();
    let axis = Axis(axis.rem_euclid(rank as isize) as usize);
    let mut result = input;
    let lanes = result.value.lanes_mut(axis).into_iter().zip(result.bound.lanes_mut(axis));
    for (mut value, mut bound) in lanes {
        let max = value.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let input_bound = bound.iter().copied().fold(0.0, f64::max);
        let mut sum = 0.0;
        let mut sum_error = 0.0;
        for (v, b) in value.iter_mut().zip(bound.iter_mut()) {
            let distance = (*v - max).abs();
            let relative = (3.0 + 2.5 * distance) * EPSILON + (2.0 * input_bound).exp_m1();
            *v = (-distance).exp();
            *b = relative;
            sum += *v;
            sum_error += *v * relative;
        }
        let common = sum_error / sum + (value.len() as f64 + 3.0) * EPSILON;
        for (v, b) in value.iter_mut().zip(bound.iter_mut()) {
            *v /= sum;
            *b = *v * (*b + common) + SMALLEST;
        }
    }
    result
}
