//! Pooling against the cases of ONNX and Keras.

use ndarray::{ArrayD, Axis};
use serde_json::Value;

use super::pool2d::{add, layer};
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::{Case, load_from};
use crate::golden::{apply, narrow, widen};
use crate::oracle::Expected;
use crate::oracle::conv2d::Padding;
use crate::oracle::pool2d::{Mode, Pool, global_pool2d, pool2d};

/// How many cases of tests/fixtures/onnx/imaging are poolings.
const GOLDEN_CASES: usize = 49;

/// Reads a pooling from a case's ONNX attributes or Keras options.
fn read(case: &Case, mode: Mode) -> Pool {
    let rank = case.array("input").ndim() - 2;
    let numbers = |key: &str, default: usize| -> Vec<usize> {
        match &case.options[key] {
            Value::Null => vec![default; rank],
            _ => case.integers(key).iter().map(|&number| number as usize).collect(),
        }
    };
    let pair = |numbers: Vec<usize>| match numbers[..] {
        [one] if rank == 1 => (1, one),
        [both] => (both, both),
        [height, width] => (height, width),
        _ => panic!("{}: {numbers:?}", case.name),
    };
    let is_keras = case.layer.starts_with("keras");
    let size = pair(numbers(if is_keras { "pool_size" } else { "kernel_shape" }, 0));
    let given = !case.options["strides"].is_null();
    let strides = if is_keras && !given { size } else { pair(numbers("strides", 1)) };
    let text = |key: &str| case.options[key].as_str().unwrap_or_default();
    let padding = match (text("auto_pad"), text("padding")) {
        ("SAME_UPPER", _) | (_, "same") => Padding::Same,
        ("SAME_LOWER", _) => Padding::SameLower,
        ("VALID", _) | (_, "valid") => Padding::Valid,
        ("" | "NOTSET", "") => match (&case.options["pads"], rank) {
            (Value::Null, _) => Padding::Explicit { top: 0, bottom: 0, left: 0, right: 0 },
            (_, 2) => {
                let pads = numbers("pads", 0);
                Padding::Explicit { top: pads[0], left: pads[1], bottom: pads[2], right: pads[3] }
            }
            (pads, _) => panic!("{}: {pads}", case.name),
        },
        other => panic!("{}: {other:?}", case.name),
    };
    let is_set = |key: &str| case.options[key] == 1;
    Pool {
        mode,
        kernel: size,
        strides,
        dilation: pair(numbers("dilations", 1)),
        padding,
        ceil: is_set("ceil_mode"),
        count_include_pad: is_set("count_include_pad"),
    }
}

/// Moves the channels of ONNX's layout to the end.
pub(crate) fn channels_last(array: &ArrayD<f64>) -> ArrayD<f64> {
    let mut axes: Vec<usize> = (0..array.ndim()).collect();
    let channels = axes.remove(1);
    axes.push(channels);
    array.view().permuted_axes(axes).as_standard_layout().into_owned()
}

pub fn golden_cases(on: &dyn Executor) {
    let mut count = 0;
    for case in load_from("onnx", "imaging") {
        let is_keras = case.layer.starts_with("keras");
        let p = case.options["p"].as_u64().unwrap_or(2) as u16;
        let mode = match case.layer.trim_start_matches("keras.").trim_end_matches(['1', '2', 'D']) {
            "MaxPool" | "MaxPooling" | "GlobalMaxPool" | "GlobalMaxPooling" => Mode::Max,
            "AveragePool" | "AveragePooling" | "GlobalAveragePool" | "GlobalAveragePooling" => {
                Mode::Average
            }
            "LpPool" => Mode::Lp(p),
            _ => continue,
        };
        count += 1;
        let whole = case.layer.contains("Global");
        let turned = |part| match case.array(part) {
            array if is_keras => array.clone(),
            array => channels_last(array),
        };
        let (input, output) = (narrow(&turned("input")), turned("output"));
        let is_line = input.ndim() == 3;
        let keepdims = !is_keras || case.options["keepdims"] == true;
        let actual = apply(on, &input, |g, x| match (mode, whole, is_line) {
            (Mode::Max, true, true) => g.global_max_pooling1d(x, keepdims),
            (Mode::Max, true, false) => g.global_max_pooling2d(x, keepdims),
            (Mode::Average, true, true) => g.global_average_pooling1d(x, keepdims),
            (Mode::Average, true, false) => g.global_average_pooling2d(x, keepdims),
            (Mode::Max, false, true) => g.max_pooling1d(x, layer(&read(&case, mode))),
            (Mode::Average, false, true) => g.average_pooling1d(x, layer(&read(&case, mode))),
            (Mode::Lp(p), false, true) => g.lp_pooling1d(x, p, layer(&read(&case, mode))),
            _ => add(g, x, &read(&case, mode)),
        });
        let image = widen(&input);
        let image = if is_line { image.insert_axis(Axis(1)) } else { image };
        let exact =
            if whole { global_pool2d(&image, mode) } else { pool2d(&image, &read(&case, mode)) };
        // A line has no height, and without keepdims an image has none of it left.
        let shaped =
            |array: &ArrayD<f64>| array.clone().into_shape_with_order(output.raw_dim()).unwrap();
        let exact = Expected { value: shaped(&exact.value), bound: shaped(&exact.bound) };
        assert_close(&case.name, &actual, &exact);
        let factor = if case.text("dtype") == "float64" { 1.0 } else { 2.0 };
        // Inputs and outputs of one case are written with four digits.
        let digits = if case.name.contains("last_window_starts_on_pad") { 1e-4 } else { 0.0 };
        let bound = exact.bound * factor + digits;
        assert_close(&case.name, &actual, &Expected { bound, value: output });
    }
    assert_eq!(count, GOLDEN_CASES);
}
