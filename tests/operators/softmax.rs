//! Softmax on the device.

use longshore::kernels::{Work, softmax as kernel};
use ndarray::{ArrayD, IxDyn};

use super::golden::{
    apply, assert_same_bits, batched, cases, check, line, narrow, trials, widen, with_one,
};
use crate::common::compare::assert_close;
use crate::common::oracle::softmax::softmax;
use crate::common::random::Random;
use crate::dispatch::dispatch;
use crate::harness::{run, runtime};

#[test]
fn golden_cases() {
    for case in cases("softmax", 7, &["axis"]) {
        let &[axis] = case.integers("axis").as_slice() else { panic!("{}: one axis", case.name) };
        let axis = isize::try_from(axis).unwrap();
        let input = case.array("input");
        let actual = apply(&narrow(input), |g, x| g.softmax(x, axis));
        let oracle = softmax(input, axis);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

#[test]
fn random_shapes_and_axes() {
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
        let actual = apply(&input, |g, x| g.softmax(x, axis));
        assert_close(&format!("{shape:?} axis {axis}"), &actual, &softmax(&widen(&input), axis));
    });
}

#[test]
fn large_values_do_not_overflow() {
    let input = line(&[1e30, 1e30, -1e30, 3e38, 3e38]);
    let actual = apply(&input, |g, x| g.softmax(x, 0));
    assert_same_bits("large", &actual, &line(&[0.0, 0.0, 0.0, 0.5, 0.5]));
}

fn raw(input: &ArrayD<f32>, [outer, length, inner]: [usize; 3], most: u32) -> ArrayD<f32> {
    let geometry = kernel::Geometry { outer, length, inner };
    let work = Work::Softmax(geometry);
    let launch = work.launch("test", most).unwrap();
    let rows = u32::try_from(outer * inner).unwrap();
    let expected = rows.div_ceil(64).max(1);
    assert!(launch.workgroups[0] * launch.workgroups[1] >= expected);
    assert_eq!(launch.workgroups[1] > 1, expected > most);
    dispatch(&work, most, &[input], &[outer, length, inner])
}

#[test]
fn kernels_stay_within_their_output_in_folded_grids() {
    let random = &mut Random::new(2);
    for shape in
        [[1, 1, 1], [63, 2, 1], [64, 3, 1], [65, 5, 1], [1, 7, 65], [5, 3, 13], [17, 2, 31]]
    {
        let input = random.uniform(&shape) * 9.0;
        let actual = raw(&input, shape, 3);
        assert_close(&format!("{shape:?}"), &actual, &softmax(&widen(&input), 1));
    }
}

#[test]
fn nan_and_infinity_stay_in_their_row() {
    let input = Random::new(4).uniform(&[3, 5, 2]);
    let clean = raw(&input, [3, 5, 2], 65_535);
    for value in [f32::NAN, f32::INFINITY] {
        let actual = raw(&with_one(&input, &[1, 2, 1], value), [3, 5, 2], 65_535);
        for ((index, &found), &before) in actual.indexed_iter().zip(&clean) {
            if index[0] == 1 && index[2] == 1 {
                assert!(found.is_nan(), "{value} gives {found} at {index:?}");
            } else {
                assert_eq!(found.to_bits(), before.to_bits(), "{value} reaches {index:?}");
            }
        }
    }
}

#[test]
fn minus_infinity_takes_no_part() {
    let input = line(&[1.0, f32::NEG_INFINITY, 2.0, -3.0]);
    let actual = raw(&input.into_shape_with_order(IxDyn(&[1, 4, 1])).unwrap(), [1, 4, 1], 65_535);
    let without = softmax(&widen(&line(&[1.0, 2.0, -3.0])), 0);
    assert_eq!(actual[[0, 1, 0]].to_bits(), 0.0f32.to_bits());
    let others = line(&[actual[[0, 0, 0]], actual[[0, 2, 0]], actual[[0, 3, 0]]]);
    assert_close("the others", &others, &without);
    let nothing = line(&[f32::NEG_INFINITY; 3]).into_shape_with_order(IxDyn(&[1, 3, 1])).unwrap();
    let actual = raw(&nothing, [1, 3, 1], 65_535);
    assert!(actual.iter().all(|value| value.is_nan()), "{actual}");
}

#[test]
fn an_empty_axis_gives_an_empty_result() {
    let empty = ArrayD::<f32>::zeros(IxDyn(&[3, 0]));
    let mut graph = longshore::Graph::new();
    let x = graph.input("x", batched(&[3, 0]));
    let y = graph.softmax(x, -1).unwrap();
    graph.output("y", y);
    let found = run(runtime(), &graph, 3, &[("x", &empty)]);
    assert_eq!(found["y"].shape(), [3, 0]);
}
