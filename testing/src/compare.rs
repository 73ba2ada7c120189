//! The one comparer: an f32 result against the oracle's value and bound, element by element.

use std::fmt::Write;

use ndarray::{ArrayD, Dimension};

use super::oracle::Expected;

/// How many differing elements a report lists.
const LISTED: usize = 16;

/// Checks a result against the oracle.
///
/// The shapes must be equal. NaN matches NaN only, an infinity matches the same infinity only, and a finite
/// value must lie within the element's bound.
///
/// # Errors
///
/// A report of the count of differing elements and the first sixteen: index, both values, difference, bound.
pub fn compare(actual: &ArrayD<f32>, expected: &Expected) -> Result<(), String> {
    assert_eq!(
        expected.value.shape(),
        expected.bound.shape(),
        "an oracle gives one bound for each value"
    );
    if actual.shape() != expected.value.shape() {
        return Err(format!(
            "shape {:?} differs from the expected {:?}",
            actual.shape(),
            expected.value.shape()
        ));
    }
    let mut differing = 0;
    let mut listed = String::new();
    for ((index, &a), (&e, &bound)) in
        actual.indexed_iter().zip(expected.value.iter().zip(&expected.bound))
    {
        let a = f64::from(a);
        if matches(a, e, bound) {
            continue;
        }
        differing += 1;
        if differing <= LISTED {
            let difference = (a - e).abs();
            let index = index.slice();
            let _ = write!(
                listed,
                "\n  {index:?}: actual {a:e}, expected {e:e}, difference {difference:e}, bound {bound:e}"
            );
        }
    }
    if differing == 0 {
        return Ok(());
    }
    let more = if differing > LISTED { "\n  ..." } else { "" };
    Err(format!("{differing} of {} elements differ{listed}{more}", actual.len()))
}

/// Whether one element is right.
fn matches(a: f64, e: f64, bound: f64) -> bool {
    if e.is_nan() || a.is_nan() {
        return e.is_nan() && a.is_nan();
    }
    if e.is_infinite() {
        return a == e;
    }
    if a.is_infinite() {
        // The oracle works in f64: what it holds as a finite number can be beyond f32, or within its bound
        // of being so, and then the infinity of the same sign is the right f32.
        return a.signum() == e.signum() && e.abs() + bound >= f64::from(f32::MAX);
    }
    // Written so that a NaN bound or difference fails.
    (a - e).abs() <= bound
}

/// Panics with the report of [`compare`] when a result is wrong; `what` names it.
#[track_caller]
pub fn assert_close(what: &str, actual: &ArrayD<f32>, expected: &Expected) {
    if let Err(report) = compare(actual, expected) {
        panic!("{what}: {report}");
    }
}
