//! Mean and inverse deviation of rows, with their bounds.

use super::EPSILON;
use super::reduce::roundings;

/// A value and how far an f32 result may be from it.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub value: f64,
    pub bound: f64,
}

/// What a row's normalization takes.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub is_centered: bool,
    pub epsilon: f64,
    pub floor: f64,
}

/// The mean of a row (0 without centering) and 1 / (sqrt(variance + epsilon) + floor).
///
/// A mean is found in two rounds of sums of differences, so its own size costs it only the roundings of the
/// first element's and of the last sum; the sums cost each difference `roundings` units. The variance sums
/// squares round that mean: the square of its error comes to it. The inverse has 4.5 units of a root, 2.5 of a
/// division and 3 roundings.
pub fn moments(row: &[f64], rule: Rule) -> [Near; 2] {
    let count = row.len() as f64;
    let units = (roundings(row.len()) + 3.0) * EPSILON;
    let average = |of: &dyn Fn(f64) -> f64| row.iter().map(|&x| of(x)).sum::<f64>() / count;
    let mut mean = Near { value: 0.0, bound: 0.0 };
    if rule.is_centered {
        mean.value = average(&|x| x);
        let own = EPSILON * mean.value.abs();
        // Round one goes from the first element, round two from what that gave.
        let rough = own + units * average(&|x| (x - row[0]).abs());
        mean.bound = 2.0 * own + units * (average(&|x| (x - mean.value).abs()) + rough);
    }
    let variance = average(&|x| (x - mean.value) * (x - mean.value));
    let shift = mean.bound * mean.bound;
    let error = (units + 6.0 * EPSILON) * (variance + shift) + shift + f64::from(f32::MIN_POSITIVE);
    let square = variance + rule.epsilon;
    let deviation = square.sqrt();
    let least = (square - error).max(0.0).sqrt() + rule.floor;
    let value = 1.0 / (deviation + rule.floor);
    let bound = (1.0 / least - value) + 10.0 * EPSILON / least;
    [mean, Near { value, bound }]
}
