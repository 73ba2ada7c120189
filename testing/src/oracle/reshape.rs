//! Flatten and reshape: the same elements in the same order, the batch axis untouched.

use ndarray::{ArrayD, IxDyn};

use super::Expected;

/// Everything after the batch axis in one axis.
pub fn flatten(input: &ArrayD<f64>) -> Expected {
    reshape(input, &[-1])
}

/// A new shape after the batch axis; one size may be -1, which stands for what is left.
pub fn reshape(input: &ArrayD<f64>, target: &[i64]) -> Expected {
    let batch = input.shape()[0];
    let elements = input.len() / batch;
    let known: i64 = target.iter().filter(|&&size| size != -1).product();
    let mut shape = vec![batch];
    for &size in target {
        let size = if size == -1 { elements as i64 / known } else { size };
        shape.push(usize::try_from(size).expect("a size is -1 or not negative"));
    }
    let values = input.iter().copied().collect();
    Expected::exact(
        ArrayD::from_shape_vec(IxDyn(&shape), values).expect("the element counts are equal"),
    )
}
