//! Padding and cropping, in every mode: bit for bit.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, pad as kernel};
use longshore::{CenterCropPad, Pad, PadMode, Pads};
use ndarray::ArrayD;

use super::copy::{apply_fixed, random_shape, shuffled, signed};
use crate::executor::Executor;
use crate::golden::{apply, assert_same_bits, trials};
use crate::oracle::pad::{Mode, pad};
use crate::random::Random;

/// A shape, and what is put before and behind each axis.
type PadCase<'a> = (&'a [usize], &'a [(i64, i64)]);

const VALUE: f32 = -3.25;

/// Each mode on both sides.
const MODES: [(PadMode, Mode<f32>); 4] = [
    (PadMode::Constant(VALUE), Mode::Constant(VALUE)),
    (PadMode::Edge, Mode::Edge),
    (PadMode::Reflect, Mode::Reflect),
    (PadMode::Wrap, Mode::Wrap),
];

/// Pads for an axis: often none, now and then longer than the axis, never taking it all.
fn random_pads(random: &mut Random, length: usize) -> (isize, isize) {
    if random.range(0, 3) == 0 {
        return (0, 0);
    }
    let most = length as isize - 1;
    let mut left = most;
    let mut side = |random: &mut Random| {
        let pad = random.range(0, 3 * length + 4) as isize - 3;
        let pad = pad.max(-left);
        left += pad.min(0);
        pad
    };
    (side(random), side(random))
}

pub fn every_mode_on_random_ranks_and_axes(on: &dyn Executor) {
    trials(160, |random| {
        let (mode, twin) = *random.pick(&MODES);
        let shape = random_shape(random, 1..7, false);
        let input = random.uniform(&shape);
        let number = if shape.len() > 4 { 3 } else { shape.len() };
        let axes = shuffled(random, shape.len())[..number].to_vec();
        let mut pads = vec![(0, 0); shape.len()];
        for &axis in &axes {
            pads[axis] = random_pads(random, shape[axis]);
        }
        let named: Vec<isize> = axes.iter().map(|&k| signed(random, k, shape.len())).collect();
        let layer = Pad::new(axes.iter().map(|&axis| pads[axis])).mode(mode).axes(named);
        let actual = apply_fixed(on, &input, |g, x| g.pad(x, layer));
        let wide: Vec<(i64, i64)> = pads.iter().map(|&(a, b)| (a as i64, b as i64)).collect();
        assert_same_bits(
            &format!("{mode:?} {shape:?} {pads:?}"),
            &actual,
            &pad(&input, &wide, twin),
        );
    });
}

pub fn all_six_axes_at_once(on: &dyn Executor) {
    let random = &mut Random::new(2);
    let input = random.uniform(&[2, 1, 3, 2, 1, 2]);
    let pads = [(1, 0), (0, 2), (2, 1), (0, 1), (1, 1), (3, 2)];
    for (mode, twin) in MODES {
        let layer = Pad::new(pads.map(|(a, b)| (a as isize, b as isize))).mode(mode);
        let actual = apply_fixed(on, &input, |g, x| g.pad(x, layer));
        assert_same_bits(&format!("{mode:?}"), &actual, &pad(&input, &pads, twin));
    }
}

pub fn empty_axes_take_constants(on: &dyn Executor) {
    let input = Random::new(1).uniform(&[2, 0, 3]);
    let layer = Pad::new([(0, 0), (2, 1), (0, 1)]).mode(PadMode::Constant(VALUE));
    let actual = apply_fixed(on, &input, |g, x| g.pad(x, layer));
    assert_eq!(actual, ArrayD::from_elem(vec![2, 3, 4], VALUE));
    let input = Random::new(1).uniform(&[2, 3]);
    let layer = Pad::new([(0, 0), (-1, -2)]).mode(PadMode::Edge);
    assert_eq!(apply_fixed(on, &input, |g, x| g.pad(x, layer)).shape(), [2, 0]);
    let layer = Pad::new([(0, 0), (-3, 2)]).mode(PadMode::Constant(VALUE));
    let actual = apply_fixed(on, &input, |g, x| g.pad(x, layer));
    assert_eq!(actual, ArrayD::from_elem(vec![2, 2], VALUE));
}

pub fn keras_layers_of_images(on: &dyn Executor) {
    let random = &mut Random::new(6);
    let input = random.uniform(&[3, 4, 5, 2]);
    let sides = ((1, 2), (0, 3));
    let pads = [(0, 0), (1, 2), (0, 3), (0, 0)];
    let actual = apply(on, &input, |g, x| g.zero_padding2d(x, sides));
    assert_same_bits("zero_padding2d", &actual, &pad(&input, &pads, Mode::Constant(0.0)));
    let crops = pads.map(|(a, b)| (-a, -b));
    let actual = apply(on, &input, |g, x| g.cropping2d(x, Pads::from(sides)));
    assert_same_bits("cropping2d", &actual, &pad(&input, &crops, Mode::Constant(0.0)));
    for (pads, same) in [(Pads::from(1), (1, 1)), (Pads::from((1, 2)), (1, 2))] {
        let (height, width) = same;
        let wide = [(0, 0), (height, height), (width, width), (0, 0)];
        let actual = apply(on, &input, |g, x| g.zero_padding2d(x, pads));
        assert_same_bits("pairs", &actual, &pad(&input, &wide, Mode::Constant(0.0)));
    }
}

pub fn the_middle_stays_in_the_middle(on: &dyn Executor) {
    let random = &mut Random::new(7);
    let input = random.uniform(&[2, 5, 4, 7]);
    let target = CenterCropPad::new([2, 9, 4]).axes([1, -2, 3]);
    let actual = apply(on, &input, |g, x| g.center_crop_pad(x, target));
    let pads = [(0, 0), (-1, -2), (2, 3), (-1, -2)];
    assert_same_bits("center_crop_pad", &actual, &pad(&input, &pads, Mode::Constant(0.0)));
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    let random = &mut Random::new(9);
    let cases: [PadCase<'_>; 8] = [
        (&[1], &[(0, 1)]),
        (&[61], &[(1, 1)]),
        (&[64], &[(130, 131)]),
        (&[5, 7, 3], &[(0, 0), (2, 9), (0, 0)]),
        (&[7, 13, 8], &[(0, 3), (2, 9), (0, 0)]),
        (&[9, 2, 6], &[(3, 1), (0, 0), (0, 0)]),
        (&[9, 2, 6], &[(3, 1), (1, 0), (0, 0)]),
        (&[4, 4], &[(-1, 70), (0, 0)]),
    ];
    for (shape, pads) in cases {
        for (mode, twin) in MODES {
            let input = random.uniform(shape);
            let narrow = pads.iter().map(|&(a, b)| [a as isize, b as isize]).collect();
            let work = Work::Pad(kernel::Geometry { input: shape.to_vec(), pads: narrow, mode });
            let launch = work.launch("test", 3).unwrap();
            entries.insert(launch.kernel.entry);
            folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
            let expected = pad(&input, pads, twin);
            let actual = on.dispatch(&work, 3, &[&input], expected.shape());
            assert_same_bits(&format!("{shape:?} {pads:?} {mode:?}"), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn fours_need_an_unpadded_end_in_whole_vectors(_: &dyn Executor) {
    let entry = |shape: &[usize], pads: &[[isize; 2]]| {
        let mode = PadMode::Edge;
        let geometry = kernel::Geometry { input: shape.to_vec(), pads: pads.to_vec(), mode };
        Work::Pad(geometry).launch("test", 65_535).unwrap().kernel.entry
    };
    assert_eq!(entry(&[3, 8], &[[1, 0], [0, 0]]), "pad4");
    assert_eq!(entry(&[3, 2, 2], &[[1, 0], [0, 0], [0, 0]]), "pad4");
    assert_eq!(entry(&[3, 8], &[[-1, 2], [0, 0]]), "pad4");
    assert_eq!(entry(&[3, 8], &[[0, 0], [1, 0]]), "pad");
    assert_eq!(entry(&[3, 8], &[[1, 0], [-4, 4]]), "pad");
    assert_eq!(entry(&[3, 6], &[[1, 0], [0, 0]]), "pad");
    // What is left is a multiple of 4, but rows begin elsewhere.
    assert_eq!(entry(&[3, 6], &[[1, 0], [-2, 0]]), "pad");
    assert_eq!(entry(&[3, 8], &[[1, 0], [-2, -2]]), "pad");
}

pub fn bits_are_kept(on: &dyn Executor) {
    let odd = [0x7fc0_1234, 0x7f80_0001, 1, 0x8000_0000].map(f32::from_bits);
    let input = crate::golden::line(&odd).into_shape_with_order(vec![1, 4]).unwrap();
    let value = f32::from_bits(0xffc0_4321);
    for (pads, entry) in [([[1, 0], [0, 0]], "pad4"), ([[1, 0], [0, 1]], "pad")] {
        let mode = PadMode::Constant(value);
        let geometry = kernel::Geometry { input: vec![1, 4], pads: pads.to_vec(), mode };
        let work = Work::Pad(geometry);
        assert_eq!(work.launch("test", 65_535).unwrap().kernel.entry, entry);
        let wide = pads.map(|[a, b]| (a as i64, b as i64));
        let expected = pad(&input, &wide, Mode::Constant(value));
        let actual = on.dispatch(&work, 65_535, &[&input], expected.shape());
        assert_same_bits(entry, &actual, &expected);
    }
}
