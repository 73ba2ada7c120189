//! Sampling by grids: ONNX's cases, random places far outside too, ties, NaN and infinity.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Launch, Work, grid_sample as kernel};
use longshore::{Graph, GridPadding, GridSample, GridSampleMode};
use ndarray::{ArrayD, IxDyn};

use super::pool2d_golden::channels_last;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::load_from;
use crate::golden::{assert_same_bits, batched, narrow, trials, widen, with_one};
use crate::oracle::Expected;
use crate::oracle::grid_sample::{Mode, Padding, Rule, grid_sample};
use crate::random::Random;

/// How many cases of tests/fixtures/onnx/imaging are samplings.
const GOLDEN_CASES: usize = 58;

const MODES: [(Mode, GridSampleMode); 3] = [
    (Mode::Nearest, GridSampleMode::Nearest),
    (Mode::Linear, GridSampleMode::Linear),
    (Mode::Cubic, GridSampleMode::Cubic),
];

const PADDINGS: [(Padding, GridPadding); 3] = [
    (Padding::Zeros, GridPadding::Zeros),
    (Padding::Border, GridPadding::Border),
    (Padding::Reflection, GridPadding::Reflection),
];

pub(crate) fn ours(rule: Rule) -> (GridSampleMode, GridPadding) {
    let mode = MODES.iter().find(|(mode, _)| *mode == rule.mode).unwrap().1;
    (mode, PADDINGS.iter().find(|(padding, _)| *padding == rule.padding).unwrap().1)
}

pub(crate) fn rules() -> impl Iterator<Item = Rule> {
    MODES.iter().flat_map(|&(mode, _)| {
        PADDINGS.iter().flat_map(move |&(padding, _)| {
            [false, true].map(|align_corners| Rule { mode, padding, align_corners })
        })
    })
}

/// Runs a graph of one sampling, with a symbolic batch.
fn sample(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    grid: &ArrayD<f32>,
    layer: GridSample,
) -> ArrayD<f32> {
    let mut g = Graph::new();
    let x = g.input("x", batched(input.shape()));
    let points = g.input("grid", batched(grid.shape()));
    let y = g.grid_sample(x, points, layer).unwrap();
    g.output("y", y);
    let operands = [("x", input), ("grid", grid)];
    on.run(&g, input.shape()[0], &operands).remove("y").unwrap()
}

fn by_rule(on: &dyn Executor, input: &ArrayD<f32>, grid: &ArrayD<f32>, rule: Rule) -> ArrayD<f32> {
    let (mode, padding) = ours(rule);
    let layer = GridSample::new().mode(mode).padding_mode(padding);
    sample(on, input, grid, layer.align_corners(rule.align_corners))
}

/// Dispatches a sampling by hand, which brings NaN and infinity in.
fn by_hand(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    grid: &ArrayD<f32>,
    rule: Rule,
    most: u32,
) -> (Launch, ArrayD<f32>) {
    let rank = input.ndim();
    let (axes, channels) = (rank - 2, input.shape()[rank - 1]);
    let mut sizes = [1; 5];
    sizes[0] = input.shape()[0];
    sizes[4 - axes..].copy_from_slice(&input.shape()[1..]);
    let mut shape = grid.shape().to_vec();
    shape[rank - 1] = channels;
    let (mode, padding) = ours(rule);
    let work = Work::GridSample(kernel::Geometry {
        input: sizes,
        points: shape[1..rank - 1].iter().product(),
        axes,
        mode,
        padding,
        align_corners: rule.align_corners,
    });
    (work.launch("test", most).unwrap(), on.dispatch(&work, most, &[input, grid], &shape))
}

/// Draws points around an input, up to seven pixels outside, none on a border where a result
/// jumps: between two pixels for nearest, at the edges for a border of cubics.
pub(crate) fn draw(
    random: &mut Random,
    rule: Rule,
    lengths: &[usize],
    shape: &[usize],
) -> ArrayD<f32> {
    let widest = if rule.mode == Mode::Linear { 0.5 } else { 0.45 };
    let mut grid = ArrayD::zeros(IxDyn(shape));
    for (index, value) in grid.indexed_iter_mut() {
        let length = lengths[lengths.len() - 1 - index[shape.len() - 1]];
        let pixel = random.range(0, length + 14) as f64 - 7.0;
        let place = pixel + widest * f64::from(random.signed());
        let single = rule.align_corners && length == 1;
        // A single pixel, aligned, is where every coordinate lies.
        let coordinate = if single { place } else { rule.coordinate(place, length) };
        *value = coordinate as f32;
    }
    grid
}

pub fn golden_cases(on: &dyn Executor) {
    let mut count = 0;
    for case in load_from("onnx", "imaging") {
        if case.layer != "GridSample" {
            continue;
        }
        count += 1;
        let text = |key: &str, default: &'static str| {
            case.options[key].as_str().unwrap_or(default).to_owned()
        };
        let mode = match text("mode", "linear").as_str() {
            "nearest" => Mode::Nearest,
            "linear" => Mode::Linear,
            "cubic" => Mode::Cubic,
            other => panic!("{}: {other}", case.name),
        };
        let padding = match text("padding_mode", "zeros").as_str() {
            "zeros" => Padding::Zeros,
            "border" => Padding::Border,
            "reflection" => Padding::Reflection,
            other => panic!("{}: {other}", case.name),
        };
        let rule = Rule { mode, padding, align_corners: case.options["align_corners"] == 1 };
        let input = narrow(&channels_last(case.array("input")));
        let grid = narrow(case.array("grid"));
        let exact = grid_sample(&widen(&input), &widen(&grid), rule);
        let actual = by_rule(on, &input, &grid, rule);
        assert_close(&case.name, &actual, &exact);
        // ONNX's own outputs are written with four digits; its reference holds places in f32.
        let digits = if case.name.starts_with("test") { 1e-4 } else { 0.0 };
        let bound = exact.bound * 2.0 + digits;
        let value = channels_last(case.array("output"));
        assert_close(&case.name, &actual, &Expected { value, bound });
    }
    assert_eq!(count, GOLDEN_CASES);
}

pub fn random_lines_images_and_volumes(on: &dyn Executor) {
    let rules: Vec<Rule> = rules().collect();
    trials(108, |random| {
        let rule = *random.pick(&rules);
        let axes = random.range(1, 4);
        let lengths: Vec<usize> = (0..axes).map(|_| *random.pick(&[1, 2, 3, 5, 7])).collect();
        let (batch, channels) = (random.range(1, 4), *random.pick(&[1, 3, 4, 5, 8]));
        let out: Vec<usize> = (0..axes).map(|_| *random.pick(&[1, 2, 3, 4])).collect();
        let input = random.uniform(&[&[batch], &lengths[..], &[channels]].concat());
        let grid = draw(random, rule, &lengths, &[&[batch], &out[..], &[axes]].concat());
        let actual = by_rule(on, &input, &grid, rule);
        let expected = grid_sample(&widen(&input), &widen(&grid), rule);
        assert_close(&format!("{:?} {rule:?} {grid:?}", input.shape()), &actual, &expected);
    });
}

pub fn every_rule_counts(on: &dyn Executor) {
    let random = &mut Random::new(3);
    let input = random.uniform(&[1, 5, 7, 4]);
    // Few places inside, and the same for all rules.
    let rule = Rule { mode: Mode::Nearest, padding: Padding::Zeros, align_corners: false };
    let grid = draw(random, rule, &[5, 7], &[1, 6, 5, 2]);
    let results: Vec<ArrayD<f32>> = rules().map(|rule| by_rule(on, &input, &grid, rule)).collect();
    for (number, one) in results.iter().enumerate() {
        assert!(results[..number].iter().all(|other| other != one), "rule {number}");
    }
}

pub fn ties_go_to_the_even_pixel_and_x_comes_first(on: &dyn Executor) {
    let input = ArrayD::from_shape_fn(IxDyn(&[1, 1, 4, 1]), |at| 10.0 + at[2] as f32);
    // Places -0.5, 0.5, 1.5, 2.5, 3.5.
    let xs = [-1.0, -0.5, 0.0, 0.5, 1.0];
    let grid =
        ArrayD::from_shape_fn(
            IxDyn(&[1, 1, 5, 2]),
            |at| {
                if at[3] == 0 { xs[at[2]] } else { 0.0f32 }
            },
        );
    let nearest = |padding| {
        let layer = GridSample::new().mode(GridSampleMode::Nearest).padding_mode(padding);
        sample(on, &input, &grid, layer).into_raw_vec_and_offset().0
    };
    assert_eq!(nearest(GridPadding::Zeros), [10.0, 10.0, 12.0, 12.0, 0.0]);
    assert_eq!(nearest(GridPadding::Border), [10.0, 10.0, 12.0, 12.0, 13.0]);
    assert_eq!(nearest(GridPadding::Reflection), [10.0, 10.0, 12.0, 12.0, 13.0]);
}

pub fn a_place_on_a_pixel_is_that_pixel_whatever_stands_around(on: &dyn Executor) {
    let random = &mut Random::new(4);
    for channels in [3, 4] {
        let input = random.uniform(&[1, 3, 5, channels]);
        // Aligned, quarters of an axis of five pixels and halves of three are pixels.
        let grid = ArrayD::from_shape_fn(IxDyn(&[1, 3, 5, 2]), |at| {
            if at[3] == 0 { at[2] as f32 * 0.5 - 1.0 } else { at[1] as f32 - 1.0 }
        });
        for (padding, (mode, _)) in PADDINGS.iter().flat_map(|p| MODES.iter().map(move |m| (p, m)))
        {
            let rule = Rule { mode: *mode, padding: padding.0, align_corners: true };
            assert_same_bits(&format!("{rule:?}"), &by_rule(on, &input, &grid, rule), &input);
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let changed = with_one(&input, &[0, 1, 2, 1], value);
                let found = by_hand(on, &changed, &grid, rule, 65_535).1;
                let same =
                    |one: &f32, other: &f32| one == other || (one.is_nan() && other.is_nan());
                let agrees = found.iter().zip(&changed).all(|(one, other)| same(one, other));
                assert!(agrees, "{rule:?} {value}");
            }
        }
    }
}

pub fn coordinates_that_are_far_or_no_numbers(on: &dyn Executor) {
    let input = Random::new(5).uniform(&[1, 3, 4, 4]);
    for channels in [3, 4] {
        let input = input.clone().slice_move(ndarray::s![.., .., .., ..channels]).into_dyn();
        let input = input.as_standard_layout().into_owned();
        for rule in rules() {
            for (value, other) in
                [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, f32::MAX, -1e9]
                    .into_iter()
                    .flat_map(|value| [(value, 0.1f32), (0.1, value)])
            {
                let grid =
                    ArrayD::from_shape_vec(IxDyn(&[1, 1, 1, 2]), vec![value, other]).unwrap();
                let (_, actual) = by_hand(on, &input, &grid, rule, 65_535);
                let far = if value.abs() < 1.0 { other } else { value };
                let folded = rule.padding == Padding::Reflection;
                // What is as long as this is folded to anywhere.
                if folded && far.is_finite() {
                    let most = if rule.mode == Mode::Cubic { 2.0 } else { 1.0 };
                    // The place of the largest coordinate may be infinite.
                    let lost = |value: f32| value.is_nan() && far == f32::MAX;
                    let fits = |value: &f32| value.abs() <= most || lost(*value);
                    assert!(actual.iter().all(fits), "{rule:?} {far}");
                } else if far.is_nan() || folded {
                    assert!(actual.iter().all(|value| value.is_nan()), "{rule:?} {far}");
                } else {
                    let expected = grid_sample(&widen(&input), &widen(&grid), rule);
                    // Whatever the size of the coordinate, its place is known.
                    let bound = expected.bound.mapv(|_| 1e-5);
                    let value = expected.value;
                    assert_close(&format!("{rule:?} {far}"), &actual, &Expected { value, bound });
                }
            }
        }
    }
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    let rules: Vec<Rule> = rules().collect();
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for (batch, lengths, channels, points) in [
        (1, vec![1, 1], 1, 1),
        (2, vec![13, 11], 5, 63),
        (3, vec![7, 9], 12, 64),
        (1, vec![3, 4, 5], 4, 65),
        (2, vec![3, 2, 5], 3, 129),
        (1, vec![8, 8], 64, 49),
    ] {
        for _ in 0..4 {
            let rule = *random.pick(&rules);
            let axes = lengths.len();
            let input = random.uniform(&[&[batch], &lengths[..], &[channels]].concat());
            let shape = [&[batch], &vec![1; axes - 1][..], &[points, axes]].concat();
            let grid = draw(random, rule, &lengths, &shape);
            let (launch, actual) = by_hand(on, &input, &grid, rule, 12);
            entries.insert(launch.kernel.entry);
            folded.extend((launch.workgroups[1] > 1).then_some(launch.kernel.entry));
            let expected = grid_sample(&widen(&input), &widen(&grid), rule);
            assert_close(&format!("{:?} {rule:?}", input.shape()), &actual, &expected);
        }
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn what_is_empty_stays_so(on: &dyn Executor) {
    let layer = GridSample::new;
    let found =
        sample(on, &ArrayD::zeros(vec![2, 0, 3, 1]), &ArrayD::zeros(vec![2, 0, 4, 2]), layer());
    assert_eq!(found.shape(), [2, 0, 4, 1]);
    let found =
        sample(on, &ArrayD::zeros(vec![2, 4, 3, 0]), &ArrayD::zeros(vec![2, 5, 4, 2]), layer());
    assert_eq!(found.shape(), [2, 5, 4, 0]);
}
