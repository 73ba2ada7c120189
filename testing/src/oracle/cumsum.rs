//! Running sums along one axis.

use ndarray::ArrayD;

use super::reduce::roundings;
use super::{EPSILON, Expected, SMALLEST};

/// The sum of all elements in front of each one along an axis, its own included or not; `reverse` counts
/// those behind it.
///
/// A sum has one unit for each rounding of its terms, which go in blocks, and a subnormal for each.
pub fn cumsum(input: &ArrayD<f64>, axis: usize, exclusive: bool, reverse: bool) -> Expected {
    let length = input.shape()[axis];
    let mut result = Expected::zeros(input.shape());
    for (index, _) in input.indexed_iter() {
        let own = index[axis];
        let places = match (reverse, exclusive) {
            (false, false) => 0..own + 1,
            (false, true) => 0..own,
            (true, false) => own..length,
            (true, true) => own + 1..length,
        };
        let count = places.len();
        let (mut sum, mut magnitude) = (0.0, 0.0);
        for place in places {
            let mut other = index.clone();
            other[axis] = place;
            sum += input[&other];
            magnitude += input[&other].abs();
        }
        result.value[&index] = sum;
        result.bound[&index] =
            roundings(count) * EPSILON * magnitude + 2.0 * count as f64 * SMALLEST;
    }
    result
}
