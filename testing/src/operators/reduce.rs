//! Reductions and positions of extremes.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, reduce as kernel};
use longshore::ops::reduction::reduce::Operation;
use longshore::{ArgReduce, Dim, Graph, Reduce, ReduceOp, Result, Symbol};
use ndarray::{ArrayD, IxDyn};

use super::golden_reductions::{axes, cases, check, from_start, switch};
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{apply, assert_same_bits, line, narrow, trials, widen, with_one};
use crate::oracle::Expected;
use crate::oracle::reduce::{Reduction, position, reduce};
use crate::random::Random;

/// Every reduction on both sides, ONNX's name and the number of its golden cases.
const ALL: [(ReduceOp, Reduction, &str, usize); 10] = [
    (ReduceOp::Mean, Reduction::Mean, "ReduceMean", 8),
    (ReduceOp::Sum, Reduction::Sum, "ReduceSum", 12),
    (ReduceOp::Max, Reduction::Max, "ReduceMax", 9),
    (ReduceOp::Min, Reduction::Min, "ReduceMin", 9),
    (ReduceOp::Prod, Reduction::Prod, "ReduceProd", 9),
    (ReduceOp::L1, Reduction::L1, "ReduceL1", 9),
    (ReduceOp::L2, Reduction::L2, "ReduceL2", 9),
    (ReduceOp::SumSquare, Reduction::SumSquare, "ReduceSumSquare", 9),
    (ReduceOp::LogSum, Reduction::LogSum, "ReduceLogSum", 5),
    (ReduceOp::LogSumExp, Reduction::LogSumExp, "ReduceLogSumExp", 9),
];

/// Values that suit a reduction: positive for a logarithm, round 1 for a product.
fn values(random: &mut Random, op: Reduction, shape: &[usize]) -> ArrayD<f32> {
    let uniform = random.uniform(shape);
    match op {
        Reduction::LogSum => uniform.mapv(|x| x.abs() + 0.01),
        Reduction::Prod => uniform.mapv(|x| x.signum() * (1.0 + 0.1 * x)),
        Reduction::LogSumExp => uniform * 20.0,
        _ => uniform * 3.0,
    }
}

/// Runs a network of one operation with fixed dimensions only.
fn fixed(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> ArrayD<f32> {
    let mut g = Graph::new();
    let dims: Vec<Dim> = input.shape().iter().copied().map(Dim::Fixed).collect();
    let x = g.input("x", dims);
    let y = layer(&mut g, x).unwrap();
    g.output("y", y);
    on.run(&g, 1, &[("x", input)]).remove("y").unwrap()
}

pub fn golden_reductions(on: &dyn Executor) {
    for (ours, exact, layer, count) in ALL {
        for case in cases(layer, count, &["axes", "keepdims", "noop_with_empty_axes"]) {
            let input = case.array("data");
            let named = axes(&case, "axes", &[]);
            let keepdims = switch(&case, "keepdims", true);
            let noop = switch(&case, "noop_with_empty_axes", false);
            let rank = input.ndim();
            let all: Vec<usize> = if named.is_empty() && !noop {
                (0..rank).collect()
            } else {
                named.iter().map(|&axis| from_start(axis, rank)).collect()
            };
            let layer = Reduce::new(ours)
                .axes(named.iter().copied())
                .keepdims(keepdims)
                .noop_with_empty_axes(noop);
            let actual = fixed(on, &narrow(input), |g, x| g.reduce(x, layer));
            check(&case, "out_reduced", &actual, &reduce(input, exact, &all, keepdims));
        }
    }
}

pub fn golden_positions(on: &dyn Executor) {
    for (layer, largest) in [("ArgMax", true), ("ArgMin", false)] {
        for case in cases(layer, 16, &["axis", "keepdims", "select_last_index"]) {
            let input = case.array("data");
            let axis = axes(&case, "axis", &[0])[0];
            let keepdims = switch(&case, "keepdims", true);
            let last = switch(&case, "select_last_index", false);
            let layer = ArgReduce::new(axis).keepdims(keepdims).select_last_index(last);
            let actual = fixed(on, &narrow(input), |g, x| {
                if largest { g.arg_max(x, layer) } else { g.arg_min(x, layer) }
            });
            let axis = from_start(axis, input.ndim());
            check(&case, "out_reduced", &actual, &position(input, axis, largest, last, keepdims));
        }
    }
}

pub fn random_shapes_and_axes(on: &dyn Executor) {
    trials(40, |random| {
        let rank = random.range(1, 7);
        let shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5, 7])).collect();
        let named: Vec<usize> = (0..rank).filter(|_| random.range(0, 2) == 0).collect();
        let keepdims = random.range(0, 2) == 0;
        let signed: Vec<isize> = named
            .iter()
            .map(|&axis| axis as isize - if random.range(0, 2) == 0 { rank as isize } else { 0 })
            .collect();
        for (ours, exact, ..) in ALL {
            let input = values(random, exact, &shape);
            let layer = Reduce::new(ours)
                .axes(signed.iter().copied())
                .keepdims(keepdims)
                .noop_with_empty_axes(true);
            // The first dimension is the batch, so some of these reduce over it.
            let actual = apply(on, &input, |g, x| g.reduce(x, layer));
            let what = format!("{ours:?} of {shape:?} over {signed:?}");
            assert_close(&what, &actual, &reduce(&widen(&input), exact, &named, keepdims));
        }
        let axis = random.range(0, rank);
        let (largest, last) = (random.range(0, 2) == 0, random.range(0, 2) == 0);
        // Few different values, so that many are equal.
        let input = random.uniform(&shape).mapv(|x| (2.0 * x).round());
        let layer = ArgReduce::new(axis as isize).keepdims(keepdims).select_last_index(last);
        let actual =
            apply(
                on,
                &input,
                |g, x| if largest { g.arg_max(x, layer) } else { g.arg_min(x, layer) },
            );
        let expected = position(&widen(&input), axis, largest, last, keepdims);
        assert_close(&format!("position in {shape:?} on {axis}"), &actual, &expected);
    });
}

/// Dispatches one piece of work; the axes of the result are those of the input, reduced ones 1 long.
fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    axes: &[usize],
    operation: Operation,
    most: u32,
) -> (ArrayD<f32>, &'static str, bool) {
    let reduced: Vec<bool> = (0..input.ndim()).map(|axis| axes.contains(&axis)).collect();
    let shape: Vec<usize> =
        input.shape().iter().zip(&reduced).map(|(&n, &gone)| if gone { 1 } else { n }).collect();
    let geometry = kernel::Geometry { input: input.shape().to_vec(), reduced, operation };
    let work = Work::Reduce(geometry);
    let launch = work.launch("test", most).unwrap();
    let actual = on.dispatch(&work, most, &[input], &shape);
    (actual, launch.kernel.entry, launch.workgroups[1] > 1)
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(3);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let shapes: [(&[usize], &[usize]); 15] = [
        (&[1], &[0]),
        (&[63, 3], &[1]),
        (&[64, 2], &[1]),
        (&[65, 5], &[1]),
        (&[5, 257], &[0]),
        (&[70, 130], &[0]),
        (&[3, 5, 7, 2], &[0, 2]),
        (&[2, 255], &[1]),
        (&[7, 256], &[1]),
        (&[3, 4097], &[1]),
        (&[9, 10_000], &[1]),
        (&[20, 2, 30, 3], &[0, 2]),
        (&[300, 5], &[0]),
        (&[2, 4161, 3], &[1]),
        (&[3, 2, 65, 2, 3, 2], &[1, 3, 5]),
    ];
    for (shape, axes) in shapes {
        for (ours, exact, ..) in ALL {
            let input = values(random, exact, shape);
            let (actual, entry, is_folded) = raw(on, &input, axes, Operation::Value(ours), 4);
            entries.insert(entry);
            folded.extend(is_folded.then_some(entry));
            let what = format!("{ours:?} of {shape:?} over {axes:?}");
            assert_close(&what, &actual, &reduce(&widen(&input), exact, axes, true));
        }
        let &[axis] = axes else { continue };
        for (largest, last) in [(true, false), (false, true)] {
            let input = random.uniform(shape).mapv(|x| (9.0 * x).round());
            let operation = Operation::Position { largest, last };
            let (actual, entry, is_folded) = raw(on, &input, axes, operation, 4);
            entries.insert(entry);
            folded.extend(is_folded.then_some(entry));
            let expected = position(&widen(&input), axis, largest, last, true);
            assert_close(&format!("position in {shape:?}"), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn long_sums_keep_their_accuracy(on: &dyn Executor) {
    let random = &mut Random::new(8);
    // A running sum of a million terms near 0.1 is wrong by about 1e-3, blocks are within 1e-4.
    let shapes: [(&[usize], &[usize], &str); 2] =
        [(&[1 << 20], &[0], "shared_row"), (&[1024, 2, 512], &[0, 2], "shared_row")];
    for (shape, axes, expected) in shapes {
        let input = random.uniform(shape).mapv(|x| 0.1 + 1e-3 * x);
        for (ours, exact) in [(ReduceOp::Sum, Reduction::Sum), (ReduceOp::Mean, Reduction::Mean)] {
            let (actual, entry, _) = raw(on, &input, axes, Operation::Value(ours), 65_535);
            assert_eq!(entry, expected);
            let mut oracle = reduce(&widen(&input), exact, axes, true);
            assert_close(&format!("{ours:?} of {shape:?}"), &actual, &oracle);
            oracle.bound = oracle.value.mapv(|value| 1e-4 * value);
            assert_close(&format!("{ours:?} of {shape:?}"), &actual, &oracle);
        }
    }
}

/// The shapes that make a row of `count` elements go through each entry point for values.
fn rows_of(values: &[f32], is_long: bool) -> ArrayD<f32> {
    let mut row = values.to_vec();
    let last = *values.last().unwrap();
    row.resize(if is_long { 300 } else { values.len() }, last);
    let length = row.len();
    ArrayD::from_shape_vec(IxDyn(&[1, length]), row).unwrap()
}

pub fn nan_and_infinity_give_what_numpy_gives(on: &dyn Executor) {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows: [&[f32]; 9] = [
        &[1.0, nan, 2.0],
        &[nan, 1.0, 0.5],
        &[inf, 1.0, 2.0],
        &[-inf, 1.0, 2.0],
        &[-inf, inf, 2.0],
        &[-inf, -inf, -inf],
        &[nan, inf, -inf],
        &[-1.0, -2.0, 0.5],
        &[0.0, -0.0, 0.0],
    ];
    for row in rows {
        for is_long in [false, true] {
            let input = rows_of(row, is_long);
            for (ours, exact, ..) in ALL {
                let (actual, entry, _) = raw(on, &input, &[1], Operation::Value(ours), 65_535);
                assert_eq!(entry, if is_long { "shared_row" } else { "general" });
                // A product of 300 factors ends below or above what f32 holds.
                let expected = reduce(&widen(&input), exact, &[1], true);
                assert_close(&format!("{ours:?} of {row:?}"), &actual, &expected);
            }
        }
    }
}

pub fn extremes_propagate_nan_from_anywhere(on: &dyn Executor) {
    let clean = Random::new(4).uniform(&[2, 500]);
    for at in [0, 1, 63, 64, 320, 499] {
        for (ours, exact, ..) in ALL {
            let input = with_one(&clean, &[1, at], f32::NAN).mapv(|x| x.abs() + 0.9);
            let (actual, ..) = raw(on, &input, &[1], Operation::Value(ours), 65_535);
            assert!(actual[[1, 0]].is_nan(), "{ours:?} at {at}: {actual}");
            assert_close(&format!("{ours:?}"), &actual, &reduce(&widen(&input), exact, &[1], true));
        }
    }
}

pub fn log_sum_exp_of_large_values_does_not_overflow(on: &dyn Executor) {
    let rows: [&[f32]; 7] = [
        &[100.0, 100.0, 99.0],
        &[-100.0, -100.0, -101.0],
        &[1e30, 1e30, -1e30],
        &[-1e30, -1e30],
        &[3e38, -3e38],
        &[-3.402_823_5e38, -3.402_823_5e38],
        &[88.0, -500.0],
    ];
    for row in rows {
        for is_long in [false, true] {
            let input = rows_of(row, is_long);
            let (actual, ..) = raw(on, &input, &[1], Operation::Value(ReduceOp::LogSumExp), 65_535);
            assert!(actual[[0, 0]].is_finite(), "{row:?}: {actual}");
            let expected = reduce(&widen(&input), Reduction::LogSumExp, &[1], true);
            assert_close(&format!("{row:?}"), &actual, &expected);
        }
    }
}

pub fn logarithms_of_every_magnitude_are_precise(on: &dyn Executor) {
    let mut inputs: Vec<f32> = (-126..128).map(|power| 1.37 * f32::powi(2.0, power)).collect();
    inputs.extend((0..200).map(|step| 0.6 + 0.005 * step as f32));
    inputs.extend([1.0, 1.000_000_1, 0.999_999_94, f32::MAX, f32::MIN_POSITIVE, 0.707_106_77]);
    let input = line(&inputs);
    let layer = Reduce::new(ReduceOp::LogSum).noop_with_empty_axes(true);
    let actual = apply(on, &input, |g, x| g.reduce(x, layer));
    let value = widen(&input).mapv(f64::ln);
    let bound = value.mapv(|value| 6.0 * f64::from(f32::EPSILON) * value.abs());
    assert_close("log", &actual, &Expected { value, bound });
}

pub fn positions_of_nan_come_first(on: &dyn Executor) {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let rows: [&[f32]; 7] = [
        &[1.0, nan, 2.0, nan],
        &[nan, nan, inf],
        &[inf, -inf, inf, -inf],
        &[-inf, -inf],
        &[0.0, -0.0, 0.0],
        &[nan],
        &[2.0, 1.0, 1.0, 2.0],
    ];
    for row in rows {
        let input = line(row).into_shape_with_order(IxDyn(&[1, row.len()])).unwrap();
        for (largest, last) in [(true, true), (true, false), (false, true), (false, false)] {
            let (actual, ..) = raw(on, &input, &[1], Operation::Position { largest, last }, 65_535);
            let expected = position(&widen(&input), 1, largest, last, true);
            assert_close(&format!("{row:?} {largest} {last}"), &actual, &expected);
        }
    }
}

pub fn nothing_gives_the_identity_and_nothing_left_gives_nothing(on: &dyn Executor) {
    let empty = ArrayD::<f32>::zeros(IxDyn(&[2, 0, 3]));
    for (ours, exact, ..) in ALL {
        let layer = || Reduce::new(ours).axes([1]).keepdims(false);
        let actual = fixed(on, &empty, |g, x| g.reduce(x, layer()));
        assert_close(&format!("{ours:?}"), &actual, &reduce(&widen(&empty), exact, &[1], false));
        assert_eq!(actual.shape(), [2, 3]);
        let nothing = apply(on, &empty, |g, x| g.reduce(x, layer().axes([-1])));
        assert_eq!(nothing.shape(), [2, 0]);
    }
    let none = apply(on, &empty, |g, x| g.arg_max(x, ArgReduce::new(0)));
    assert_eq!(none.shape(), [1, 0, 3]);
}

pub fn a_scalar_is_a_row_of_its_own(on: &dyn Executor) {
    let input = ArrayD::from_elem(IxDyn(&[]), -3.0f32);
    let actual = fixed(on, &input, |g, x| g.reduce(x, Reduce::new(ReduceOp::L1)));
    assert_same_bits("scalar", &actual, &ArrayD::from_elem(IxDyn(&[]), 3.0f32));
}
