//! The oracle against numbers made by Keras, JAX and ONNX (tests/fixtures/keras).

use std::collections::BTreeMap;

use ndarray::ArrayD;

use longshore_testing::compare::compare;
use longshore_testing::fixture::{Case, load};
use longshore_testing::oracle::activation::{Activation, activate, activation};
use longshore_testing::oracle::conv2d::{Padding, conv2d, depthwise_conv2d, separable_conv2d};
use longshore_testing::oracle::conv2d_transpose::{TransposePadding, conv2d_transpose};
use longshore_testing::oracle::dense::dense;
use longshore_testing::oracle::resize2d::{Coordinates, Interpolation, resize2d, up_sampling2d};
use longshore_testing::oracle::{Expected, binary, reshape, softmax};

/// How many cases each layer has; a lost case is a failure.
const COUNTS: [(&str, usize); 13] = [
    ("activation", 19),
    ("add", 6),
    ("conv2d", 31),
    ("conv2d_transpose", 73),
    ("dense", 8),
    ("depthwise_conv2d", 9),
    ("flatten", 3),
    ("multiply", 6),
    ("reshape", 4),
    ("resize2d", 75),
    ("separable_conv2d", 6),
    ("softmax", 7),
    ("up_sampling2d", 30),
];

/// Tools that computed in f64 are met to this, relatively, or absolutely below 1e-3.
const RELATIVE: f64 = 1e-9;
const ABSOLUTE: f64 = 1e-12;

#[test]
fn every_case_is_there() {
    let mut counts = BTreeMap::new();
    for case in load() {
        *counts.entry(case.layer).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, usize> =
        COUNTS.iter().map(|&(layer, count)| (layer.to_owned(), count)).collect();
    assert_eq!(counts, expected);
}

#[test]
fn the_oracle_agrees_with_every_case() {
    let mut reports = Vec::new();
    for case in load() {
        if let Err(report) = check(&case, &evaluate(&case)) {
            reports.push(format!("{}: {report}", case.name));
        }
    }
    assert!(reports.is_empty(), "{} cases differ\n{}", reports.len(), reports.join("\n"));
}

#[test]
fn golden_outputs_rounded_to_f32_are_within_the_oracles_bounds() {
    for case in load() {
        let rounded = case.array("output").mapv(|v| v as f32);
        // Rounding to f32 moves a value by half an epsilon: no bound may be tighter, but for exact copies.
        compare(&rounded, &evaluate(&case))
            .unwrap_or_else(|report| panic!("{}: {report}", case.name));
    }
}

#[test]
fn bounds_are_small_enough_to_notice_a_wrong_element() {
    for case in load() {
        let expected = evaluate(&case);
        let scale = expected.value.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        for (value, bound) in expected.value.iter().zip(&expected.bound) {
            let limit = 1e-4 * value.abs().max(scale.min(100.0));
            assert!(bound.is_finite() && *bound >= 0.0, "{}: bound {bound}", case.name);
            assert!(*bound <= limit, "{}: bound {bound} for {value}", case.name);
        }
    }
}

#[test]
fn padding_same_puts_the_odd_zero_after_and_same_lower_before() {
    let ramp = ArrayD::from_shape_fn(vec![1, 1, 4, 1], |i| (i[2] + 1) as f64);
    let kernel = ArrayD::from_shape_fn(vec![1, 2, 1, 1], |i| [1.0, 10.0][i[1]]);
    let run = |padding| {
        let result = conv2d(&ramp, &kernel, None, (1, 1), (1, 1), 1, padding);
        result.value.iter().copied().collect::<Vec<f64>>()
    };
    assert_eq!(run(Padding::Same), [21.0, 32.0, 43.0, 4.0]);
    assert_eq!(run(Padding::SameLower), [10.0, 21.0, 32.0, 43.0]);
    assert_eq!(run(Padding::Valid), [21.0, 32.0, 43.0]);
}

/// A golden output against the oracle: an f64 output to 1e-9, an f32 output within the oracle's own bound.
fn check(case: &Case, actual: &Expected) -> Result<(), String> {
    let golden = case.array("output");
    if case.text("dtype") == "float32" {
        return compare(&golden.mapv(|v| v as f32), actual);
    }
    assert_eq!(case.text("dtype"), "float64", "{}", case.name);
    if golden.shape() != actual.value.shape() {
        return Err(format!("shape {:?}, golden {:?}", actual.value.shape(), golden.shape()));
    }
    for ((index, &a), &g) in actual.value.indexed_iter().zip(golden) {
        let bound = RELATIVE * g.abs() + ABSOLUTE;
        // Asked this way round, a NaN on either side is not within.
        let within = (a - g).abs() <= bound;
        if !within {
            return Err(format!("{index:?}: oracle {a}, golden {g}, bound {bound}"));
        }
    }
    Ok(())
}

/// Computes a case with the oracle.
fn evaluate(case: &Case) -> Expected {
    let input = case.array("input");
    let bias = case.optional("bias");
    let result = match case.layer.as_str() {
        "conv2d" => {
            let groups = case.whole("groups");
            let (strides, dilation) = (case.pair("strides"), case.pair("dilation_rate"));
            conv2d(input, case.array("kernel"), bias, strides, dilation, groups, padding(case))
        }
        "depthwise_conv2d" => {
            let (strides, dilation) = (case.pair("strides"), case.pair("dilation_rate"));
            depthwise_conv2d(input, case.array("kernel"), bias, strides, dilation, padding(case))
        }
        "separable_conv2d" => {
            let (strides, dilation) = (case.pair("strides"), case.pair("dilation_rate"));
            let weights = (case.array("depthwise"), case.array("pointwise"));
            separable_conv2d(input, weights.0, weights.1, bias, strides, dilation, padding(case))
        }
        "conv2d_transpose" => transpose(case),
        "dense" => dense(input, case.array("kernel"), bias),
        "up_sampling2d" => up_sampling2d(input, case.pair("size"), interpolation(case)),
        "resize2d" => {
            let (height, width) = case.pair("size");
            resize2d(input, height, width, interpolation(case), coordinates(case))
        }
        "activation" => return activation(kind(case), input),
        "softmax" => softmax::softmax(input, case.integers("axis")[0] as isize),
        "flatten" => reshape::flatten(input),
        "reshape" => reshape::reshape(input, &case.integers("target_shape")),
        "add" => binary::add(input, case.array("other")),
        "multiply" => binary::multiply(input, case.array("other")),
        other => panic!("{}: the oracle has no layer {other}", case.name),
    };
    match case.options["activation"].as_str() {
        None => result,
        Some("softmax") => softmax::softmax_of(result, -1),
        Some(_) => activate(kind(case), result),
    }
}

fn transpose(case: &Case) -> Expected {
    let padding = match case.text("padding") {
        "same" => TransposePadding::Same,
        "valid" => TransposePadding::Valid,
        other => panic!("{}: padding {other}", case.name),
    };
    let given = !case.options["output_padding"].is_null();
    let output_padding = given.then(|| case.pair("output_padding"));
    let (strides, dilation) = (case.pair("strides"), case.pair("dilation_rate"));
    let (input, kernel) = (case.array("input"), case.array("kernel"));
    conv2d_transpose(
        input,
        kernel,
        case.optional("bias"),
        strides,
        dilation,
        padding,
        output_padding,
    )
}

fn padding(case: &Case) -> Padding {
    let value = &case.options["padding"];
    match value.as_str() {
        Some("same") => Padding::Same,
        Some("same_lower") => Padding::SameLower,
        Some("valid") => Padding::Valid,
        Some(other) => panic!("{}: padding {other}", case.name),
        None => {
            let at = |axis: usize, end: usize| value[axis][end].as_u64().expect("a size") as usize;
            Padding::Explicit { top: at(0, 0), bottom: at(0, 1), left: at(1, 0), right: at(1, 1) }
        }
    }
}

fn interpolation(case: &Case) -> Interpolation {
    match case.text("interpolation") {
        "nearest" => Interpolation::Nearest,
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        "lanczos3" => Interpolation::Lanczos3,
        "lanczos5" => Interpolation::Lanczos5,
        other => panic!("{}: interpolation {other}", case.name),
    }
}

fn coordinates(case: &Case) -> Coordinates {
    match case.text("coordinates") {
        "half_pixel" => Coordinates::HalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        other => panic!("{}: coordinates {other}", case.name),
    }
}

fn kind(case: &Case) -> Activation {
    let name = case.text("activation");
    let number = |key: &str| case.options[key].as_f64();
    match Activation::named(name) {
        None => panic!("{}: the oracle has no activation {name}", case.name),
        Some(Activation::LeakyRelu { negative_slope }) => Activation::LeakyRelu {
            negative_slope: number("negative_slope").unwrap_or(negative_slope),
        },
        Some(Activation::Elu { alpha }) => {
            Activation::Elu { alpha: number("alpha").unwrap_or(alpha) }
        }
        Some(Activation::Gelu { approximate }) => {
            let given = case.options["approximate"].as_bool();
            Activation::Gelu { approximate: given.unwrap_or(approximate) }
        }
        Some(kind) => kind,
    }
}
