//! Softmax on the device.

use longshore::internals::kernels::softmax::Function;
use longshore::internals::kernels::{Work, softmax as kernel};
use ndarray::{ArrayD, IxDyn};

use super::golden_reductions;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    apply, assert_same_bits, batched, cases, check, line, narrow, trials, widen, with_one,
};
use crate::oracle::Expected;
use crate::oracle::softmax::{hardmax, log_softmax, softmax};
use crate::random::Random;

/// Every function, and its oracle.
type Exact = fn(&ArrayD<f64>, isize) -> Expected;
const ALL: [(Function, Exact); 3] = [
    (Function::Softmax, softmax),
    (Function::LogSoftmax, log_softmax),
    (Function::Hardmax, hardmax),
];

/// Runs a network of one function.
fn compute(on: &dyn Executor, function: Function, input: &ArrayD<f32>, axis: isize) -> ArrayD<f32> {
    apply(on, input, |g, x| match function {
        Function::Softmax => g.softmax(x, axis),
        Function::LogSoftmax => g.log_softmax(x, axis),
        Function::Hardmax => g.hardmax(x, axis),
    })
}

pub fn onnx_and_keras_cases(on: &dyn Executor) {
    for ((function, exact), layer) in ALL.into_iter().zip(["Softmax", "LogSoftmax", "Hardmax"]) {
        for case in golden_reductions::cases(layer, 7, &["axis"]) {
            let axis = golden_reductions::axes(&case, "axis", &[-1])[0];
            let input = case.array(if case.arrays.contains_key("x") { "x" } else { "input" });
            let actual = compute(on, function, &narrow(input), axis);
            golden_reductions::check(&case, "out_output", &actual, &exact(input, axis));
        }
    }
    for case in golden_reductions::cases("keras.log_softmax", 3, &["axis"]) {
        let axis = golden_reductions::axes(&case, "axis", &[])[0];
        let input = case.array("input");
        let actual = compute(on, Function::LogSoftmax, &narrow(input), axis);
        golden_reductions::check(&case, "output", &actual, &log_softmax(input, axis));
    }
}

pub fn golden_cases(on: &dyn Executor) {
    for case in cases("softmax", 7, &["axis"]) {
        let &[axis] = case.integers("axis").as_slice() else { panic!("{}: one axis", case.name) };
        let axis = isize::try_from(axis).unwrap();
        let input = case.array("input");
        let actual = apply(on, &narrow(input), |g, x| g.softmax(x, axis));
        let oracle = softmax(input, axis);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn random_shapes_and_axes(on: &dyn Executor) {
    trials(80, |random| {
        let rank = random.range(1, 7);
        let mut shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
        let axis = random.range(0, rank);
        shape[axis] = *random.pick(&[1, 2, 7, 31, 63, 64, 65]);
        let input = random.uniform(&shape) * *random.pick(&[1.0, 10.0, 80.0]);
        let axis = if random.range(0, 2) == 0 {
            isize::try_from(axis).unwrap()
        } else {
            isize::try_from(axis).unwrap() - isize::try_from(rank).unwrap()
        };
        for (function, exact) in ALL {
            let actual = compute(on, function, &input, axis);
            let what = format!("{function:?} of {shape:?} axis {axis}");
            assert_close(&what, &actual, &exact(&widen(&input), axis));
        }
    });
}

pub fn large_values_do_not_overflow(on: &dyn Executor) {
    let input = line(&[1e30, 1e30, -1e30, 3e38, 3e38]);
    let actual = apply(on, &input, |g, x| g.softmax(x, 0));
    assert_same_bits("large", &actual, &line(&[0.0, 0.0, 0.0, 0.5, 0.5]));
    for values in [[100.0, -100.0, 99.0], [1e30, -1e30, 1e30], [-1e30, -1e30, -3e38]] {
        let input = line(&values);
        let actual = compute(on, Function::LogSoftmax, &input, 0);
        assert!(actual.iter().all(|value| value.is_finite()), "{values:?}: {actual}");
        assert_close(&format!("{values:?}"), &actual, &log_softmax(&widen(&input), 0));
    }
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    [outer, length, inner]: [usize; 3],
    most: u32,
) -> ArrayD<f32> {
    raw_of(on, Function::Softmax, input, [outer, length, inner], most)
}

fn raw_of(
    on: &dyn Executor,
    function: Function,
    input: &ArrayD<f32>,
    [outer, length, inner]: [usize; 3],
    most: u32,
) -> ArrayD<f32> {
    let geometry = kernel::Geometry { outer, length, inner, function };
    let work = Work::Softmax(geometry);
    let launch = work.launch("test", most).unwrap();
    let rows = u32::try_from(outer * inner).unwrap();
    let entry = match function {
        _ if length >= 256 => "shared_row",
        Function::Softmax => "general",
        _ => "others",
    };
    assert_eq!(launch.kernel.entry, entry);
    let expected = if entry == "shared_row" { rows } else { rows.div_ceil(64).max(1) };
    assert!(launch.workgroups[0] * launch.workgroups[1] >= expected);
    assert_eq!(launch.workgroups[1] > 1, expected > most);
    on.dispatch(&work, most, &[input], &[outer, length, inner])
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(2);
    for shape in [
        [1, 1, 1],
        [63, 2, 1],
        [64, 3, 1],
        [65, 5, 1],
        [1, 7, 300],
        [5, 3, 60],
        [17, 2, 31],
        [1, 255, 1],
        [5, 256, 1],
        [3, 257, 2],
        [1, 5000, 1],
    ] {
        for (function, exact) in ALL {
            let input = random.uniform(&shape) * 9.0;
            let actual = raw_of(on, function, &input, shape, 4);
            assert_close(&format!("{function:?} of {shape:?}"), &actual, &exact(&widen(&input), 1));
        }
    }
}

pub fn nan_and_infinity_stay_in_their_row(on: &dyn Executor) {
    let input = Random::new(4).uniform(&[3, 5, 2]);
    let clean = raw(on, &input, [3, 5, 2], 65_535);
    for value in [f32::NAN, f32::INFINITY] {
        let actual = raw(on, &with_one(&input, &[1, 2, 1], value), [3, 5, 2], 65_535);
        for ((index, &found), &before) in actual.indexed_iter().zip(&clean) {
            if index[0] == 1 && index[2] == 1 {
                assert!(found.is_nan(), "{value} gives {found} at {index:?}");
            } else {
                assert_eq!(found.to_bits(), before.to_bits(), "{value} reaches {index:?}");
            }
        }
    }
}

pub fn minus_infinity_takes_no_part(on: &dyn Executor) {
    let input = line(&[1.0, f32::NEG_INFINITY, 2.0, -3.0]);
    let actual =
        raw(on, &input.into_shape_with_order(IxDyn(&[1, 4, 1])).unwrap(), [1, 4, 1], 65_535);
    let without = softmax(&widen(&line(&[1.0, 2.0, -3.0])), 0);
    assert_eq!(actual[[0, 1, 0]].to_bits(), 0.0f32.to_bits());
    let others = line(&[actual[[0, 0, 0]], actual[[0, 2, 0]], actual[[0, 3, 0]]]);
    assert_close("the others", &others, &without);
    let nothing = line(&[f32::NEG_INFINITY; 3]).into_shape_with_order(IxDyn(&[1, 3, 1])).unwrap();
    let actual = raw(on, &nothing, [1, 3, 1], 65_535);
    assert!(actual.iter().all(|value| value.is_nan()), "{actual}");
}

pub fn an_empty_axis_gives_an_empty_result(on: &dyn Executor) {
    let empty = ArrayD::<f32>::zeros(IxDyn(&[3, 0]));
    let mut graph = longshore::Graph::new();
    let x = graph.input("x", batched(&[3, 0]));
    let y = graph.softmax(x, -1).unwrap();
    graph.output("y", y);
    let found = on.run(&graph, 3, &[("x", &empty)]);
    assert_eq!(found["y"].shape(), [3, 0]);
}

pub fn nan_and_infinity_in_every_function_and_entry(on: &dyn Executor) {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for row in [[1.0, nan, 2.0], [inf, 1.0, inf], [-inf, 0.5, 1.0], [-inf, -inf, -inf]] {
        for length in [3, 300] {
            let mut values = row.to_vec();
            values.resize(length, row[2]);
            let input = ArrayD::from_shape_vec(IxDyn(&[1, length, 1]), values).unwrap();
            for (function, exact) in ALL {
                let actual = raw_of(on, function, &input, [1, length, 1], 65_535);
                let has_none = function != Function::Hardmax && !row.iter().all(|x| *x < inf);
                if has_none || (function != Function::Hardmax && row == [-inf; 3]) {
                    assert!(actual.iter().all(|value| value.is_nan()), "{function:?} of {row:?}");
                } else {
                    let what = format!("{function:?} of {length} from {row:?}");
                    let mut expected = exact(&widen(&input), 1);
                    expected.bound.mapv_inplace(|bound| if bound.is_nan() { 0.0 } else { bound });
                    assert_close(&what, &actual, &expected);
                }
            }
        }
    }
}
