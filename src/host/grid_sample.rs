//! Sampling of images at places that a grid gives, point by point, all channels at once.

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::grid_sample::Geometry;
use crate::ops::{GridPadding, GridSampleMode};

/// Operations that finding a point's pixels counts as.
const POINT_COST: usize = 64;

/// Sums the pixels around each point by their weights.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = geometry;
    step.check_length("the output", &g.output(), result.len())?;
    let [input, grid] = step.operands([("input", &g.input), ("grid", &g.grid())])?;
    if result.is_empty() {
        return Ok(());
    }
    let shapes = format!("input {:?}, {} coordinates", g.input, g.axes);
    if input.is_empty() {
        return step.refuse("samples nothing", "an image has pixels", shapes);
    }
    if !(1..=3).contains(&g.axes) || g.input[1..4 - g.axes].iter().any(|&length| length != 1) {
        return step.refuse("has other coordinates than axes", "each axis has one", shapes);
    }
    let [_, depth, height, width, channels] = g.input;
    let item = depth * height * width * channels;
    let taps = match g.mode {
        GridSampleMode::Nearest => 1,
        GridSampleMode::Linear => 1 << g.axes,
        GridSampleMode::Cubic => 1 << (2 * g.axes),
    };
    let cost = POINT_COST + taps * channels;
    for_each_run(result, channels, cost, |first, run| {
        for (number, values) in run.chunks_exact_mut(channels).enumerate() {
            let point = first + number;
            let image = &input[point / g.points * item..][..item];
            sample(g, image, &grid[point * g.axes..][..g.axes], values);
        }
    });
    Ok(())
}

/// Computes the channels of one point; its coordinates are x, then y, then z.
fn sample(g: &Geometry, image: &[f32], point: &[f32], values: &mut [f32]) {
    let [_, depth, height, width, channels] = g.input;
    let axis = |number: usize, length: usize| match point.get(number) {
        Some(&coordinate) => taps(g, coordinate, length),
        None => Some(Taps { count: 1, pixels: [0; 4], weights: [1.0, 0.0, 0.0, 0.0] }),
    };
    let (Some(xs), Some(ys), Some(zs)) = (axis(0, width), axis(1, height), axis(2, depth)) else {
        return values.fill(f32::NAN);
    };
    values.fill(0.0);
    vectorized(
        #[inline(always)]
        || {
            for (z, front) in zs.each() {
                for (y, above) in ys.each() {
                    for (x, left) in xs.each() {
                        let weight = front * above * left;
                        if weight == 0.0 {
                            continue;
                        }
                        let pixel = ((z * height + y) * width + x) * channels;
                        let pixel = &image[pixel..pixel + channels];
                        values
                            .iter_mut()
                            .zip(pixel)
                            .for_each(|(sum, value)| *sum += weight * value);
                    }
                }
            }
        },
    );
}

/// The pixels of one axis that count. One outside has the weight 0.
struct Taps {
    count: usize,
    pixels: [usize; 4],
    weights: [f32; 4],
}

impl Taps {
    #[inline(always)]
    fn each(&self) -> impl Iterator<Item = (usize, f32)> {
        self.pixels.into_iter().zip(self.weights).take(self.count)
    }
}

/// Finds the pixels around a coordinate; `None` for one that has no place.
fn taps(g: &Geometry, coordinate: f32, length: usize) -> Option<Taps> {
    let size = length as f32;
    let last = size - 1.0;
    let (low, high, mut x) = if g.align_corners {
        (0.0, last, (coordinate + 1.0) * 0.5 * last)
    } else {
        (-0.5, size - 0.5, ((coordinate + 1.0) * size - 1.0) * 0.5)
    };
    if x.is_nan() || (g.padding == GridPadding::Reflection && x.is_infinite()) {
        return None;
    }
    if g.mode == GridSampleMode::Nearest {
        x = x.round_ties_even();
    }
    if x < low || x > high {
        x = match g.padding {
            GridPadding::Border => x.clamp(0.0, last),
            GridPadding::Reflection if high > low => reflect(x, low, high),
            // An axis of one pixel, aligned, has no length to fold.
            GridPadding::Zeros | GridPadding::Reflection => x,
        };
    }
    // Farther away no pixel is reached either, and the numbers stay small.
    x = x.clamp(-4.0, size + 4.0);
    let first = x.floor();
    let t = x - first;
    let (before, count, mut weights) = match g.mode {
        GridSampleMode::Nearest => (0, 1, [1.0, 0.0, 0.0, 0.0]),
        GridSampleMode::Linear => (0, 2, [1.0 - t, t, 0.0, 0.0]),
        GridSampleMode::Cubic => (1, 4, [far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)]),
    };
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within 32 bits")]
    let first = first as i64 - before;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let mut pixels = [0; 4];
    for ((at, pixel), weight) in (first..).zip(&mut pixels).zip(&mut weights) {
        if g.padding == GridPadding::Zeros && !(0..length).contains(&at) {
            *weight = 0.0;
        }
        *pixel = inside(g, at, length);
    }
    Some(Taps { count, pixels, weights })
}

/// Folds a place back at the ends of an axis; its ends differ.
fn reflect(x: f32, low: f32, high: f32) -> f32 {
    let length = high - low;
    let beyond = (low - x).max(x - high);
    let folds = (beyond / length).floor();
    let rest = (beyond - folds * length).clamp(0.0, length);
    let is_odd = folds - 2.0 * (folds * 0.5).floor() > 0.5;
    if (x > high) == is_odd { low + rest } else { high - rest }
}

/// Returns the pixel that stands for a number of a pixel near the axis.
fn inside(g: &Geometry, at: i64, length: i64) -> usize {
    let pixel = if g.padding == GridPadding::Reflection {
        // With align_corners the outermost pixels stand at the folds, so that they are not
        // repeated.
        let aligned = i64::from(g.align_corners);
        let period = (2 * (length - aligned)).max(1);
        let folded = at.rem_euclid(period);
        if folded < length { folded } else { period - (1 - aligned) - folded }
    } else {
        at.clamp(0, length - 1)
    };
    usize::try_from(pixel).unwrap_or_default()
}

/// Keys' cubic with a = -0.75, for distances below 1.
fn near(d: f32) -> f32 {
    (1.25 * d - 2.25) * d * d + 1.0
}

/// The same for distances from 1 to 2.
fn far(d: f32) -> f32 {
    -0.75 * (((d - 5.0) * d + 8.0) * d - 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Work;

    #[test]
    fn geometries_that_contradict_themselves_are_refused() {
        let good = Geometry {
            input: [1, 1, 1, 2, 1],
            points: 1,
            axes: 1,
            mode: GridSampleMode::Linear,
            padding: GridPadding::Zeros,
            align_corners: false,
        };
        let text = |geometry: Geometry| {
            let input = vec![1.0; geometry.input.iter().product()];
            let grid = vec![0.0; geometry.grid().iter().product()];
            let mut result = vec![0.0; geometry.output().iter().product()];
            crate::host::execute("g", &Work::GridSample(geometry), &[&input, &grid], &mut result)
                .map_err(|error| error.to_string())
        };
        assert_eq!(text(good.clone()), Ok(()));
        for axes in [0, 4] {
            let error = text(Geometry { axes, ..good.clone() }).unwrap_err();
            assert!(error.contains("has other coordinates than axes"), "{error}");
        }
        let error = text(Geometry { input: [1, 1, 2, 2, 1], ..good.clone() }).unwrap_err();
        assert!(error.contains("has other coordinates than axes"), "{error}");
        let error = text(Geometry { input: [1, 1, 1, 0, 1], ..good }).unwrap_err();
        assert!(error.contains("samples nothing"), "{error}");
    }
}
