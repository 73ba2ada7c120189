//! Add and multiply with NumPy's broadcasting: shapes are aligned at the end, a size of 1 is repeated.

use ndarray::{ArrayD, Dimension};

use super::{EPSILON, Expected, SMALLEST};

/// The sum of two arrays.
pub fn add(left: &ArrayD<f64>, right: &ArrayD<f64>) -> Expected {
    binary(left, right, |a, b| a + b)
}

/// The product of two arrays.
pub fn multiply(left: &ArrayD<f64>, right: &ArrayD<f64>) -> Expected {
    binary(left, right, |a, b| a * b)
}

fn binary(
    left: &ArrayD<f64>,
    right: &ArrayD<f64>,
    operation: impl Fn(f64, f64) -> f64,
) -> Expected {
    let shape = broadcast(left.shape(), right.shape());
    let mut result = Expected::zeros(&shape);
    for (index, value) in result.value.indexed_iter_mut() {
        let index = index.slice();
        *value = operation(element(left, index), element(right, index));
    }
    // One rounding, and a result that may be flushed to zero.
    result.bound = result.value.mapv(|v| EPSILON * v.abs() + SMALLEST);
    result
}

fn broadcast(left: &[usize], right: &[usize]) -> Vec<usize> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing { 1 } else { shape[axis - missing] }
    };
    let mut shape = Vec::new();
    for axis in 0..rank {
        let (a, b) = (size(left, axis), size(right, axis));
        assert!(a == b || a == 1 || b == 1, "{left:?} and {right:?} do not broadcast");
        shape.push(if a == 1 { b } else { a });
    }
    shape
}

/// The element of a smaller array that stands at an index of the broadcast one.
fn element(array: &ArrayD<f64>, index: &[usize]) -> f64 {
    let missing = index.len() - array.ndim();
    let own: Vec<usize> = (0..array.ndim())
        .map(|axis| if array.shape()[axis] == 1 { 0 } else { index[missing + axis] })
        .collect();
    array[own.as_slice()]
}
