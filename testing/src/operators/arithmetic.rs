//! Every function of two operands: over the range of f32, at its edges, alone and as a stage.

use longshore::internals::kernels::{Work, activation, binary as kernel};
use longshore::ops::{BinaryOp, Epilogue, Stage};
use ndarray::{ArrayD, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{line, trials, widen};
use crate::oracle::binary::{Operation, binary};
use crate::random::Random;

/// Every function on both sides.
pub const ALL: [(BinaryOp, Operation); 18] = [
    (BinaryOp::Add, Operation::Add),
    (BinaryOp::Multiply, Operation::Multiply),
    (BinaryOp::Subtract, Operation::Subtract),
    (BinaryOp::Divide, Operation::Divide),
    (BinaryOp::Power, Operation::Power),
    (BinaryOp::Minimum, Operation::Minimum),
    (BinaryOp::Maximum, Operation::Maximum),
    (BinaryOp::PRelu, Operation::PRelu),
    (BinaryOp::Fmod, Operation::Fmod),
    (BinaryOp::Mod, Operation::Mod),
    (BinaryOp::Equal, Operation::Equal),
    (BinaryOp::Greater, Operation::Greater),
    (BinaryOp::GreaterEqual, Operation::GreaterEqual),
    (BinaryOp::Less, Operation::Less),
    (BinaryOp::LessEqual, Operation::LessEqual),
    (BinaryOp::LogicalAnd, Operation::LogicalAnd),
    (BinaryOp::LogicalOr, Operation::LogicalOr),
    (BinaryOp::LogicalXor, Operation::LogicalXor),
];

fn compute(
    on: &dyn Executor,
    operation: BinaryOp,
    left: &ArrayD<f32>,
    right: &ArrayD<f32>,
    shape: &[usize],
) -> ArrayD<f32> {
    let geometry = kernel::Geometry {
        left: left.shape().to_vec(),
        right: right.shape().to_vec(),
        operation,
        epilogue: Epilogue::default(),
    };
    on.dispatch(&Work::Binary(geometry), 65_535, &[left, right], shape)
}

/// A number of any magnitude between 2^low and 2^high.
fn number(random: &mut Random, low: i32, high: i32) -> f32 {
    let power = low + random.range(0, (high - low) as usize) as i32;
    (1.0 + random.signed().abs()) * 2f32.powi(power) * *random.pick(&[-1.0, 1.0])
}

pub fn every_function_in_every_kernel(on: &dyn Executor) {
    let pairs: [(&[usize], &[usize], &[usize]); 6] = [
        (&[67], &[67], &[67]),
        (&[68], &[68], &[68]),
        (&[5, 4], &[4], &[5, 4]),
        (&[4], &[5, 4], &[5, 4]),
        (&[5, 1, 3], &[2, 1], &[5, 2, 3]),
        (&[], &[7], &[7]),
    ];
    trials(3, |random| {
        for (ours, exact) in ALL {
            for (left, right, shape) in pairs {
                // Few distinct numbers, so that some are equal and some zero.
                let draw = |random: &mut Random, shape: &[usize]| {
                    random.uniform(shape).mapv(|x| (x * 5.0).round() * 0.75)
                };
                let (left, right) = (draw(random, left), draw(random, right));
                let what = format!("{ours:?} of {left} and {right}");
                let expected = binary(exact, &widen(&left), &widen(&right));
                assert_close(&what, &compute(on, ours, &left, &right, shape), &expected);
            }
        }
    });
}

pub fn every_function_over_its_range(on: &dyn Executor) {
    trials(4, |random| {
        for (ours, exact) in ALL {
            for count in [1024, 1023] {
                let mut draw =
                    || line(&(0..count).map(|_| number(random, -60, 60)).collect::<Vec<_>>());
                let (left, right) = (draw(), draw());
                let expected = binary(exact, &widen(&left), &widen(&right));
                let actual = compute(on, ours, &left, &right, &[count]);
                assert_close(&format!("{ours:?} of {count}"), &actual, &expected);
            }
        }
    });
}

/// Powers whose results are spread over the whole range; half of the bases are negative and their
/// exponents whole.
pub fn powers_are_exact_to_a_few_units(on: &dyn Executor) {
    trials(8, |random| {
        let count = 4096;
        let (mut bases, mut exponents) = (Vec::new(), Vec::new());
        for number_of in 0..count {
            let base = match number_of % 3 {
                0 => number(random, -126, 127),
                1 => 1.0 + random.signed() * 0.5,
                _ => 1.0 + random.signed() * 1e-3,
            };
            let most = 126.0 / base.abs().log2().abs().max(1e-5);
            let exponent = random.signed() * most.min(1e7);
            let is_whole = base < 0.0 || random.range(0, 4) == 0;
            bases.push(base);
            exponents.push(if is_whole { exponent.round() } else { exponent });
        }
        let (left, right) = (line(&bases), line(&exponents));
        let expected = binary(Operation::Power, &widen(&left), &widen(&right));
        assert!(expected.value.iter().all(|value| !value.is_nan()));
        assert!(expected.value.iter().any(|&value| value < 0.0));
        let actual = compute(on, BinaryOp::Power, &left, &right, &[count]);
        assert_close("power", &actual, &expected);
    });
}

pub fn remainders_are_exact_at_every_distance(on: &dyn Executor) {
    trials(4, |random| {
        for (ours, exact) in [(BinaryOp::Fmod, Operation::Fmod), (BinaryOp::Mod, Operation::Mod)] {
            let mut draw =
                |low, high| line(&(0..1024).map(|_| number(random, low, high)).collect::<Vec<_>>());
            let (left, right) = (draw(-20, 127), draw(-100, 20));
            let expected = binary(exact, &widen(&left), &widen(&right));
            let actual = compute(on, ours, &left, &right, &[1024]);
            assert_close(&format!("{ours:?}"), &actual, &expected);
        }
    });
}

pub fn the_edges_are_those_of_numpy(on: &dyn Executor) {
    let edges = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        1.5,
        f32::MAX,
        f32::MIN,
        1e30,
        -1e-30,
        16_777_216.0,
        -16_777_217.0,
        8_388_609.0,
        8_388_608.5,
    ];
    let count = edges.len();
    let row = line(&edges);
    let column = row.clone().into_shape_with_order(IxDyn(&[count, 1])).unwrap();
    for (ours, exact) in ALL {
        let expected = binary(exact, &widen(&column), &widen(&row));
        // Broadcast, and the same pairs side by side, four at a time.
        let actual = compute(on, ours, &column, &row, &[count, count]);
        assert_close(&format!("{ours:?}, broadcast"), &actual, &expected);
        let full =
            |array: &ArrayD<f32>| array.broadcast(IxDyn(&[count, count])).unwrap().to_owned();
        let actual = compute(on, ours, &full(&column), &full(&row), &[count, count]);
        assert_close(&format!("{ours:?}"), &actual, &expected);
    }
}

pub fn a_zero_keeps_the_sign_that_numpy_gives(on: &dyn Executor) {
    // pow(-0, -3), pow(-0, 3), fmod(-4, 2), mod(-4, 2), mod(4, -2)
    let cases = [
        (BinaryOp::Power, -0.0, -3.0, f32::NEG_INFINITY),
        (BinaryOp::Power, -0.0, 3.0, -0.0),
        (BinaryOp::Power, -0.0, 2.0, 0.0),
        (BinaryOp::Fmod, -4.0, 2.0, -0.0),
        (BinaryOp::Mod, -4.0, 2.0, 0.0),
        (BinaryOp::Mod, 4.0, -2.0, -0.0),
    ];
    for (operation, left, right, expected) in cases {
        let actual = compute(on, operation, &line(&[left]), &line(&[right]), &[1])[[0]];
        assert_eq!(actual.to_bits(), expected.to_bits(), "{operation:?} {left} {right}: {actual}");
    }
}

pub fn every_function_is_a_stage_on_both_sides(on: &dyn Executor) {
    let random = &mut Random::new(3);
    for (operation, exact) in ALL {
        for (count, swapped) in [(35, false), (36, false), (35, true), (36, true)] {
            let draw = |random: &mut Random, count: usize| {
                random.uniform(&[count]).mapv(|x| (x * 4.0).round())
            };
            let (input, extra) = (draw(random, count), draw(random, count));
            let stages = vec![Stage::Binary { operation, swapped }];
            let epilogue = Epilogue { stages, period: count };
            let work = Work::Activation(activation::Geometry { shape: vec![count], epilogue });
            let actual = on.dispatch(&work, 65_535, &[&input, &extra], &[count]);
            let (left, right) = if swapped { (&extra, &input) } else { (&input, &extra) };
            let expected = binary(exact, &widen(left), &widen(right));
            assert_close(&format!("{operation:?} {count} {swapped}"), &actual, &expected);
        }
    }
}
