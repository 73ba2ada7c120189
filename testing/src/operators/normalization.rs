//! Normalization over layers, groups, instances and chosen axes.

use longshore::internals::kernels::{Work, moments as moments_kernel, normalization as kernel};
use longshore::ops::Epilogue;
use longshore::ops::normalization::moments::Part;
use longshore::{
    Graph, GroupNormalization, HostArray, InstanceNormalization, LayerNormalization, LayerWeights,
    MeanVarianceNormalization, RmsNormalization,
};
use ndarray::{ArrayD, Axis, IxDyn};

use super::epilogue::both;
use super::golden_reductions::{axes, cases, check, check_keras, from_start, number, switch};
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{apply, batched, narrow, trials, widen};
use crate::oracle::Expected;
use crate::oracle::moments::{Rule, moments};
use crate::oracle::normalization::{group_normalization, layer_normalization};
use crate::random::Random;

fn rule(epsilon: f32) -> Rule {
    Rule { is_centered: true, epsilon: f64::from(epsilon), floor: 0.0 }
}

/// Weights of a layer from those of a case.
fn weights(case: &Case, names: [(&str, &str); 2]) -> LayerWeights {
    let mut weights = LayerWeights::default();
    for (ours, theirs) in names {
        if let Some(array) = case.optional(theirs) {
            weights = weights.with(ours, HostArray::from(narrow(array)));
        }
    }
    weights
}

const KERAS: [(&str, &str); 2] = [("gamma", "gamma"), ("beta", "beta")];

pub fn keras_layer_normalization(on: &dyn Executor) {
    for case in cases("keras.LayerNormalization", 5, &["axis", "epsilon", "center", "scale"]) {
        let input = case.array("input");
        let named = axes(&case, "axis", &[-1]);
        let epsilon = number(&case, "epsilon", 1e-3);
        let layer = LayerNormalization::new()
            .axis(named.iter().copied())
            .epsilon(epsilon)
            .center(switch(&case, "center", true))
            .scale(switch(&case, "scale", true));
        let given = weights(&case, KERAS);
        let actual = apply(on, &narrow(input), |g, x| g.layer_normalization(x, layer, &given));
        let found: Vec<usize> = named.iter().map(|&axis| from_start(axis, input.ndim())).collect();
        let (gamma, beta) = (case.optional("gamma"), case.optional("beta"));
        let oracle = layer_normalization(input, rule(epsilon), &found, gamma, beta);
        check_keras(&case, &actual, &oracle);
    }
}

pub fn keras_group_normalization(on: &dyn Executor) {
    for case in
        cases("keras.GroupNormalization", 5, &["axis", "groups", "epsilon", "center", "scale"])
    {
        let input = case.array("input");
        let axis = axes(&case, "axis", &[-1])[0];
        let groups = case.integers("groups")[0] as isize;
        let epsilon = number(&case, "epsilon", 1e-3);
        let layer = GroupNormalization::new(groups)
            .axis(axis)
            .epsilon(epsilon)
            .center(switch(&case, "center", true))
            .scale(switch(&case, "scale", true));
        let given = weights(&case, KERAS);
        let actual = apply(on, &narrow(input), |g, x| g.group_normalization(x, layer, &given));
        let axis = from_start(axis, input.ndim());
        let groups = if groups < 0 { input.shape()[axis] } else { groups as usize };
        let (gamma, beta) = (case.optional("gamma"), case.optional("beta"));
        let oracle = group_normalization(input, rule(epsilon), axis, groups, gamma, beta);
        check_keras(&case, &actual, &oracle);
    }
}

pub fn keras_rms_normalization(on: &dyn Executor) {
    for case in cases("keras.RMSNormalization", 1, &[]) {
        let input = case.array("input");
        let given = weights(&case, [("scale", "scale"), ("", "")]);
        let actual = apply(on, &narrow(input), |g, x| {
            g.rms_normalization(x, RmsNormalization::new(), &given)
        });
        let rule = Rule { is_centered: false, ..rule(1e-6) };
        let oracle = layer_normalization(input, rule, &[2], case.optional("scale"), None);
        check_keras(&case, &actual, &oracle);
    }
}

/// The axes from ONNX's `axis` to the last.
fn trailing(case: &Case, rank: usize) -> Vec<usize> {
    (from_start(axes(case, "axis", &[-1])[0], rank)..rank).collect()
}

/// Inputs with fixed dimensions, as a normalized axis may be the first.
fn fixed(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    layer: impl FnOnce(&mut Graph, longshore::Symbol) -> longshore::Result<longshore::Symbol>,
) -> ArrayD<f32> {
    let mut g = Graph::new();
    let x = g.input("x", input.shape().to_vec());
    let y = layer(&mut g, x).unwrap();
    g.output("y", y);
    on.run(&g, 1, &[("x", input)]).remove("y").unwrap()
}

pub fn onnx_layer_normalization_with_its_moments(on: &dyn Executor) {
    for case in cases("LayerNormalization", 19, &["axis", "epsilon"]) {
        let input = case.array("X");
        let found = trailing(&case, input.ndim());
        let epsilon = number(&case, "epsilon", 1e-5);
        let layer = LayerNormalization::new()
            .axis(found.iter().map(|&axis| axis as isize))
            .epsilon(epsilon);
        let given = weights(&case, [("gamma", "Scale"), ("beta", "B")]);
        let mut g = Graph::new();
        let x = g.input("x", input.shape().to_vec());
        let made = g.layer_normalization_with_moments(x, layer, &given).unwrap();
        g.output("Y", made.output);
        g.output("Mean", made.mean);
        g.output("InvStdDev", made.inv_std_dev);
        let results = on.run(&g, 1, &[("x", &narrow(input))]);
        let (scale, bias) = (case.optional("Scale"), case.optional("B"));
        let oracle = layer_normalization(input, rule(epsilon), &found, scale, bias);
        check(&case, "out_Y", &results["Y"], &oracle);
        for (part, number) in [("Mean", 0), ("InvStdDev", 1)] {
            let key = format!("out_{part}");
            let mut oracle = Expected::exact(case.array(&key).clone());
            let rows: usize = oracle.value.len();
            let length = input.len() / rows;
            let flat: Vec<f64> = input.iter().copied().collect();
            for (row, (value, bound)) in
                flat.chunks(length).zip(oracle.value.iter_mut().zip(oracle.bound.iter_mut()))
            {
                let near = moments(row, rule(epsilon))[number];
                (*value, *bound) = (near.value, near.bound);
            }
            check(&case, &key, &results[part], &oracle);
        }
    }
}

pub fn onnx_rms_group_instance_and_mean_variance_normalization(on: &dyn Executor) {
    for case in cases("RMSNormalization", 19, &["axis", "epsilon"]) {
        let input = case.array("X");
        let found = trailing(&case, input.ndim());
        let epsilon = number(&case, "epsilon", 1e-5);
        let layer =
            RmsNormalization::new().axis(found.iter().map(|&axis| axis as isize)).epsilon(epsilon);
        let given = weights(&case, [("scale", "scale"), ("", "")]);
        let actual = fixed(on, &narrow(input), |g, x| g.rms_normalization(x, layer, &given));
        let rule = Rule { is_centered: false, ..rule(epsilon) };
        let oracle = layer_normalization(input, rule, &found, case.optional("scale"), None);
        check(&case, "out_Y", &actual, &oracle);
    }
    for case in cases("GroupNormalization", 2, &["num_groups", "epsilon"]) {
        let input = case.array("X");
        let groups = case.whole("num_groups");
        let epsilon = number(&case, "epsilon", 1e-5);
        let layer = GroupNormalization::new(groups as isize).axis(1).epsilon(epsilon);
        let given = weights(&case, [("gamma", "scale"), ("beta", "bias")]);
        let actual = apply(on, &narrow(input), |g, x| g.group_normalization(x, layer, &given));
        let (scale, bias) = (case.optional("scale"), case.optional("bias"));
        let oracle = group_normalization(input, rule(epsilon), 1, groups, scale, bias);
        check(&case, "out_Y", &actual, &oracle);
    }
    for case in cases("InstanceNormalization", 2, &["epsilon"]) {
        let input = case.array("input");
        let epsilon = number(&case, "epsilon", 1e-5);
        let layer = InstanceNormalization::new().axis(1).epsilon(epsilon);
        let given = weights(&case, [("gamma", "scale"), ("beta", "B")]);
        let actual = apply(on, &narrow(input), |g, x| g.instance_normalization(x, layer, &given));
        let (scale, bias) = (case.optional("scale"), case.optional("B"));
        let channels = input.shape()[1];
        let oracle = group_normalization(input, rule(epsilon), 1, channels, scale, bias);
        check(&case, "out_output", &actual, &oracle);
    }
    for case in cases("MeanVarianceNormalization", 1, &[]) {
        let input = case.array("X");
        let layer = MeanVarianceNormalization::new();
        let actual = apply(on, &narrow(input), |g, x| g.mean_variance_normalization(x, layer));
        let rule = Rule { floor: 1e-9, ..rule(0.0) };
        let oracle = layer_normalization(input, rule, &[0, 2, 3], None, None);
        check(&case, "out_Y", &actual, &oracle);
    }
}

/// A weight and its oracle's array, or neither.
fn perhaps(random: &mut Random, is_there: bool, shape: &[usize]) -> Option<ArrayD<f32>> {
    is_there.then(|| random.uniform(shape) * 2.0)
}

fn given(gamma: Option<&ArrayD<f32>>, beta: Option<&ArrayD<f32>>) -> LayerWeights {
    let mut weights = LayerWeights::default();
    for (name, array) in [("gamma", gamma), ("beta", beta)] {
        if let Some(array) = array {
            weights = weights.with(name, HostArray::from(array.clone()));
        }
    }
    weights
}

pub fn random_layers(on: &dyn Executor) {
    trials(40, |random| {
        let rank = random.range(2, 7);
        let shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let mut named: Vec<usize> = (1..rank).filter(|_| random.range(0, 2) == 0).collect();
        if named.is_empty() {
            named.push(rank - 1);
        }
        let skipped = random.range(0, named.len());
        let lengths: Vec<usize> = named
            .iter()
            .map(|&axis| if random.range(0, 4) == 0 { 1 } else { shape[axis] })
            .skip(skipped)
            .collect();
        let (scale, center) = (random.range(0, 2) == 0, random.range(0, 2) == 0);
        let gamma = perhaps(random, scale, &lengths);
        let beta = perhaps(random, center, &[shape[named[named.len() - 1]]]);
        let input = random.uniform(&shape) * 3.0;
        let layer = LayerNormalization::new()
            .axis(named.iter().map(|&axis| axis as isize - rank as isize))
            .epsilon(0.25)
            .scale(scale)
            .center(center);
        let weights = given(gamma.as_ref(), beta.as_ref());
        let actual = apply(on, &input, |g, x| g.layer_normalization(x, layer, &weights));
        let (gamma, beta) = (gamma.as_ref().map(widen), beta.as_ref().map(widen));
        let expected =
            layer_normalization(&widen(&input), rule(0.25), &named, gamma.as_ref(), beta.as_ref());
        assert_close(&format!("{shape:?} over {named:?}"), &actual, &expected);
    });
}

pub fn random_groups(on: &dyn Executor) {
    trials(40, |random| {
        let rank = random.range(2, 6);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let axis = random.range(1, rank);
        let (groups, each) = (random.range(1, 4), random.range(1, 4));
        shape[axis] = groups * each;
        let (scale, center) = (random.range(0, 2) == 0, random.range(0, 2) == 0);
        // For each channel, or for each group.
        let lengths = [(); 2].map(|()| *random.pick(&[groups, shape[axis]]));
        let gamma = perhaps(random, scale, &lengths[..1]);
        let beta = perhaps(random, center, &lengths[1..]);
        let input = random.uniform(&shape) * 3.0;
        let layer = GroupNormalization::new(groups as isize)
            .axis(axis as isize)
            .epsilon(0.25)
            .scale(scale)
            .center(center);
        let weights = given(gamma.as_ref(), beta.as_ref());
        let actual = apply(on, &input, |g, x| g.group_normalization(x, layer, &weights));
        let (gamma, beta) = (gamma.as_ref().map(widen), beta.as_ref().map(widen));
        let (gamma, beta) = (gamma.as_ref(), beta.as_ref());
        let expected = group_normalization(&widen(&input), rule(0.25), axis, groups, gamma, beta);
        assert_close(&format!("{shape:?}, {groups} groups on {axis}"), &actual, &expected);
    });
}

pub fn the_kernel_stays_within_its_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    for (shape, rows) in [([1, 1, 1], 1), ([7, 9, 1], 7), ([13, 5, 1], 13), ([2, 3, 65], 2)] {
        for switches in 0..4 {
            let input = random.uniform(&shape) * 2.0;
            let moments = random.uniform(&[rows, 2]);
            let scale = perhaps(random, switches & 1 == 1, &[1, shape[1], 1]);
            let bias = perhaps(random, switches & 2 == 2, &[1, 1, shape[2]]);
            let shape_of = |array: &Option<ArrayD<f32>>| array.as_ref().map(|a| a.shape().to_vec());
            let make = |epilogue| {
                Work::Normalization(kernel::Geometry {
                    input: shape.to_vec(),
                    reduced: vec![false, true, true],
                    scale: shape_of(&scale),
                    bias: shape_of(&bias),
                    epilogue,
                })
            };
            let mut operands = vec![&input, &moments];
            operands.extend(scale.iter().chain(&bias));
            let (entries, _, actual) = both(on, make, 3, &operands, &shape);
            assert_eq!(entries, ["general", "general"]);
            for (index, &found) in actual.indexed_iter() {
                let number = |array: &Option<ArrayD<f32>>, place: [usize; 3], none: f64| {
                    array.as_ref().map_or(none, |array| f64::from(array[IxDyn(&place)]))
                };
                let mean = f64::from(moments[[index[0], 0]]);
                let inverse = f64::from(moments[[index[0], 1]]);
                let gamma = number(&scale, [0, index[1], 0], 1.0);
                let beta = number(&bias, [0, 0, index[2]], 0.0);
                let product = (f64::from(input[&index]) - mean) * inverse * gamma;
                let bound = 1e-6 * (product.abs() + beta.abs()) + 1e-30;
                let difference = (f64::from(found) - product - beta).abs();
                assert!(difference <= bound, "{shape:?} {switches} {index:?}");
            }
        }
    }
}

pub fn nan_and_infinity_stay_in_their_row(on: &dyn Executor) {
    let clean = Random::new(4).uniform(&[3, 7]);
    let normalize = |input: &ArrayD<f32>| {
        let (shape, reduced) = (input.shape().to_vec(), vec![false, true]);
        let moments = Work::Moments(moments_kernel::Geometry {
            input: shape.clone(),
            reduced: reduced.clone(),
            is_centered: true,
            epsilon: 1e-3,
            floor: 0.0,
            part: Part::Both,
        });
        let found = on.dispatch(&moments, 65_535, &[input], &[3, 2]);
        let geometry = |epilogue| {
            let input = shape.clone();
            let reduced = reduced.clone();
            kernel::Geometry { input, reduced, scale: None, bias: None, epilogue }
        };
        let work = Work::Normalization(geometry(Epilogue::default()));
        on.dispatch(&work, 65_535, &[input, &found], &shape)
    };
    let before = normalize(&clean);
    for value in [f32::NAN, f32::INFINITY] {
        let actual = normalize(&crate::golden::with_one(&clean, &[1, 3], value));
        assert!(actual.index_axis(Axis(0), 1).iter().all(|value| value.is_nan()), "{actual}");
        for row in [0, 2] {
            assert_eq!(actual.index_axis(Axis(0), row), before.index_axis(Axis(0), row));
        }
    }
}

pub fn moments_over_the_batch_serve_every_item(on: &dyn Executor) {
    let input = Random::new(2).uniform(&[5, 3, 2, 4]);
    let mut g = Graph::new();
    let x = g.input("x", batched(input.shape()));
    let y = g.mean_variance_normalization(x, MeanVarianceNormalization::new().axes([0, 1, -1]));
    g.output("y", y.unwrap());
    let actual = on.run(&g, 5, &[("x", &input)]).remove("y").unwrap();
    let rule = Rule { floor: 1e-9, ..rule(0.0) };
    let expected = layer_normalization(&widen(&input), rule, &[0, 1, 3], None, None);
    assert_close("over the batch", &actual, &expected);
}

pub fn an_empty_value_stays_empty(on: &dyn Executor) {
    let empty = ArrayD::<f32>::zeros(IxDyn(&[2, 0, 3]));
    let layer = LayerNormalization::new().scale(false).center(false);
    let actual =
        apply(on, &empty, |g, x| g.layer_normalization(x, layer.clone(), &LayerWeights::default()));
    assert_eq!(actual.shape(), [2, 0, 3]);
    let layer = layer.axis([1]);
    let actual =
        apply(on, &empty, |g, x| g.layer_normalization(x, layer, &LayerWeights::default()));
    assert_eq!(actual.shape(), [2, 0, 3]);
}
