//! Batch normalization.

use longshore::internals::kernels::{Work, batch_normalization as kernel};
use longshore::{BatchNormalization, HostArray, LayerWeights};
use ndarray::ArrayD;

use super::epilogue::both;
use super::golden_reductions::{axes, cases, check, check_keras, from_start, number, switch};
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{apply, narrow, trials, widen, with_one};
use crate::oracle::Expected;
use crate::oracle::batch_normalization::batch_normalization;
use crate::random::Random;

/// Names of the weights in Keras, and in ONNX.
const KERAS: [&str; 4] = ["gamma", "beta", "moving_mean", "moving_variance"];
const ONNX: [&str; 4] = ["scale", "B", "input_mean", "input_var"];

fn weights(arrays: [Option<&ArrayD<f32>>; 4]) -> LayerWeights {
    let mut weights = LayerWeights::default();
    for (name, array) in KERAS.into_iter().zip(arrays) {
        if let Some(array) = array {
            weights = weights.with(name, HostArray::from(array.clone()));
        }
    }
    weights
}

fn golden(
    on: &dyn Executor,
    case: &Case,
    names: [&str; 4],
    input: &str,
    output: &str,
    [axis, epsilon]: [f32; 2],
) {
    let axis = axes(case, "axis", &[axis as isize])[0];
    let epsilon = number(case, "epsilon", epsilon);
    let (center, scale) = (switch(case, "center", true), switch(case, "scale", true));
    let exact = names.map(|name| case.optional(name));
    assert_eq!((exact[0].is_some(), exact[1].is_some()), (scale, center), "{}", case.name);
    let narrowed = exact.map(|array| array.map(narrow));
    let layer = BatchNormalization::new().axis(axis).epsilon(epsilon).center(center).scale(scale);
    let input = case.array(input);
    let given = weights(narrowed.each_ref().map(Option::as_ref));
    let actual = apply(on, &narrow(input), |g, x| g.batch_normalization(x, layer, &given));
    let axis = from_start(axis, input.ndim());
    let [gamma, beta, mean, variance] = exact;
    let (mean, variance) = (mean.unwrap(), variance.unwrap());
    let oracle = batch_normalization(input, axis, gamma, beta, mean, variance, f64::from(epsilon));
    match output {
        "output" => check_keras(case, &actual, &oracle),
        _ => check(case, output, &actual, &oracle),
    }
}

pub fn golden_cases(on: &dyn Executor) {
    for case in cases("keras.BatchNormalization", 5, &["axis", "epsilon", "center", "scale"]) {
        golden(on, &case, KERAS, "input", "output", [-1.0, 1e-3]);
    }
    for case in cases("BatchNormalization", 2, &["epsilon"]) {
        golden(on, &case, ONNX, "X", "out_Y", [1.0, 1e-5]);
    }
}

/// Random weights, of which two may be missing.
fn four(random: &mut Random, channels: usize, switches: usize) -> [Option<ArrayD<f32>>; 4] {
    let gamma = (switches & 1 == 1).then(|| random.uniform(&[channels]) * 2.0);
    let beta = (switches & 2 == 2).then(|| random.uniform(&[channels]) * 3.0);
    let variance = random.uniform(&[channels]).mapv(|x| x.abs() + 0.05);
    [gamma, beta, Some(random.uniform(&[channels])), Some(variance)]
}

fn exact(
    input: &ArrayD<f32>,
    axis: usize,
    weights: &[Option<ArrayD<f32>>; 4],
    epsilon: f32,
) -> Expected {
    let [gamma, beta, mean, variance] = weights.each_ref().map(|array| array.as_ref().map(widen));
    batch_normalization(
        &widen(input),
        axis,
        gamma.as_ref(),
        beta.as_ref(),
        &mean.unwrap(),
        &variance.unwrap(),
        f64::from(epsilon),
    )
}

pub fn random_shapes_axes_and_switches(on: &dyn Executor) {
    trials(40, |random| {
        let rank = random.range(2, 7);
        let shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let axis = random.range(1, rank);
        let switches = random.range(0, 4);
        let arrays = four(random, shape[axis], switches);
        let input = random.uniform(&shape) * 4.0;
        let layer = BatchNormalization::new()
            .axis(axis as isize - rank as isize)
            .epsilon(0.02)
            .scale(switches & 1 == 1)
            .center(switches & 2 == 2);
        let given = weights(arrays.each_ref().map(Option::as_ref));
        let actual = apply(on, &input, |g, x| g.batch_normalization(x, layer, &given));
        let what = format!("{shape:?} axis {axis} switches {switches}");
        assert_close(&what, &actual, &exact(&input, axis, &arrays, 0.02));
    });
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    arrays: &[Option<ArrayD<f32>>; 4],
    most: u32,
) -> ArrayD<f32> {
    let &[outer, channels, inner] = input.shape() else { panic!("three axes") };
    let (has_scale, has_bias) = (arrays[0].is_some(), arrays[1].is_some());
    let make = |epilogue| {
        let epsilon = 0.01;
        let geometry =
            kernel::Geometry { outer, channels, inner, has_scale, has_bias, epsilon, epilogue };
        Work::BatchNormalization(geometry)
    };
    let mut operands = vec![input];
    operands.extend(arrays.iter().flatten());
    let (entries, _, actual) = both(on, make, most, &operands, input.shape());
    assert_eq!(entries, ["general", "general"]);
    actual
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    for shape in [[1, 1, 1], [7, 9, 1], [8, 8, 1], [13, 5, 1], [2, 3, 65], [3, 31, 2]] {
        for switches in 0..4 {
            let arrays = four(random, shape[1], switches);
            let input = random.uniform(&shape) * 4.0;
            let actual = raw(on, &input, &arrays, 3);
            assert_close(&format!("{shape:?}"), &actual, &exact(&input, 1, &arrays, 0.01));
        }
    }
}

pub fn nan_and_infinity_stay_where_they_are(on: &dyn Executor) {
    let random = &mut Random::new(9);
    let mut arrays = four(random, 5, 3);
    let input = random.uniform(&[3, 5, 2]);
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let input = with_one(&input, &[1, 2, 1], value);
        let actual = raw(on, &input, &arrays, 65_535);
        let mut expected = exact(&input, 1, &arrays, 0.01);
        expected.bound.mapv_inplace(|bound| if bound.is_finite() { bound } else { 0.0 });
        assert_close("one element", &actual, &expected);
    }
    // A variance below -epsilon has no root, as in NumPy.
    arrays[3].as_mut().unwrap()[[4]] = -1.0;
    let actual = raw(on, &input, &arrays, 65_535);
    assert!(actual.index_axis(ndarray::Axis(1), 4).iter().all(|value| value.is_nan()));
    assert!(actual.index_axis(ndarray::Axis(1), 3).iter().all(|value| value.is_finite()));
}
