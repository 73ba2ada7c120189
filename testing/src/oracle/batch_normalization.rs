//! Batch normalization by known means and variances.

use ndarray::ArrayD;

use super::{EPSILON, Expected, SMALLEST};

/// (x - mean) / sqrt(variance + epsilon) * scale + bias, by the channels of an axis counted from the first.
pub fn batch_normalization(
    input: &ArrayD<f64>,
    axis: usize,
    scale: Option<&ArrayD<f64>>,
    bias: Option<&ArrayD<f64>>,
    mean: &ArrayD<f64>,
    variance: &ArrayD<f64>,
    epsilon: f64,
) -> Expected {
    let mut result = Expected::zeros(input.shape());
    for (index, &x) in input.indexed_iter() {
        let c = index[axis];
        let deviation = (variance[[c]] + epsilon).sqrt();
        let product = (x - mean[[c]]) / deviation * scale.map_or(1.0, |scale| scale[[c]]);
        let bias = bias.map_or(0.0, |bias| bias[[c]]);
        // Roundings: a difference, the sum under the root, 4.5 units of the root, 2.5 of the division, a
        // product and the last sum, each at most a unit.
        result.value[&index] = product + bias;
        result.bound[&index] = 11.0 * EPSILON * product.abs()
            + EPSILON * (product + bias).abs()
            + SMALLEST * (2.0 + bias.abs()) / deviation.min(1.0);
    }
    result
}
