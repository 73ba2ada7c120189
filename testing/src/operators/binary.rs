//! Addition and multiplication on the device.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, binary as kernel};
use longshore::ops::BinaryOp;
use longshore::{Dim, Graph};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{ELEMENTWISE, cases, check, line, narrow, trials, widen};
use crate::oracle::Expected;
use crate::oracle::binary::{Operation, add, binary, multiply};
use crate::random::Random;

fn exact(operation: BinaryOp, left: &ArrayD<f32>, right: &ArrayD<f32>) -> Expected {
    match operation {
        BinaryOp::Add => add(&widen(left), &widen(right)),
        BinaryOp::Multiply => multiply(&widen(left), &widen(right)),
        BinaryOp::Fmod => binary(Operation::Fmod, &widen(left), &widen(right)),
        other => panic!("the oracle has no {other:?}"),
    }
}

/// Runs a network of one operation; shapes are fixed, so the batch plays no part.
fn compute(
    on: &dyn Executor,
    operation: BinaryOp,
    left: &ArrayD<f32>,
    right: &ArrayD<f32>,
) -> ArrayD<f32> {
    let mut g = Graph::new();
    let fixed = |array: &ArrayD<f32>| -> Vec<Dim> {
        array.shape().iter().copied().map(Dim::Fixed).collect()
    };
    let (l, r) = (g.input("left", fixed(left)), g.input("right", fixed(right)));
    let y = match operation {
        BinaryOp::Add => g.add(l, r),
        BinaryOp::Multiply => g.multiply(l, r),
        other => panic!("the graph has no {other:?}"),
    };
    g.output("y", y.unwrap());
    on.run(&g, 1, &[("left", left), ("right", right)]).remove("y").unwrap()
}

fn golden(on: &dyn Executor, case: &Case, operation: BinaryOp) {
    let (left, right) = (narrow(case.array("input")), narrow(case.array("other")));
    let actual = compute(on, operation, &left, &right);
    let oracle = exact(operation, &left, &right);
    assert_close(&case.name, &actual, &oracle);
    check(case, &actual, &oracle);
}

pub fn golden_cases(on: &dyn Executor) {
    for case in cases("add", 6, &[]) {
        golden(on, &case, BinaryOp::Add);
    }
    for case in cases("multiply", 6, &[]) {
        golden(on, &case, BinaryOp::Multiply);
    }
}

/// Two shapes that broadcast, of ranks up to 6.
fn shapes(random: &mut Random) -> (Vec<usize>, Vec<usize>) {
    let rank = random.range(0, 7);
    let full: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect();
    let mut thinned = || {
        let first = random.range(0, rank + 1);
        let keep = |&length: &usize| if random.range(0, 3) == 0 { 1 } else { length };
        full[first..].iter().map(keep).collect::<Vec<_>>()
    };
    (thinned(), thinned())
}

pub fn random_shapes_broadcast_as_in_the_oracle(on: &dyn Executor) {
    trials(120, |random| {
        let (left, right) = shapes(random);
        let operation = *random.pick(&[BinaryOp::Add, BinaryOp::Multiply]);
        let (left, right) = (random.uniform(&left), random.uniform(&right));
        let actual = compute(on, operation, &left, &right);
        let what = format!("{operation:?} of {:?} and {:?}", left.shape(), right.shape());
        assert_close(&what, &actual, &exact(operation, &left, &right));
    });
}

pub fn a_batch_meets_one_item(on: &dyn Executor) {
    let random = &mut Random::new(7);
    let (left, right) = (random.uniform(&[5, 3, 2]), random.uniform(&[3, 1]));
    let mut g = Graph::new();
    let l = g.input("left", [Dim::Batch, 3.into(), 2.into()]);
    let r = g.input("right", [3, 1]);
    let sum = g.add(r, l).unwrap();
    let product = g.multiply(sum, sum).unwrap();
    g.output("sum", sum);
    g.output("product", product);
    let found = on.run(&g, 5, &[("left", &left), ("right", &right)]);
    assert_close("sum", &found["sum"], &exact(BinaryOp::Add, &right, &left));
    let squared = exact(BinaryOp::Multiply, &found["sum"], &found["sum"]);
    assert_close("product", &found["product"], &squared);
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let mut entries = BTreeSet::new();
    let mut folded = BTreeSet::new();
    let pairs: [(&[usize], &[usize]); 18] = [
        (&[1], &[1]),
        (&[63], &[63]),
        (&[65], &[1]),
        (&[], &[64]),
        (&[7, 11], &[11]),
        (&[5, 1, 13], &[7, 1]),
        (&[2, 3, 5, 7], &[2, 3, 5, 7]),
        (&[2, 1, 3, 1, 3, 1], &[1, 2, 1, 3, 1, 5]),
        (&[2, 1, 2, 1, 2, 1], &[3, 2, 3, 1, 3]),
        (&[509], &[509]),
        (&[3, 4], &[3, 4]),
        (&[257, 4], &[257, 4]),
        (&[257, 4], &[4]),
        (&[1], &[257, 4]),
        (&[193, 4, 1], &[193, 4, 2]),
        (&[256, 3], &[3]),
        (&[5, 2, 3, 7, 2], &[2, 3, 1, 1]),
        (&[3, 1, 5], &[2, 3, 2, 5]),
    ];
    let random = &mut Random::new(3);
    for (left, right) in pairs {
        for operation in [BinaryOp::Add, BinaryOp::Multiply, BinaryOp::Fmod] {
            let twin = *random.pick(&ELEMENTWISE);
            let (one, two) = (random.uniform(left), random.uniform(right));
            let expected = twin.apply(exact(operation, &one, &two));
            let geometry = kernel::Geometry {
                left: left.to_vec(),
                right: right.to_vec(),
                operation,
                epilogue: twin.epilogue(),
            };
            let work = Work::Binary(geometry);
            let Ok(launch) = work.launch("test", 3) else {
                // One element for each thread, and too many of them.
                assert!(expected.value.len() > 576);
                continue;
            };
            entries.insert(launch.kernel.entry);
            folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
            let actual = on.dispatch(&work, 3, &[&one, &two], expected.value.shape());
            assert_close(&format!("{operation:?} {left:?} {right:?} {twin:?}"), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn special_values_follow_ieee(on: &dyn Executor) {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.5, f32::MAX];
    let (column, row) = (line(&odd).into_shape_with_order(IxDyn(&[7, 1])).unwrap(), line(&odd));
    for operation in [BinaryOp::Add, BinaryOp::Multiply] {
        let expected: Vec<f32> = odd
            .iter()
            .flat_map(|&a| odd.map(|b| if operation == BinaryOp::Add { a + b } else { a * b }))
            .collect();
        let actual = compute_raw(on, operation, &column, &row);
        for ((index, actual), expected) in actual.indexed_iter().zip(expected) {
            let same = actual.to_bits() == expected.to_bits() || expected.is_nan();
            assert!(
                same && actual.is_nan() == expected.is_nan(),
                "{operation:?} {index:?}: {actual}, not {expected}"
            );
        }
    }
}

/// Dispatches the kernel alone: staging refuses what is not finite.
fn compute_raw(
    on: &dyn Executor,
    operation: BinaryOp,
    left: &ArrayD<f32>,
    right: &ArrayD<f32>,
) -> ArrayD<f32> {
    let geometry = kernel::Geometry {
        left: left.shape().to_vec(),
        right: right.shape().to_vec(),
        operation,
        epilogue: longshore::UnaryOp::Linear.into(),
    };
    let work = Work::Binary(geometry);
    on.dispatch(&work, 65_535, &[left, right], &[7, 7])
}
