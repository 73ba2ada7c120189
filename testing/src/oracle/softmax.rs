//! Softmax along one axis, its logarithm, and hardmax.

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
            // exp(-inf) is 0 without an error.
            let own = if distance.is_infinite() { 0.0 } else { (3.0 + 2.5 * distance) * EPSILON };
            let relative = own + (2.0 * input_bound).exp_m1();
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

/// The logarithm of softmax along an axis: (x - max) - log(sum of exp(x - max)).
///
/// The difference is rounded once; each term of the sum may be wrong as in softmax; the logarithm by 6 units,
/// and the last difference by one.
pub fn log_softmax(input: &ArrayD<f64>, axis: isize) -> Expected {
    let mut result = Expected::exact(input.clone());
    let axis = Axis(axis.rem_euclid(input.ndim() as isize) as usize);
    let lanes = result.value.lanes_mut(axis).into_iter().zip(result.bound.lanes_mut(axis));
    for (mut value, mut bound) in lanes {
        let max = value.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let terms = value.iter().map(|x| (x - max).exp());
        let sum: f64 = terms.clone().sum();
        let wrong = |x: &f64| (x - max).exp() * (4.0 + 1.5 * (x - max).abs()) * EPSILON;
        let errors: f64 = value.iter().filter(|x| x.is_finite()).map(wrong).sum();
        let relative = errors / sum + (value.len() as f64 + 3.0) * EPSILON;
        let log = sum.ln();
        for (v, b) in value.iter_mut().zip(bound.iter_mut()) {
            let distance = *v - max;
            *v = distance - log;
            *b = EPSILON * (distance.abs() + 6.0 * log.abs() + v.abs()) + relative + SMALLEST;
        }
    }
    result
}

/// 1 at the first of the largest values along an axis, 0 elsewhere; NaN counts as the largest.
pub fn hardmax(input: &ArrayD<f64>, axis: isize) -> Expected {
    let axis = Axis(axis.rem_euclid(input.ndim() as isize) as usize);
    let mut value = input.clone();
    for mut lane in value.lanes_mut(axis) {
        let mut best = 0;
        for place in 1..lane.len() {
            if !lane[best].is_nan() && (lane[place].is_nan() || lane[place] > lane[best]) {
                best = place;
            }
        }
        for place in 0..lane.len() {
            lane[place] = if place == best { 1.0 } else { 0.0 };
        }
    }
    Expected::exact(value)
}
