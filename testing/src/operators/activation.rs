//! Activations on the device.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, activation as kernel};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    ALONE, ELEMENTWISE, Twin, apply, assert_same_bits, cases, check, line, narrow, trials, widen,
};
use crate::oracle::EPSILON;
use crate::oracle::Expected;
use crate::oracle::activation::activation;
use crate::random::Random;

pub fn golden_cases(on: &dyn Executor) {
    for case in cases("activation", 19, &["activation", "negative_slope", "alpha", "approximate"]) {
        let twin = Twin::of(&case);
        let input = case.array("input");
        let actual = apply(on, &narrow(input), |g, x| g.activation(x, twin.ours));
        let oracle = activation(twin.exact.unwrap(), input);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn every_activation_of_every_rank(on: &dyn Executor) {
    trials(3, |random| {
        for &twin in ELEMENTWISE.iter() {
            for shape in shapes(random) {
                let input = random.uniform(&shape) * 8.0;
                let actual = apply(on, &input, |g, x| g.activation(x, twin.ours));
                let expected = activation(twin.exact.unwrap(), &widen(&input));
                assert_close(&format!("{:?} of {shape:?}", twin.ours), &actual, &expected);
            }
        }
    });
}

/// Every rank from 0 to 6, and the sizes round a workgroup.
fn shapes(random: &mut Random) -> Vec<Vec<usize>> {
    let mut shapes = vec![vec![], vec![1], vec![63], vec![64], vec![65], vec![2, 97]];
    for rank in 3..=6 {
        shapes.push((0..rank).map(|_| *random.pick(&[1, 2, 3, 5])).collect());
    }
    shapes
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(5);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for &twin in ELEMENTWISE.iter().chain(ALONE.iter()) {
        for elements in [1, 63, 64, 65, 127, 191, 193, 252, 256, 260, 509, 1028] {
            let input = random.uniform(&[elements]) * 6.0;
            let geometry = kernel::Geometry { shape: vec![elements], epilogue: twin.epilogue() };
            let work = Work::Activation(geometry);
            let Ok(launch) = work.launch("test", 3) else {
                // One element for each thread, and too many of them.
                assert!(elements > 576);
                continue;
            };
            entries.insert(launch.kernel.entry);
            folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
            let actual = on.dispatch(&work, 3, &[&input], &[elements]);
            let expected = activation(twin.exact.unwrap(), &widen(&input));
            assert_close(&format!("{:?} of {elements}", twin.ours), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

/// What the oracle allows; at an infinite input its error terms have no meaning, as the
/// result is a limit that the formula gives to within its last roundings.
pub fn at_the_edges(twin: Twin, input: &ArrayD<f32>) -> Expected {
    let mut expected = activation(twin.exact.unwrap(), &widen(input));
    for ((bound, value), x) in expected.bound.iter_mut().zip(&expected.value).zip(input) {
        if x.is_infinite() {
            *bound = 4.0 * EPSILON * value.abs();
        }
    }
    expected
}

pub fn nan_stays_nan_and_extremes_give_what_the_formula_gives(on: &dyn Executor) {
    let extremes = [
        f32::NAN,
        -f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        100.0,
        -100.0,
        0.0,
        -0.0,
        1e-30,
        -1e-30,
        3.0,
        -3.0,
        88.0,
        -88.0,
        1e-4,
        -1e-4,
    ];
    for &twin in ELEMENTWISE.iter().chain(ALONE.iter()) {
        // 16 values take four at a time, 15 one.
        for count in [16, 15] {
            let input = line(&extremes[..count]);
            let geometry = kernel::Geometry { shape: vec![count], epilogue: twin.epilogue() };
            let work = Work::Activation(geometry);
            let actual = on.dispatch(&work, 65_535, &[&input], &[count]);
            assert_close(&format!("{:?}", twin.ours), &actual, &at_the_edges(twin, &input));
        }
    }
}

pub fn linear_copies_bits(on: &dyn Executor) {
    let odd = [f32::from_bits(0x7fc0_1234), f32::INFINITY, -0.0, 1.5, f32::MAX, -f32::MAX];
    let input = line(&odd);
    let geometry =
        kernel::Geometry { shape: vec![odd.len()], epilogue: longshore::UnaryOp::Linear.into() };
    let work = Work::Activation(geometry);
    let actual = on.dispatch(&work, 65_535, &[&input], &[odd.len()]);
    assert_same_bits("linear", &actual, &input);
}

pub fn an_empty_value_stays_empty(on: &dyn Executor) {
    let empty = ArrayD::<f32>::zeros(IxDyn(&[2, 0, 3]));
    let actual = apply(on, &empty, |g, x| g.activation(x, longshore::Activation::Relu));
    assert_eq!(actual.shape(), [2, 0, 3]);
}
