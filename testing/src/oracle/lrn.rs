//! Local response normalization across channels.

use ndarray::ArrayD;

use super::{EPSILON, Expected, SMALLEST, Sum};

/// x / (bias + alpha / size * sum of squares)^beta, over the window of `size` channels round each.
///
/// The sum's relative error and 3 roundings make the base's; the power multiplies it by beta and adds 6 units
/// of the logarithm times |beta log base| twice over and 4 of exp; the division 2.5.
pub fn lrn(
    input: &ArrayD<f64>,
    axis: usize,
    size: usize,
    [alpha, beta, bias]: [f64; 3],
) -> Expected {
    let channels = input.shape()[axis];
    let mut result = Expected::zeros(input.shape());
    for (index, &x) in input.indexed_iter() {
        let c = index[axis];
        let mut sum = Sum::default();
        let first = c.saturating_sub((size - 1) / 2);
        // ceil((size - 1) / 2)
        let last = (c + size / 2).min(channels - 1);
        for j in first..=last {
            let mut other = index.clone();
            other[axis] = j;
            sum.add(input[&other] * input[&other]);
        }
        let factor = alpha / size as f64;
        let base = bias + factor * sum.value;
        let relative = (factor * sum.bound() + 3.0 * EPSILON * base) / base;
        let exponent = (beta * base.ln()).abs();
        result.value[&index] = x / base.powf(beta);
        let relative = beta.abs() * relative + (8.0 * exponent + 7.0) * EPSILON;
        result.bound[&index] = result.value[&index].abs() * relative + SMALLEST;
    }
    result
}
