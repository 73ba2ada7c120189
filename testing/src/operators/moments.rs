//! Mean and inverse deviation of rows.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, moments as kernel};
use longshore::ops::normalization::moments::Part;
use ndarray::{ArrayD, Dimension, IxDyn};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{trials, widen};
use crate::oracle::Expected;
use crate::oracle::moments::{Rule, moments};
use crate::random::Random;

/// The oracle's moments of each row, along a last axis of 2; kept axes only.
fn exact(input: &ArrayD<f32>, axes: &[usize], rule: Rule) -> Expected {
    let kept: Vec<usize> = (0..input.ndim()).filter(|axis| !axes.contains(axis)).collect();
    let mut shape: Vec<usize> = kept.iter().map(|&axis| input.shape()[axis]).collect();
    let mut rows = ArrayD::from_elem(IxDyn(&shape), Vec::new());
    for (index, &x) in widen(input).indexed_iter() {
        let place: Vec<usize> = kept.iter().map(|&axis| index.slice()[axis]).collect();
        rows[place.as_slice()].push(x);
    }
    shape.push(2);
    let mut value = ArrayD::zeros(IxDyn(&shape));
    let mut bound = ArrayD::zeros(IxDyn(&shape));
    for (place, row) in rows.indexed_iter() {
        for (number, near) in moments(row, rule).into_iter().enumerate() {
            let mut at = place.slice().to_vec();
            at.push(number);
            value[at.as_slice()] = near.value;
            bound[at.as_slice()] = near.bound;
        }
    }
    Expected { value, bound }
}

fn raw(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    axes: &[usize],
    rule: Rule,
    part: Part,
    most: u32,
) -> (ArrayD<f32>, &'static str, bool) {
    let reduced: Vec<bool> = (0..input.ndim()).map(|axis| axes.contains(&axis)).collect();
    let kept = input.shape().iter().zip(&reduced).filter(|(_, gone)| !**gone);
    let mut shape: Vec<usize> = kept.map(|(&length, _)| length).collect();
    shape.extend((part == Part::Both).then_some(2));
    let geometry = kernel::Geometry {
        input: input.shape().to_vec(),
        reduced,
        is_centered: rule.is_centered,
        epsilon: rule.epsilon as f32,
        floor: rule.floor as f32,
        part,
    };
    let work = Work::Moments(geometry);
    let launch = work.launch("test", most).unwrap();
    let actual = on.dispatch(&work, most, &[input], &shape);
    (actual, launch.kernel.entry, launch.workgroups[1] > 1)
}

const RULE: Rule = Rule { is_centered: true, epsilon: 0.0078125, floor: 0.0 };

pub fn random_shapes_and_axes(on: &dyn Executor) {
    trials(40, |random| {
        let rank = random.range(1, 7);
        let shape: Vec<usize> = (0..rank).map(|_| *random.pick(&[1, 2, 3, 5, 7])).collect();
        let axes: Vec<usize> = (0..rank).filter(|_| random.range(0, 2) == 0).collect();
        let input = random.uniform(&shape) * 3.0;
        let rule = Rule { is_centered: random.range(0, 3) > 0, epsilon: 0.0625, floor: 0.25 };
        let (actual, ..) = raw(on, &input, &axes, rule, Part::Both, 65_535);
        assert_close(&format!("{shape:?} over {axes:?}"), &actual, &exact(&input, &axes, rule));
    });
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(3);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let shapes: [(&[usize], &[usize]); 9] = [
        (&[1], &[0]),
        (&[64, 3], &[1]),
        (&[65, 5], &[1]),
        (&[7, 257], &[0]),
        (&[2, 255], &[1]),
        (&[7, 256], &[1]),
        (&[3, 4097], &[1]),
        (&[2, 20, 3, 30], &[1, 3]),
        (&[3, 2, 65, 2, 3, 2], &[1, 3, 5]),
    ];
    for (shape, axes) in shapes {
        for is_centered in [true, false] {
            let input = random.uniform(shape).mapv(|x| 2.0 * x + 0.5);
            let rule = Rule { is_centered, ..RULE };
            let expected = exact(&input, axes, rule);
            let last = ndarray::Axis(expected.value.ndim() - 1);
            for (part, number) in
                [(Part::Both, None), (Part::Mean, Some(0)), (Part::InverseDeviation, Some(1))]
            {
                let (actual, entry, is_folded) = raw(on, &input, axes, rule, part, 4);
                entries.insert(entry);
                folded.extend(is_folded.then_some(entry));
                let expected = match number {
                    None => expected.clone(),
                    Some(number) => Expected {
                        value: expected.value.index_axis(last, number).to_owned(),
                        bound: expected.bound.index_axis(last, number).to_owned(),
                    },
                };
                assert_close(&format!("{part:?} of {shape:?} over {axes:?}"), &actual, &expected);
            }
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn a_large_mean_does_not_drown_the_variance(on: &dyn Executor) {
    let random = &mut Random::new(5);
    for length in [100, 4096, 100_000] {
        // Variance 1 round 10^4: the mean of the squares has no digit left for it.
        let input = random.uniform(&[2, length]).mapv(|x| 1e4 + 3f32.sqrt() * x);
        let rule = Rule { is_centered: true, epsilon: 0.0, floor: 0.0 };
        let (actual, ..) = raw(on, &input, &[1], rule, Part::Both, 65_535);
        let mut expected = exact(&input, &[1], rule);
        assert_close(&format!("{length}"), &actual, &expected);
        expected.bound.mapv_inplace(|_| 2e-3);
        expected.bound.index_axis_mut(ndarray::Axis(1), 1).fill(1e-4);
        assert_close(&format!("{length}, plainly"), &actual, &expected);
    }
}

pub fn equal_elements_have_no_variance(on: &dyn Executor) {
    for length in [7, 300] {
        let input = ArrayD::from_elem(IxDyn(&[1, length]), 1234.567f32);
        let rule = Rule { is_centered: true, epsilon: 0.0625, floor: 0.0 };
        let (actual, ..) = raw(on, &input, &[1], rule, Part::Both, 65_535);
        assert_eq!(actual[[0, 0]], 1234.567);
        assert!((actual[[0, 1]] - 4.0).abs() < 1e-5);
    }
}

pub fn nan_and_infinity_stay_in_their_row(on: &dyn Executor) {
    for length in [5, 300] {
        let clean = Random::new(4).uniform(&[3, length]);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, length - 1] {
                let input = crate::golden::with_one(&clean, &[1, at], value);
                let (actual, ..) = raw(on, &input, &[1], RULE, Part::Both, 65_535);
                assert!(actual[[1, 1]].is_nan(), "{value} at {at}: {actual}");
                let finite = actual.iter().filter(|value| value.is_finite()).count();
                assert!(finite >= 4, "{actual}");
                assert!(actual[[0, 0]].is_finite() && actual[[2, 1]].is_finite());
            }
        }
    }
}
