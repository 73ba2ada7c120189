//! Resampling on the device: `resize2d` and `up_sampling2d`.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, resize2d as kernel};
use longshore::ops::{AxisMap, Sampling};
use longshore::{Coordinates, Interpolation, Resize2d, UpSampling2d};
use ndarray::{ArrayD, IxDyn};

use super::epilogue::both;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{apply, assert_same_bits, cases, check, narrow, trials, widen, with_one};
use crate::oracle::Expected;
use crate::oracle::resize2d as exact;
use crate::random::Random;

const INTERPOLATIONS: [(&str, Interpolation, exact::Interpolation); 5] = [
    ("nearest", Interpolation::Nearest, exact::Interpolation::Nearest),
    ("bilinear", Interpolation::Bilinear, exact::Interpolation::Bilinear),
    ("bicubic", Interpolation::Bicubic, exact::Interpolation::Bicubic),
    ("lanczos3", Interpolation::Lanczos3, exact::Interpolation::Lanczos3),
    ("lanczos5", Interpolation::Lanczos5, exact::Interpolation::Lanczos5),
];

const COORDINATES: [(&str, Coordinates, exact::Coordinates); 3] = [
    ("half_pixel", Coordinates::HalfPixel, exact::Coordinates::HalfPixel),
    ("align_corners", Coordinates::AlignCorners, exact::Coordinates::AlignCorners),
    ("asymmetric", Coordinates::Asymmetric, exact::Coordinates::Asymmetric),
];

/// One rule on both sides.
#[derive(Clone, Copy, Debug)]
struct Rule {
    interpolation: (&'static str, Interpolation, exact::Interpolation),
    coordinates: (&'static str, Coordinates, exact::Coordinates),
}

impl Rule {
    fn all() -> Vec<Rule> {
        let with = |coordinates| {
            INTERPOLATIONS.map(|interpolation| Rule { interpolation, coordinates }).to_vec()
        };
        COORDINATES.into_iter().flat_map(with).collect()
    }

    fn layer(self, size: (usize, usize)) -> Resize2d {
        Resize2d::new(size).interpolation(self.interpolation.1).coordinates(self.coordinates.1)
    }

    fn oracle(self, input: &ArrayD<f32>, (height, width): (usize, usize)) -> Expected {
        let (interpolation, coordinates) = (self.interpolation.2, self.coordinates.2);
        exact::resize2d(&widen(input), height, width, interpolation, coordinates)
    }

    fn dispatch(
        self,
        on: &dyn Executor,
        input: &ArrayD<f32>,
        (height, width): (usize, usize),
        most: u32,
    ) -> ([&'static str; 2], u32, ArrayD<f32>) {
        let shape = <[usize; 4]>::try_from(input.shape()).unwrap();
        let geometry = |epilogue| kernel::Geometry {
            input: shape,
            rows: AxisMap::sized(shape[1], height),
            columns: AxisMap::sized(shape[2], width),
            sampling: Sampling::keras(self.interpolation.1, self.coordinates.1, false),
            epilogue,
        };
        let output = [shape[0], height, width, shape[3]];
        both(on, |epilogue| Work::Resize2d(geometry(epilogue)), most, &[input], &output)
    }
}

/// Finds what a case names.
fn named<T: Copy>(case: &Case, key: &str, known: &[(&'static str, T, impl Copy)]) -> usize {
    let name = case.text(key);
    let found = known.iter().position(|(known, ..)| *known == name);
    found.unwrap_or_else(|| panic!("{}: unknown {key} {name}", case.name))
}

pub fn golden_cases_of_resize2d(on: &dyn Executor) {
    for case in cases("resize2d", 75, &["size", "interpolation", "coordinates"]) {
        let rule = Rule {
            interpolation: INTERPOLATIONS[named(&case, "interpolation", &INTERPOLATIONS)],
            coordinates: COORDINATES[named(&case, "coordinates", &COORDINATES)],
        };
        let (input, size) = (narrow(case.array("input")), case.pair("size"));
        let actual = apply(on, &input, |g, x| g.resize2d(x, rule.layer(size)));
        let oracle = rule.oracle(&input, size);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn golden_cases_of_up_sampling2d(on: &dyn Executor) {
    for case in cases("up_sampling2d", 30, &["size", "interpolation"]) {
        let (_, ours, theirs) = INTERPOLATIONS[named(&case, "interpolation", &INTERPOLATIONS)];
        let (input, size) = (narrow(case.array("input")), case.pair("size"));
        let actual = apply(on, &input, |g, x| g.up_sampling2d(x, UpSampling2d::new(size, ours)));
        let oracle = exact::up_sampling2d(&widen(&input), size, theirs);
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn random_shapes_and_rules(on: &dyn Executor) {
    trials(15, |random| {
        for rule in Rule::all() {
            let sizes = [1, 2, 3, 5, 7, 8, 13];
            let mut side = || *random.pick(&sizes);
            let (height, width, size) = (side(), side(), (side(), side()));
            let (batch, channels) = (random.range(1, 4), *random.pick(&[1, 3, 4, 5]));
            let input = random.uniform(&[batch, height, width, channels]);
            let actual = apply(on, &input, |g, x| g.resize2d(x, rule.layer(size)));
            let what = format!("{:?} to {size:?}, {rule:?}", input.shape());
            assert_close(&what, &actual, &rule.oracle(&input, size));
        }
    });
}

pub fn up_sampling2d_by_every_interpolation(on: &dyn Executor) {
    trials(12, |random| {
        for (_, ours, theirs) in INTERPOLATIONS {
            let (height, width) = (random.range(1, 7), random.range(1, 7));
            let factors = (random.range(1, 5), random.range(1, 5));
            let input = random.uniform(&[2, height, width, 3]);
            let actual =
                apply(on, &input, |g, x| g.up_sampling2d(x, UpSampling2d::new(factors, ours)));
            let expected = exact::up_sampling2d(&widen(&input), factors, theirs);
            assert_close(
                &format!("{height} by {width}, {factors:?}, {ours:?}"),
                &actual,
                &expected,
            );
        }
    });
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for rule in Rule::all() {
        for ([batch, height, width, channels], size) in [
            ([1, 1, 1, 1], (1, 1)),
            ([1, 2, 3, 1], (9, 7)),
            ([1, 5, 3, 1], (8, 8)),
            ([1, 3, 4, 1], (13, 5)),
            ([3, 7, 5, 4], (3, 13)),
            ([2, 1, 6, 3], (8, 4)),
            ([2, 3, 5, 3], (7, 11)),
            ([2, 3, 5, 12], (7, 11)),
        ] {
            let input = random.uniform(&[batch, height, width, channels]);
            let (found, y, actual) = rule.dispatch(on, &input, size, 3);
            entries.extend(found);
            folded.extend((y > 1).then_some(found).into_iter().flatten());
            let what = format!("{:?} to {size:?}, {rule:?}", input.shape());
            assert_close(&what, &actual, &rule.oracle(&input, size));
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn nearest_copies_the_bits_of_nan_and_infinity(on: &dyn Executor) {
    let odd = [0x7fc0_1234, 0xffc0_0001, 0x7f80_0000, 0xff80_0000, 0x8000_0000, 0x3f80_0001];
    let values: Vec<f32> = odd.into_iter().map(f32::from_bits).collect();
    let input = ArrayD::from_shape_vec(IxDyn(&[1, 2, 3, 1]), values).unwrap();
    for coordinates in COORDINATES {
        let rule = Rule { interpolation: INTERPOLATIONS[0], coordinates };
        let (_, _, actual) = rule.dispatch(on, &input, (6, 9), 65_535);
        // Numbers in place of the values tell which pixel the oracle copies.
        let numbers = ArrayD::from_shape_fn(IxDyn(&[1, 2, 3, 1]), |at| (at[1] * 3 + at[2]) as f32);
        let from = rule.oracle(&numbers, (6, 9)).value;
        let expected = from.mapv(|number| f32::from_bits(odd[number as usize]));
        assert_same_bits(coordinates.0, &actual, &expected);
    }
}

pub fn nan_and_infinity_reach_the_pixels_that_use_them_and_no_other(on: &dyn Executor) {
    let random = &mut Random::new(8);
    for rule in Rule::all() {
        for size in [(14, 15), (6, 10), (9, 3)] {
            let input = random.uniform(&[2, 7, 5, 2]);
            let (_, _, clean) = rule.dispatch(on, &input, size, 65_535);
            // The weight of one pixel in each output element, and how far it may be off.
            let place = [1, 3, 2, 0];
            let unit = with_one(&ArrayD::zeros(IxDyn(&[2, 7, 5, 2])), &place, 1.0);
            let weight = rule.oracle(&unit, size);
            let mut reached = 0;
            for value in [f32::NAN, f32::INFINITY] {
                let (entry, _, actual) =
                    rule.dispatch(on, &with_one(&input, &place, value), size, 65_535);
                for ((index, found), before) in actual.indexed_iter().zip(&clean) {
                    let (weight, slack) = (weight.value[&index], weight.bound[&index]);
                    if weight.abs() > slack {
                        reached += 1;
                        assert!(
                            !found.is_finite(),
                            "{entry:?}: {value} misses {index:?}, {rule:?}"
                        );
                    } else if weight == 0.0 {
                        assert_eq!(
                            found.to_bits(),
                            before.to_bits(),
                            "{entry:?}: {value} reaches {index:?}, {rule:?}"
                        );
                    }
                }
            }
            // A smaller image may leave the pixel out.
            assert!(reached > 0 || size.0 < 7 || size.1 < 5, "{rule:?} {size:?}");
        }
    }
}
