//! Dense layers, flatten and reshape on the device.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, dense as kernel};
use longshore::{Dense, Graph};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    ELEMENTWISE, SOFTMAX, Twin, apply, assert_same_bits, cases, check, narrow, trials, weights,
    widen, with_one,
};
use crate::oracle::dense::dense;
use crate::oracle::{Expected, reshape};
use crate::random::Random;

fn oracle(
    input: &ArrayD<f32>,
    weight: &ArrayD<f32>,
    bias: Option<&ArrayD<f32>>,
    twin: Twin,
) -> Expected {
    twin.apply(dense(&widen(input), &widen(weight), bias.map(widen).as_ref()))
}

pub fn golden_cases(on: &dyn Executor) {
    let known = ["units", "use_bias", "activation", "approximate"];
    for case in cases("dense", 8, &known) {
        let twin = Twin::of(&case);
        let (input, weight) = (narrow(case.array("input")), narrow(case.array("kernel")));
        let bias = case.optional("bias").map(narrow);
        let layer = Dense::new(case.whole("units")).activation(twin.ours);
        let actual = apply(on, &input, |g, x| g.dense(x, layer, &weights(&weight, bias.as_ref())));
        let oracle = oracle(&input, &weight, bias.as_ref(), twin);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn golden_cases_of_flatten_and_reshape(on: &dyn Executor) {
    for case in cases("flatten", 3, &[]) {
        let actual = apply(on, &narrow(case.array("input")), Graph::flatten);
        check(&case, &actual, &reshape::flatten(case.array("input")));
    }
    for case in cases("reshape", 4, &["target_shape"]) {
        let target = case.integers("target_shape");
        let lengths = target.iter().map(|&length| isize::try_from(length).unwrap());
        let actual = apply(on, &narrow(case.array("input")), |g, x| g.reshape(x, lengths));
        check(&case, &actual, &reshape::reshape(case.array("input"), &target));
    }
}

pub fn reshapes_between_layers_keep_the_order(on: &dyn Executor) {
    let random = &mut Random::new(21);
    let (input, weight) = (random.uniform(&[3, 4, 5]), random.uniform(&[10, 7]));
    let actual = apply(on, &input, |g, x| {
        let x = g.reshape(x, [2, 10])?;
        let x = g.dense(x, Dense::new(7), &weights(&weight, None))?;
        g.flatten(x)
    });
    let shaped = input.into_shape_with_order(IxDyn(&[3, 2, 10])).unwrap();
    let expected = oracle(&shaped, &weight, None, ELEMENTWISE[0]);
    let flat = |array: ArrayD<f64>| array.into_shape_with_order(IxDyn(&[3, 14])).unwrap();
    let expected = Expected { value: flat(expected.value), bound: flat(expected.bound) };
    assert_close("reshape, dense, flatten", &actual, &expected);
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(100, |random| {
        let rank = random.range(1, 7);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let inputs = *random.pick(&[1, 2, 3, 4, 7, 8, 12, 31, 64, 65]);
        let units = *random.pick(&[1, 3, 4, 5, 8, 12, 63, 64, 65]);
        *shape.last_mut().unwrap() = inputs;
        // A dense layer needs a fixed last axis: a lone axis would be the batch.
        let shape = if rank == 1 { vec![1, inputs] } else { shape };
        let twin = match random.range(0, 18) {
            17 => SOFTMAX,
            number => ELEMENTWISE[number],
        };
        let input = random.uniform(&shape);
        let weight = random.uniform(&[inputs, units]);
        let bias = (random.range(0, 2) == 0).then(|| random.uniform(&[units]));
        let layer = Dense::new(units).activation(twin.ours);
        let actual = apply(on, &input, |g, x| g.dense(x, layer, &weights(&weight, bias.as_ref())));
        let what = format!("{shape:?} to {units}, bias {}, {twin:?}", bias.is_some());
        assert_close(&what, &actual, &oracle(&input, &weight, bias.as_ref(), twin));
    });
}

/// The host takes the sums of a few rows in parts of the inputs.
pub fn long_sums_of_few_rows(on: &dyn Executor) {
    let random = &mut Random::new(22);
    for (rows, inputs, units) in [(1, 8192, 64), (1, 9001, 63), (3, 8205, 65), (2, 4100, 200)] {
        let (input, weight) = (random.uniform(&[rows, inputs]), random.uniform(&[inputs, units]));
        let bias = random.uniform(&[units]);
        let layer = Dense::new(units).activation(ELEMENTWISE[1].ours);
        let actual = apply(on, &input, |g, x| g.dense(x, layer, &weights(&weight, Some(&bias))));
        let what = format!("({rows}, {inputs}) to {units}");
        assert_close(&what, &actual, &oracle(&input, &weight, Some(&bias), ELEMENTWISE[1]));
    }
}

pub fn a_lone_axis_is_a_row(on: &dyn Executor) {
    let random = &mut Random::new(20);
    let (input, weight) = (random.uniform(&[7]), random.uniform(&[7, 5]));
    let mut g = Graph::new();
    let x = g.input("x", [7]);
    let layer = Dense::new(5).activation(SOFTMAX.ours);
    let y = g.dense(x, layer, &weights(&weight, None)).unwrap();
    g.output("y", y);
    let actual = on.run(&g, 1, &[("x", &input)]).remove("y").unwrap();
    assert_close("one row", &actual, &oracle(&input, &weight, None, SOFTMAX));
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    weight: &ArrayD<f32>,
    bias: Option<&ArrayD<f32>>,
    twin: Twin,
) -> (&'static str, u32, ArrayD<f32>) {
    let (rows, units) = (input.shape()[0], weight.shape()[1]);
    let geometry = kernel::Geometry {
        rows,
        inputs: weight.shape()[0],
        units,
        has_bias: bias.is_some(),
        part: None,
        epilogue: twin.epilogue(),
    };
    let work = Work::Dense(geometry);
    let launch = work.launch("test", 3).unwrap();
    let operands: Vec<&ArrayD<f32>> = [input, weight].into_iter().chain(bias).collect();
    let actual = on.dispatch(&work, 3, &operands, &[rows, units]);
    (launch.kernel.entry, launch.workgroups[1], actual)
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(9);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for (rows, inputs, units) in [
        (1, 1, 1),
        (1, 4, 4),
        (3, 3, 4),
        (5, 4, 8),
        (63, 2, 1),
        (64, 1, 1),
        (13, 5, 5),
        (2, 17, 97),
        (5, 8, 97),
        (101, 3, 4),
        (101, 8, 32),
        (67, 5, 52),
        (9, 0, 4),
        (9, 0, 3),
    ] {
        for with_bias in [false, true] {
            let twin = *random.pick(&ELEMENTWISE);
            let (input, weight) =
                (random.uniform(&[rows, inputs]), random.uniform(&[inputs, units]));
            let bias = with_bias.then(|| random.uniform(&[units]));
            let (entry, y, actual) = raw(on, &input, &weight, bias.as_ref(), twin);
            entries.insert(entry);
            folded.extend((y > 1).then_some(entry));
            let what = format!("{entry} ({rows}, {inputs}, {units}) bias {with_bias} {twin:?}");
            assert_close(&what, &actual, &oracle(&input, &weight, bias.as_ref(), twin));
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn an_input_without_features_gives_the_bias(on: &dyn Executor) {
    let (input, bias) = (ArrayD::zeros(IxDyn(&[3, 0])), Random::new(4).uniform(&[4]));
    let weights = weights(&ArrayD::zeros(IxDyn(&[0, 4])), Some(&bias));
    let actual = apply(on, &input, |g, x| g.dense(x, Dense::new(4), &weights));
    for row in actual.rows() {
        assert_eq!(row.to_vec(), bias.iter().copied().collect::<Vec<f32>>());
    }
}

pub fn nan_and_infinity_stay_in_their_row(on: &dyn Executor) {
    let random = &mut Random::new(10);
    for (inputs, units) in [(5, 3), (5, 4), (8, 4)] {
        let (input, weight) = (random.uniform(&[6, inputs]), random.uniform(&[inputs, units]));
        let (_, _, clean) = raw(on, &input, &weight, None, ELEMENTWISE[0]);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let dirty = with_one(&input, &[4, 2], value);
            let (entry, _, actual) = raw(on, &dirty, &weight, None, ELEMENTWISE[0]);
            let row = actual.index_axis(ndarray::Axis(0), 4);
            let expected = oracle(&dirty, &weight, None, ELEMENTWISE[0]).value;
            for (found, expected) in row.iter().zip(expected.index_axis(ndarray::Axis(0), 4)) {
                let same = f64::from(*found) == *expected || expected.is_nan() && found.is_nan();
                assert!(same, "{entry}: {value} gives {found}, not {expected}");
            }
            let mut others = actual.clone();
            others
                .index_axis_mut(ndarray::Axis(0), 4)
                .assign(&clean.index_axis(ndarray::Axis(0), 4));
            assert_same_bits(&format!("{entry}: {value} elsewhere"), &others, &clean);
        }
    }
}
