//! Rows so long that a thread could not go over them alone: llvmpipe ends all loops of a thread
//! after 65535 turns together, and says nothing.

use longshore::internals::kernels::softmax::Function;
use longshore::internals::kernels::{Work, moments, reduce as reduction, softmax as kernel};
use longshore::ops::normalization::moments::Part;
use longshore::ops::reduction::reduce::Operation;
use longshore::{Error, ReduceOp};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{widen, with_one};
use crate::oracle::moments as exact;
use crate::oracle::reduce::{Reduction, position, reduce};
use crate::oracle::softmax::{hardmax, log_softmax, softmax};
use crate::random::Random;

/// The longest row that is not refused.
const LONGEST: usize = 1 << 24;

fn softmax_work(function: Function, [outer, length, inner]: [usize; 3]) -> Work {
    Work::Softmax(kernel::Geometry { outer, length, inner, function })
}

fn reduction_work(shape: &[usize], axis: usize, operation: Operation) -> Work {
    let reduced = (0..shape.len()).map(|number| number == axis).collect();
    Work::Reduce(reduction::Geometry { input: shape.to_vec(), reduced, operation })
}

pub fn softmax_and_its_kin_over_40_000_elements(on: &dyn Executor) {
    for shape in [[1, 40_000, 1], [1, 40_000, 2], [2, 70_001, 1]] {
        let input = Random::new(5).uniform(&shape) * 6.0;
        let wide = widen(&input);
        let all = [
            (Function::Softmax, softmax(&wide, 1)),
            (Function::LogSoftmax, log_softmax(&wide, 1)),
            (Function::Hardmax, hardmax(&wide, 1)),
        ];
        for (function, expected) in all {
            let actual = on.dispatch(&softmax_work(function, shape), 65_535, &[&input], &shape);
            assert_close(&format!("{function:?} of {shape:?}"), &actual, &expected);
        }
    }
}

pub fn reductions_of_300_000_terms(on: &dyn Executor) {
    for (shape, axis) in [([1, 300_000], 1), ([300_000, 2], 0)] {
        let input = Random::new(6).uniform(&shape).mapv(|x| x + 0.75);
        let kept: Vec<usize> =
            (0..2).map(|number| if number == axis { 1 } else { shape[number] }).collect();
        let all = [
            (ReduceOp::Mean, Reduction::Mean),
            (ReduceOp::Sum, Reduction::Sum),
            (ReduceOp::Max, Reduction::Max),
            (ReduceOp::Min, Reduction::Min),
            (ReduceOp::L1, Reduction::L1),
            (ReduceOp::L2, Reduction::L2),
            (ReduceOp::SumSquare, Reduction::SumSquare),
            (ReduceOp::LogSum, Reduction::LogSum),
            (ReduceOp::LogSumExp, Reduction::LogSumExp),
        ];
        for (ours, op) in all {
            let work = reduction_work(&shape, axis, Operation::Value(ours));
            let actual = on.dispatch(&work, 65_535, &[&input], &kept);
            assert_close(&format!("{ours:?}"), &actual, &reduce(&widen(&input), op, &[axis], true));
        }
        // The largest stands at the very end, where loops that ended early would not come.
        let mut place = [0, 0];
        place[axis] = 299_999;
        let input = with_one(&input, &place, 9.0);
        for largest in [false, true] {
            let operation = Operation::Position { largest, last: false };
            let actual =
                on.dispatch(&reduction_work(&shape, axis, operation), 65_535, &[&input], &kept);
            let expected = position(&widen(&input), axis, largest, false, true);
            assert_close(&format!("position, {largest}"), &actual, &expected);
        }
    }
}

pub fn moments_of_300_000_elements(on: &dyn Executor) {
    let shape = [1, 300_000];
    let input = Random::new(7).uniform(&shape) * 2.0 + 30.0;
    let work = Work::Moments(moments::Geometry {
        input: shape.to_vec(),
        reduced: vec![false, true],
        is_centered: true,
        epsilon: 1e-3,
        floor: 0.0,
        part: Part::Both,
    });
    let actual = on.dispatch(&work, 65_535, &[&input], &[1, 2]);
    let row: Vec<f64> = input.iter().copied().map(f64::from).collect();
    let rule = exact::Rule { is_centered: true, epsilon: f64::from(1e-3f32), floor: 0.0 };
    for (near, &found) in exact::moments(&row, rule).iter().zip(&actual) {
        let difference = (f64::from(found) - near.value).abs();
        assert!(difference <= near.bound, "{found} is not {near:?}");
    }
}

pub fn the_longest_row_is_gone_over_to_its_end(on: &dyn Executor) {
    let mut input = ArrayD::from_elem(IxDyn(&[1, LONGEST, 1]), 1.0f32);
    let sum = reduction_work(&[1, LONGEST, 1], 1, Operation::Value(ReduceOp::Sum));
    let actual = on.dispatch(&sum, 65_535, &[&input], &[1, 1, 1]);
    assert_eq!(actual[[0, 0, 0]].to_bits(), 16_777_216.0f32.to_bits(), "{actual}");
    let work = softmax_work(Function::Softmax, [1, LONGEST, 1]);
    let actual = on.dispatch(&work, 65_535, &[&input], &[1, LONGEST, 1]);
    let each = (1.0 / 16_777_216.0f32).to_bits();
    let wrong = actual.iter().position(|value| value.to_bits() != each);
    assert_eq!(wrong, None);
    let moments = Work::Moments(moments::Geometry {
        input: vec![1, LONGEST, 1],
        reduced: vec![false, true, true],
        is_centered: true,
        epsilon: 0.25,
        floor: 0.0,
        part: Part::Both,
    });
    let actual = on.dispatch(&moments, 65_535, &[&input], &[1, 2]);
    assert_eq!(actual.as_slice().unwrap(), [1.0, 2.0]);
    input[[0, LONGEST - 1, 0]] = 1.5;
    let last = Operation::Position { largest: true, last: false };
    let actual =
        on.dispatch(&reduction_work(&[1, LONGEST, 1], 1, last), 65_535, &[&input], &[1, 1, 1]);
    assert_eq!(actual[[0, 0, 0]].to_bits(), 16_777_215.0f32.to_bits(), "{actual}");
}

pub fn longer_rows_are_refused(_: &dyn Executor) {
    let works = [
        softmax_work(Function::Softmax, [1, LONGEST + 1, 1]),
        reduction_work(&[LONGEST + 1], 0, Operation::Value(ReduceOp::Max)),
    ];
    for work in works {
        let error = work.launch("rows", 65_535).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("a row needs 16777217 elements"), "{text}");
    }
}
