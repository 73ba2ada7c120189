//! Normalization of rows, with scale and bias.

use std::collections::BTreeMap;

use ndarray::{ArrayD, Dimension};

use super::moments::{Near, Rule, moments};
use super::{EPSILON, Expected, SMALLEST};

/// (x - mean) * inverse deviation * scale + bias. `row` names the row that an element belongs to; `scale` and
/// `bias` give the numbers of an element; all three by its index.
pub fn normalize(
    input: &ArrayD<f64>,
    rule: Rule,
    row: impl Fn(&[usize]) -> Vec<usize>,
    scale: impl Fn(&[usize]) -> f64,
    bias: impl Fn(&[usize]) -> f64,
) -> Expected {
    let mut rows: BTreeMap<Vec<usize>, Vec<f64>> = BTreeMap::new();
    for (index, &x) in input.indexed_iter() {
        rows.entry(row(index.slice())).or_default().push(x);
    }
    let found: BTreeMap<Vec<usize>, [Near; 2]> =
        rows.into_iter().map(|(name, values)| (name, moments(&values, rule))).collect();
    let mut result = Expected::zeros(input.shape());
    for (index, &x) in input.indexed_iter() {
        let [mean, inverse] = found[&row(index.slice())];
        let (scale, bias) = (scale(index.slice()), bias(index.slice()));
        let distance = x - mean.value;
        let product = distance * inverse.value * scale;
        result.value[&index] = product + bias;
        // The difference's errors, those of the inverse, and the roundings of two products and a sum.
        let difference = mean.bound + EPSILON * (distance.abs() + mean.bound);
        let greatest = inverse.value + inverse.bound;
        result.bound[&index] = (difference * greatest + distance.abs() * inverse.bound)
            * scale.abs()
            + 2.0 * EPSILON * product.abs()
            + EPSILON * (product + bias).abs()
            + 2.0 * SMALLEST * (1.0 + greatest) * (1.0 + scale.abs());
    }
    result
}

/// The number of an element in an array that broadcasts to the listed axes, the last ones aligned.
pub fn along(array: Option<&ArrayD<f64>>, axes: &[usize], index: &[usize], none: f64) -> f64 {
    let Some(array) = array else { return none };
    let rank = array.ndim();
    let place: Vec<usize> = (0..rank)
        .map(|axis| {
            let position = index[axes[axes.len() - rank + axis]];
            if array.shape()[axis] == 1 { 0 } else { position }
        })
        .collect();
    array[place.as_slice()]
}

/// Layer normalization over axes counted from the first; also by the root mean square.
pub fn layer_normalization(
    input: &ArrayD<f64>,
    rule: Rule,
    axes: &[usize],
    scale: Option<&ArrayD<f64>>,
    bias: Option<&ArrayD<f64>>,
) -> Expected {
    let row = |index: &[usize]| {
        let kept = index.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
        kept.map(|(_, &place)| place).collect()
    };
    let scale = |index: &[usize]| along(scale, axes, index, 1.0);
    normalize(input, rule, row, scale, |index| along(bias, axes, index, 0.0))
}

/// Group normalization; scale and bias have a number for each channel, or for each group.
pub fn group_normalization(
    input: &ArrayD<f64>,
    rule: Rule,
    axis: usize,
    groups: usize,
    scale: Option<&ArrayD<f64>>,
    bias: Option<&ArrayD<f64>>,
) -> Expected {
    let channels = input.shape()[axis];
    let group = |index: &[usize]| index[axis] / (channels / groups);
    let of = |array: Option<&ArrayD<f64>>, index: &[usize], none: f64| match array {
        None => none,
        Some(array) if array.len() == channels => array[[index[axis]]],
        Some(array) => array[[group(index)]],
    };
    let row = |index: &[usize]| vec![index[0], group(index)];
    normalize(input, rule, row, |index| of(scale, index, 1.0), |index| of(bias, index, 0.0))
}
