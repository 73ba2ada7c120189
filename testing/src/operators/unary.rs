//! Functions of one operand over the whole range of f32: how exact they are, and what they give at
//! the edges.

use longshore::internals::kernels::{Work, activation as kernel};
use longshore::ops::{Epilogue, Stage};
use longshore::{Activation, UnaryOp};
use ndarray::ArrayD;

use super::activation::at_the_edges;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{ALONE, ELEMENTWISE, Twin, apply, line, trials, widen};
use crate::oracle::activation::activation;
use crate::random::Random;

fn all() -> impl Iterator<Item = Twin> {
    ELEMENTWISE.iter().chain(ALONE.iter()).copied()
}

fn compute(on: &dyn Executor, function: Activation, input: &ArrayD<f32>) -> ArrayD<f32> {
    let shape = input.shape().to_vec();
    let work =
        Work::Activation(kernel::Geometry { shape, epilogue: function.function().unwrap().into() });
    on.dispatch(&work, 65_535, &[input], input.shape())
}

/// Numbers of every magnitude, and many where functions have their zeros, poles and steps.
fn spread(random: &mut Random, count: usize) -> ArrayD<f32> {
    let one = |random: &mut Random, kind: usize| match kind % 8 {
        0 => random.signed(),
        1 => random.signed() * 100.0,
        // every power of two that is far from flushing
        2 => (1.0 + random.signed().abs()) * exponent(random, -100, 128) * sign(random),
        3 => (1.0 + random.signed().abs()) * exponent(random, -12, 13) * sign(random),
        // halves
        4 => (random.signed() * 64.0).round() * 0.5,
        // multiples of pi / 2, as near as f32 has them
        5 => (random.signed() * 4096.0).round() * std::f32::consts::FRAC_PI_2,
        // beside 1
        6 => f32::from_bits(0x3f80_0000 - 40 + random.range(0, 80) as u32) * sign(random),
        _ => 1.0 + random.signed() * 0.3,
    };
    let values: Vec<f32> = (0..count).map(|kind| one(random, kind)).collect();
    line(&values)
}

fn exponent(random: &mut Random, low: i32, high: i32) -> f32 {
    2f32.powi(low + random.range(0, (high - low) as usize) as i32)
}

fn sign(random: &mut Random) -> f32 {
    *random.pick(&[-1.0, 1.0])
}

pub fn every_function_over_its_range(on: &dyn Executor) {
    trials(4, |random| {
        for twin in all() {
            // One count for kernels of four elements at a time, one for the others.
            for count in [4096, 4095] {
                let input = spread(random, count).mapv(|x| if x.is_finite() { x } else { 1e30 });
                let expected = activation(twin.exact.unwrap(), &widen(&input));
                let actual = compute(on, twin.ours, &input);
                assert_close(&format!("{:?} of {count}", twin.ours), &actual, &expected);
            }
        }
    });
}

pub fn the_edges_are_those_of_numpy(on: &dyn Executor) {
    let edges = [
        f32::NAN,
        -f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        0.0,
        -0.0,
        1.0,
        -1.0,
        1.0 + f32::EPSILON,
        -1.0 - f32::EPSILON,
        0.5,
        -0.5,
        1.5,
        -1.5,
        2.5,
        -2.5,
        8_388_609.0,
        -16_777_217.0,
        89.0,
        -89.0,
        90.0,
        -90.0,
        f32::MIN_POSITIVE,
        0.75,
        0.999_999_94,
        -0.999_999_94,
    ];
    for twin in all() {
        for count in [edges.len(), edges.len() - 1] {
            let input = line(&edges[..count]);
            let actual = compute(on, twin.ours, &input);
            assert_close(&format!("{:?}", twin.ours), &actual, &at_the_edges(twin, &input));
        }
    }
}

pub fn subnormal_numbers_have_logarithms_and_are_not_zero(on: &dyn Executor) {
    let tiny = [f32::from_bits(1), f32::from_bits(0x0040_0000), f32::from_bits(0x007f_ffff)];
    let input = line(&tiny);
    for twin in all().filter(|twin| [Activation::Log, Activation::LogicalNot].contains(&twin.ours))
    {
        let expected = activation(twin.exact.unwrap(), &widen(&input));
        assert_close(&format!("{:?}", twin.ours), &compute(on, twin.ours, &input), &expected);
    }
}

pub fn rare_functions_stand_anywhere_in_an_epilogue(on: &dyn Executor) {
    // log(|x|) and its negative, then the square of the extra operand's product by relu.
    let stages = [UnaryOp::Abs, UnaryOp::Log, UnaryOp::Negative, UnaryOp::Relu];
    let input = line(&[1.0, -1.0, 0.5, -4.0, 0.25, 3.0, -0.125]);
    let stages = stages.map(Stage::Unary).to_vec();
    let geometry = kernel::Geometry { shape: vec![7], epilogue: Epilogue { stages, period: 0 } };
    let actual = on.dispatch(&Work::Activation(geometry), 65_535, &[&input], &[7]);
    for (actual, x) in actual.iter().zip(&input) {
        let expected = (-x.abs().ln()).max(0.0);
        assert!((actual - expected).abs() <= 1e-6 * expected, "{x}: {actual}, not {expected}");
    }
}

pub fn a_layer_applies_a_long_function(on: &dyn Executor) {
    let random = &mut Random::new(5);
    let input = random.uniform(&[3, 5]);
    let kernel = random.uniform(&[5, 4]);
    let weights = crate::golden::weights(&kernel, None);
    let product = apply(on, &input, |g, x| g.dense(x, longshore::Dense::new(4), &weights));
    let both = apply(on, &input, |g, x| {
        g.dense(x, longshore::Dense::new(4).activation(Activation::Erf), &weights)
    });
    let erf = ALONE.iter().find(|twin| twin.ours == Activation::Erf).unwrap();
    assert_close("erf", &both, &activation(erf.exact.unwrap(), &widen(&product)));
}
