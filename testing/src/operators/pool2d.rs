//! Pooling on the device: windows, lines and whole images.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, pool2d as kernel};
use longshore::{Graph, PoolMode, Pooling, Result, Symbol};
use ndarray::{ArrayD, Axis, IxDyn};

use super::epilogue::both;
use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{apply, trials, widen, with_one};
use crate::oracle::Expected;
use crate::oracle::conv2d::Padding;
use crate::oracle::pool2d::{Mode, Pool, global_pool2d, pool2d};
use crate::random::Random;
use crate::window::Window;

const MODES: [Mode; 6] =
    [Mode::Max, Mode::Average, Mode::Lp(1), Mode::Lp(2), Mode::Lp(3), Mode::Lp(20)];

fn ours(mode: Mode) -> PoolMode {
    match mode {
        Mode::Max => PoolMode::Max,
        Mode::Average => PoolMode::Average,
        Mode::Lp(p) => PoolMode::Lp(p),
    }
}

pub(crate) fn layer(pool: &Pool) -> Pooling {
    let padding = Window {
        kernel: pool.kernel,
        strides: pool.strides,
        dilation: pool.dilation,
        padding: pool.padding,
    };
    Pooling::new(pool.kernel)
        .strides(pool.strides)
        .dilation(pool.dilation)
        .padding(padding.ours())
        .ceil_mode(pool.ceil)
        .count_include_pad(pool.count_include_pad)
}

pub(crate) fn add(g: &mut Graph, x: Symbol, pool: &Pool) -> Result<Symbol> {
    match pool.mode {
        Mode::Max => g.max_pooling2d(x, layer(pool)),
        Mode::Average => g.average_pooling2d(x, layer(pool)),
        Mode::Lp(p) => g.lp_pooling2d(x, p, layer(pool)),
    }
}

/// Draws a pooling that fits an image.
pub(crate) fn draw(random: &mut Random, height: usize, width: usize) -> Pool {
    let Window { kernel, strides, dilation, padding } = Window::draw(random, height, width);
    let mode = *random.pick(&MODES);
    Pool {
        mode,
        kernel,
        strides,
        dilation,
        padding,
        ceil: *random.pick(&[true, false]),
        count_include_pad: mode == Mode::Average && *random.pick(&[true, false]),
    }
}

fn plain(mode: Mode, kernel: (usize, usize), strides: (usize, usize)) -> Pool {
    Pool {
        mode,
        kernel,
        strides,
        dilation: (1, 1),
        padding: Padding::Valid,
        ceil: false,
        count_include_pad: false,
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(150, |random| {
        let sizes = [1, 2, 3, 5, 7, 8, 13];
        let (height, width) = (*random.pick(&sizes), *random.pick(&sizes));
        let (batch, channels) = (random.range(1, 4), *random.pick(&[1, 3, 4, 5, 8]));
        let input = random.uniform(&[batch, height, width, channels]);
        let pool = draw(random, height, width);
        let actual = apply(on, &input, |g, x| add(g, x, &pool));
        let what = format!("{:?}, {pool:?}", input.shape());
        assert_close(&what, &actual, &pool2d(&widen(&input), &pool));
    });
}

pub fn same_on_images_that_are_not_square_with_dilation(on: &dyn Executor) {
    let random = &mut Random::new(3);
    for padding in [Padding::Same, Padding::SameLower] {
        for (mode, channels) in [(Mode::Max, 4), (Mode::Average, 3), (Mode::Lp(2), 4)] {
            // Taking the width for the height would pad by -30; the undilated kernel by half.
            let mut pool = plain(mode, (3, 3), (1, 1));
            (pool.padding, pool.dilation) = (padding, (2, 1));
            let input = random.uniform(&[1, 32, 64, channels]);
            let actual = apply(on, &input, |g, x| add(g, x, &pool));
            assert_eq!(actual.shape(), [1, 32, 64, channels]);
            assert_close(&format!("{pool:?}"), &actual, &pool2d(&widen(&input), &pool));
        }
    }
}

pub fn a_last_window_that_begins_on_the_padding_is_dropped(on: &dyn Executor) {
    let image = ArrayD::from_shape_fn(IxDyn(&[1, 3, 3, 1]), |at| (at[1] * 3 + at[2]) as f32);
    let padding = Padding::Explicit { top: 1, bottom: 1, left: 1, right: 1 };
    let mut pool = plain(Mode::Average, (3, 3), (3, 3));
    (pool.padding, pool.ceil, pool.count_include_pad) = (padding, true, true);
    let actual = apply(on, &image, |g, x| add(g, x, &pool));
    assert_eq!(actual.shape(), [1, 2, 2, 1]);
    // Nine taps begin the image; of the last window's, one row and column lie beyond the padding.
    assert_eq!(actual.into_raw_vec_and_offset().0, [8.0 / 9.0, 7.0 / 6.0, 13.0 / 6.0, 2.0]);
}

pub fn windows_on_the_padding_alone(on: &dyn Executor) {
    // Taps of the two windows: -2 and 3, then -1 and 4.
    let input = ArrayD::ones(IxDyn(&[1, 1, 3, 4]));
    let result = |mode, count_include_pad| {
        let mut pool = plain(mode, (1, 2), (1, 1));
        (pool.padding, pool.dilation) = (Padding::Same, (1, 5));
        pool.count_include_pad = count_include_pad;
        apply(on, &input, |g, x| add(g, x, &pool))[[0, 0, 0, 0]]
    };
    assert_eq!(result(Mode::Max, false), f32::NEG_INFINITY);
    assert!(result(Mode::Average, false).is_nan());
    assert_eq!(result(Mode::Average, true), 0.0);
    assert_eq!(result(Mode::Lp(2), false), 0.0);
}

pub fn norms_of_very_large_and_very_small_values(on: &dyn Executor) {
    for (scale, channels) in [(3e38f32, 4), (1e38, 3), (1e-30, 4), (1e-36, 1)] {
        for p in [2, 3, 7, 100, u16::MAX] {
            let input = Random::new(5).uniform(&[1, 3, 3, channels]) * (scale * 0.25);
            let pool = plain(Mode::Lp(p), (3, 3), (1, 1));
            let actual = apply(on, &input, |g, x| add(g, x, &pool));
            assert!(actual.iter().all(|value| value.is_finite() && *value > 0.0));
            assert_close(&format!("{scale} {p}"), &actual, &pool2d(&widen(&input), &pool));
        }
    }
}

pub fn lines(on: &dyn Executor) {
    trials(30, |random| {
        let (length, channels) = (*random.pick(&[1, 2, 7, 13, 64, 65]), *random.pick(&[1, 4, 6]));
        let input = random.uniform(&[2, length, channels]);
        let mut pool = draw(random, 1, length);
        (pool.kernel.0, pool.strides.0, pool.dilation.0) = (1, 1, 1);
        if let Padding::Explicit { top, bottom, .. } = &mut pool.padding {
            (*top, *bottom) = (0, 0);
        }
        let actual = apply(on, &input, |g, x| match pool.mode {
            Mode::Max => g.max_pooling1d(x, layer(&pool)),
            Mode::Average => g.average_pooling1d(x, layer(&pool)),
            Mode::Lp(p) => g.lp_pooling1d(x, p, layer(&pool)),
        });
        let image = widen(&input).insert_axis(Axis(1));
        let expected = pool2d(&image, &pool);
        let expected = Expected {
            value: expected.value.remove_axis(Axis(1)),
            bound: expected.bound.remove_axis(Axis(1)),
        };
        assert_close(&format!("{:?} {pool:?}", input.shape()), &actual, &expected);
    });
}

pub fn whole_images_and_lines(on: &dyn Executor) {
    let random = &mut Random::new(4);
    // The last two are pooled row by row first.
    for shape in
        [[1, 1, 1, 1], [2, 7, 7, 64], [3, 5, 1, 3], [1, 32, 32, 4], [2, 33, 32, 4], [1, 63, 65, 3]]
    {
        let input = random.uniform(&shape);
        let [batch, _, _, channels] = shape;
        for mode in MODES {
            let expected = global_pool2d(&widen(&input), mode);
            let pooled = |keepdims| {
                apply(on, &input, |g, x| match ours(mode) {
                    PoolMode::Max => g.global_max_pooling2d(x, keepdims),
                    PoolMode::Average => g.global_average_pooling2d(x, keepdims),
                    PoolMode::Lp(p) => g.global_lp_pooling2d(x, p, keepdims),
                })
            };
            let kept = pooled(true);
            assert_close(&format!("{shape:?} {mode:?}"), &kept, &expected);
            let flat = pooled(false);
            assert_eq!(flat.shape(), [batch, channels]);
            assert!(flat.iter().eq(kept.iter()));
        }
    }
    let line = random.uniform(&[2, 65, 5]);
    let image = widen(&line).insert_axis(Axis(1));
    for keepdims in [false, true] {
        for (mode, actual) in [
            (Mode::Max, apply(on, &line, |g, x| g.global_max_pooling1d(x, keepdims))),
            (Mode::Average, apply(on, &line, |g, x| g.global_average_pooling1d(x, keepdims))),
        ] {
            assert_eq!(actual.ndim(), if keepdims { 3 } else { 2 });
            let actual = actual.into_shape_with_order(IxDyn(&[2, 1, 1, 5])).unwrap();
            assert_close("a line", &actual, &global_pool2d(&image, mode));
        }
    }
}

/// Dispatches a pooling by hand, with stages as well; returns the entries, the folded rows and the result.
fn by_hand(
    on: &dyn Executor,
    input: &ArrayD<f32>,
    pool: &Pool,
    most: u32,
) -> ([&'static str; 2], u32, ArrayD<f32>) {
    let expected = pool2d(&widen(input), pool);
    let window = Window {
        kernel: pool.kernel,
        strides: pool.strides,
        dilation: pool.dilation,
        padding: pool.padding,
    };
    let shape = <[usize; 4]>::try_from(input.shape()).unwrap();
    let (rows, columns) = (window.amounts(0, shape[1]), window.amounts(1, shape[2]));
    let make = |epilogue| {
        Work::Pool2d(kernel::Geometry {
            input: shape,
            output: <[usize; 4]>::try_from(expected.value.shape()).unwrap(),
            kernel: pool.kernel.into(),
            strides: pool.strides.into(),
            dilation: pool.dilation.into(),
            before: [rows.0, columns.0],
            after: [rows.1, columns.1],
            mode: ours(pool.mode),
            count_include_pad: pool.count_include_pad,
            epilogue,
        })
    };
    let (entries, y, actual) = both(on, make, most, &[input], expected.value.shape());
    assert_close(&format!("{:?} {pool:?}", input.shape()), &actual, &expected);
    (entries, y, actual)
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(6);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for shape in
        [[1, 1, 1, 1], [2, 13, 11, 5], [3, 7, 9, 12], [1, 9, 7, 63], [1, 8, 8, 64], [1, 9, 9, 65]]
    {
        for _ in 0..6 {
            let input = random.uniform(&shape);
            let pool = draw(random, shape[1], shape[2]);
            let (found, y, _) = by_hand(on, &input, &pool, 12);
            entries.extend(found);
            folded.extend((y > 1).then_some(found).into_iter().flatten());
        }
        let dense = plain(Mode::Max, (1, 1), (1, 1));
        let (found, y, _) = by_hand(on, &random.uniform(&shape), &dense, 12);
        folded.extend((y > 1).then_some(found).into_iter().flatten());
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn nan_and_infinity_reach_the_windows_that_hold_them_and_no_other(on: &dyn Executor) {
    let random = &mut Random::new(8);
    for channels in [3, 4] {
        for mode in MODES {
            let mut pool = plain(mode, (3, 2), (2, 1));
            pool.padding = Padding::SameLower;
            let input = random.uniform(&[2, 7, 5, channels]);
            let (_, _, clean) = by_hand(on, &input, &pool, 65_535);
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                // The oracle knows where it goes; an infinity among others stays one.
                let changed = with_one(&input, &[1, 3, 2, 1], value);
                let (_, _, actual) = by_hand(on, &changed, &pool, 65_535);
                let reached =
                    actual.iter().zip(&clean).filter(|(new, old)| new.to_bits() != old.to_bits());
                let count = reached.count();
                // Rows 2 and 4 of windows see row 3 through three taps, two columns each.
                let few = mode == Mode::Max && value == f32::NEG_INFINITY;
                assert!(
                    if few { count <= 4 } else { (2..=4).contains(&count) },
                    "{mode:?} {value}: {count}"
                );
            }
        }
    }
    // NaN wins over infinity, whichever comes first.
    for channels in [1, 4] {
        for order in [[f32::NAN, f32::INFINITY], [f32::INFINITY, f32::NAN]] {
            let input = ArrayD::from_shape_fn(IxDyn(&[1, 1, 2, channels]), |at| order[at[2]]);
            for mode in [Mode::Max, Mode::Average, Mode::Lp(1), Mode::Lp(3)] {
                let (_, _, actual) = by_hand(on, &input, &plain(mode, (1, 2), (1, 1)), 65_535);
                assert!(actual.iter().all(|value| value.is_nan()), "{mode:?}");
            }
        }
    }
}
