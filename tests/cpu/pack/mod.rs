//! Packing to f32: exact bits from every layout, the policy, and threads.

mod layouts;
mod policy;
mod target;

use longshore::array::{PackReport, StagePolicy};
use longshore::{Error, HostArray};
use ndarray::{Axis, Slice};

/// Slices the leading axes; `ndarray::s!` would do, but it allows unsafe code where it stands.
fn cut<T, S: ndarray::Data<Elem = T>, D: ndarray::Dimension>(
    array: &ndarray::ArrayBase<S, D>,
    slices: impl IntoIterator<Item = Slice>,
) -> ndarray::ArrayViewD<'_, T> {
    let mut view = array.view().into_dyn();
    for (axis, slice) in slices.into_iter().enumerate() {
        view.slice_axis_inplace(Axis(axis), slice);
    }
    view
}

/// Every `step`th index, backwards where it is negative.
fn step(step: isize) -> Slice {
    Slice::new(0, None, step)
}

/// The indices of a range.
fn part(range: std::ops::Range<usize>) -> Slice {
    Slice::from(range)
}

fn strict() -> StagePolicy {
    StagePolicy::new()
}

fn pack(array: &HostArray<'_>) -> (Vec<f32>, PackReport) {
    let (values, report) = array.pack(strict()).unwrap();
    assert_eq!(values.shape(), array.shape());
    (values.into_raw_vec_and_offset().0, report)
}

fn refuse(array: &HostArray<'_>, policy: StagePolicy) -> Error {
    array.pack(policy).unwrap_err()
}
