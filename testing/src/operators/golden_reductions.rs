//! What the tests of reductions, softmax and normalization share: ONNX's and Keras's golden cases.

use ndarray::ArrayD;
use serde_json::Value;

use crate::compare::assert_close;
use crate::fixture::{Case, load_from};
use crate::oracle::{EPSILON, Expected};

/// Options that every case has.
const COMMON: [&str; 4] = ["name", "layer", "made_by", "dtype"];

/// Returns the cases of an operator, of which there are `count`, with no options but `known`.
pub fn cases(layer: &str, count: usize, known: &[&str]) -> Vec<Case> {
    let mut found = load_from("onnx", "reductions");
    found.retain(|case| case.layer == layer);
    assert_eq!(found.len(), count, "cases of {layer}");
    for case in &found {
        for option in case.options.as_object().unwrap().keys() {
            let is_known = COMMON.contains(&option.as_str()) || known.contains(&option.as_str());
            assert!(is_known, "{}: this test does not know the option {option}", case.name);
        }
    }
    found
}

/// Checks one output of a case: the result against the oracle, and against the golden numbers by
/// the oracle's bound, doubled where the tool computed in f32 itself.
#[track_caller]
pub fn check(case: &Case, part: &str, actual: &ArrayD<f32>, oracle: &Expected) {
    let what = format!("{} {part}", case.name);
    assert_close(&what, actual, oracle);
    let factor = match case.text("dtype") {
        "float64" => 1.0,
        "float32" => 2.0,
        other => panic!("{what}: dtype {other}"),
    };
    let bound = &oracle.bound * factor;
    assert_close(&what, actual, &Expected { value: case.array(part).clone(), bound });
}

/// Checks against Keras's normalization layers, which add `x * factor` to a shift, in f32.
///
/// Those terms are below 16 in these cases, and cancel: four units of them are allowed besides.
#[track_caller]
pub fn check_keras(case: &Case, actual: &ArrayD<f32>, oracle: &Expected) {
    assert_close(&case.name, actual, oracle);
    let bound = oracle.bound.mapv(|bound| 2.0 * bound + 4.0 * 16.0 * EPSILON);
    assert_close(&case.name, actual, &Expected { value: case.array("output").clone(), bound });
}

/// A list of axes, or one axis as a list.
pub fn axes(case: &Case, key: &str, default: &[isize]) -> Vec<isize> {
    if case.options[key].is_null() {
        return default.to_vec();
    }
    case.integers(key).into_iter().map(|axis| axis as isize).collect()
}

/// A switch, as ONNX's 0 and 1 or Keras's false and true.
pub fn switch(case: &Case, key: &str, default: bool) -> bool {
    match &case.options[key] {
        Value::Null => default,
        Value::Bool(on) => *on,
        number => number.as_i64().unwrap() != 0,
    }
}

/// A number.
pub fn number(case: &Case, key: &str, default: f32) -> f32 {
    case.options[key].as_f64().map_or(default, |value| value as f32)
}

/// Counts an axis from the first.
pub fn from_start(axis: isize, rank: usize) -> usize {
    axis.rem_euclid(rank as isize) as usize
}
