//! Where: one of two elements, with NumPy's broadcasting of all three arrays.

use ndarray::{ArrayD, Dimension};

use super::Expected;
use super::binary::{broadcast, element};

/// Takes from `on_true` where the condition is not zero, else from `on_false`; both exactly.
pub fn select(condition: &ArrayD<f64>, on_true: &ArrayD<f64>, on_false: &ArrayD<f64>) -> Expected {
    let shape = broadcast(condition.shape(), &broadcast(on_true.shape(), on_false.shape()));
    let mut result = Expected::zeros(&shape);
    for (index, value) in result.value.indexed_iter_mut() {
        let index = index.slice();
        let source = if element(condition, index) == 0.0 { on_false } else { on_true };
        *value = element(source, index);
    }
    result
}
