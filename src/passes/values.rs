//! Numbers of weights, for passes that compute new ones.

use ndarray::ArrayD;

use crate::array::{HostArray, StagePolicy};
use crate::graph::{Source, Weight};

/// Reads a weight's numbers as the device would get them.
///
/// `None` for a tensor that is staged already, and for an array that staging would refuse: it
/// stays a weight, so that preparing refuses it by name.
pub(super) fn read(weight: &Weight) -> Option<ArrayD<f32>> {
    match &weight.source {
        Source::Host(array) => Some(array.pack(StagePolicy::new()).ok()?.0),
        Source::Staged(_) => None,
    }
}

/// Tells whether a weight is staged already, so that its numbers cannot be read.
pub(super) fn is_staged(weight: &Weight) -> bool {
    matches!(weight.source, Source::Staged(_))
}

/// Makes a weight of numbers; `None` where one is not finite, which staging would refuse.
pub(super) fn make(label: &str, values: ArrayD<f32>) -> Option<Weight> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    Some(Weight::from(HostArray::from(values).with_name(label.to_owned())))
}

/// Rounds numbers once, from f64 to the device's f32.
#[expect(clippy::cast_possible_truncation, reason = "f32 is what the device computes with")]
pub(super) fn round(values: &ArrayD<f64>) -> ArrayD<f32> {
    values.mapv(|value| value as f32)
}
