//! The largest or smallest elements along one axis, and where they are.

use ndarray::{ArrayD, Axis};

use super::Expected;

/// Values and indices: the best that is left is taken `k` times, the first of equal ones; NaN is larger
/// than every number.
pub fn top_k(input: &ArrayD<f64>, axis: usize, k: usize, largest: bool) -> [Expected; 2] {
    let is_better = |one: f64, other: f64| {
        if largest {
            one > other || one.is_nan() && !other.is_nan()
        } else {
            one < other || other.is_nan() && !one.is_nan()
        }
    };
    let mut shape = input.shape().to_vec();
    shape[axis] = k;
    let [mut values, mut indices] = [Expected::zeros(&shape), Expected::zeros(&shape)];
    let lines = input.lanes(Axis(axis)).into_iter();
    let results = values.value.lanes_mut(Axis(axis)).into_iter();
    let places = indices.value.lanes_mut(Axis(axis)).into_iter();
    for ((line, mut result), mut place) in lines.zip(results).zip(places) {
        let mut left: Vec<usize> = (0..line.len()).collect();
        for number in 0..k {
            let mut best = 0;
            for at in 1..left.len() {
                if is_better(line[left[at]], line[left[best]]) {
                    best = at;
                }
            }
            let index = left.remove(best);
            result[number] = line[index];
            place[number] = index as f64;
        }
    }
    [values, indices]
}
