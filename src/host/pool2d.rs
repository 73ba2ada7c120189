//! 2-D pooling, pixel by pixel, all channels at once.

use std::cell::RefCell;
use std::ops::Range;

use super::Step;
use super::finish::in_chunks;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::pool2d::Geometry;
use crate::ops::PoolMode;

/// Up to this power, sums of powers of f32 neither overflow nor vanish in f64.
const SAFE_POWER: u16 = 4;
/// Operations that a tap of a norm counts as.
const NORM_COST: usize = 8;

/// Computes the largest, the average or the norm of each window.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = geometry;
    step.check_length("the output", &g.output, result.len())?;
    let [input] = step.operands([("input", &g.input)])?;
    let shapes = format!("input {:?}, output {:?}", g.input, g.output);
    if g.input[0] != g.output[0] || g.input[3] != g.output[3] {
        return step.refuse("changes the batch or the channels", "pooling keeps both", shapes);
    }
    if g.strides.contains(&0) || g.dilation.contains(&0) {
        return step.refuse("has a stride or dilation of 0", "both are at least 1", shapes);
    }
    let [_, height, width, channels] = g.output;
    let each = if matches!(g.mode, PoolMode::Lp(_)) { NORM_COST } else { 1 };
    let taps = g.kernel[0].saturating_mul(g.kernel[1]).saturating_mul(each);
    let line = width * channels;
    let lines = |first: usize, run: &mut [f32]| {
        for (number, line) in run.chunks_exact_mut(line).enumerate() {
            let (image, y) = ((first + number) / height, (first + number) % height);
            let rows = clip(g, 0, y);
            for (x, pixel) in line.chunks_exact_mut(channels).enumerate() {
                let window =
                    Window { image, rows: rows.clone(), columns: clip(g, 1, x), at: [y, x] };
                window.pool(g, input, pixel);
            }
        }
    };
    for_each_run(result, line, line.saturating_mul(taps), |first, run| {
        in_chunks(step.stages, line, (first, run), lines);
    });
    Ok(())
}

/// Returns the taps of a window that lie on the image, along one axis.
fn clip(g: &Geometry, axis: usize, at: usize) -> Range<usize> {
    let (origin, pad, dilation) = (at * g.strides[axis], g.before[axis], g.dilation[axis]);
    let first = pad.saturating_sub(origin).div_ceil(dilation).min(g.kernel[axis]);
    let room = (pad + g.input[axis + 1]).saturating_sub(origin);
    first..room.div_ceil(dilation).min(g.kernel[axis]).max(first)
}

/// Returns how many taps of a window lie on the padded image, along one axis.
fn padded(g: &Geometry, axis: usize, at: usize) -> usize {
    let length = g.before[axis] + g.input[axis + 1] + g.after[axis];
    let room = length.saturating_sub(at * g.strides[axis]);
    room.div_ceil(g.dilation[axis]).min(g.kernel[axis])
}

/// One window: its taps on the image, and its place in the output.
struct Window {
    image: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    at: [usize; 2],
}

impl Window {
    fn pool(&self, g: &Geometry, input: &[f32], pixel: &mut [f32]) {
        match g.mode {
            PoolMode::Max => {
                pixel.fill(g.nothing());
                vectorized(
                    #[inline(always)]
                    || self.each(g, input, |values| largest(pixel, values)),
                );
            }
            PoolMode::Average => {
                pixel.fill(0.0);
                vectorized(
                    #[inline(always)]
                    || {
                        self.each(g, input, |values| {
                            pixel.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                        });
                    },
                );
                let count = if g.count_include_pad {
                    padded(g, 0, self.at[0]) * padded(g, 1, self.at[1])
                } else {
                    self.rows.len() * self.columns.len()
                };
                if count == 0 {
                    pixel.fill(g.nothing());
                } else {
                    for sum in pixel {
                        *sum /= count as f32;
                    }
                }
            }
            PoolMode::Lp(p) => self.norm(g, input, pixel, p),
        }
    }

    /// Hands over the channels of each pixel that a tap lies on.
    #[inline(always)]
    fn each(&self, g: &Geometry, input: &[f32], mut body: impl FnMut(&[f32])) {
        let [_, height, width, channels] = g.input;
        for i in self.rows.clone() {
            let y = self.at[0] * g.strides[0] + i * g.dilation[0] - g.before[0];
            for j in self.columns.clone() {
                let x = self.at[1] * g.strides[1] + j * g.dilation[1] - g.before[1];
                let source = ((self.image * height + y) * width + x) * channels;
                body(&input[source..source + channels]);
            }
        }
    }

    /// The p-norm, summed in f64. Higher powers are of shares of the largest magnitude, which
    /// keeps them from overflow and underflow.
    fn norm(&self, g: &Geometry, input: &[f32], pixel: &mut [f32], p: u16) {
        pixel.fill(0.0);
        if p > SAFE_POWER {
            self.each(g, input, |values| {
                for (most, value) in pixel.iter_mut().zip(values) {
                    let value = value.abs();
                    *most = if value > *most || value.is_nan() { value } else { *most };
                }
            });
        }
        SUMS.with_borrow_mut(|sums| {
            sums.clear();
            sums.resize(pixel.len(), 0.0);
            self.each(g, input, |values| {
                for ((sum, value), most) in sums.iter_mut().zip(values).zip(pixel.iter()) {
                    *sum += (f64::from(value.abs()) / unit(*most)).powi(p.into());
                }
            });
            for (sum, value) in sums.iter().zip(pixel) {
                *value = root(*sum, p, *value);
            }
        });
    }
}

thread_local! {
    /// Sums of powers, one for each channel.
    static SUMS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// Takes the larger of both, NaN if one is.
#[inline(always)]
fn largest(best: &mut [f32], values: &[f32]) {
    for (best, &value) in best.iter_mut().zip(values) {
        *best = if value > *best || value.is_nan() { value } else { *best };
    }
}

/// What magnitudes are divided by: the largest, where it was looked for and is a number.
fn unit(most: f32) -> f64 {
    if most > 0.0 && most.is_finite() { most.into() } else { 1.0 }
}

/// The norm from the sum of powers and the largest magnitude.
fn root(sum: f64, p: u16, most: f32) -> f32 {
    if !most.is_finite() {
        return most;
    }
    let root = match p {
        1 => sum,
        2 => sum.sqrt(),
        _ => sum.powf(1.0 / f64::from(p)),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the result is f32")]
    let norm = (root * unit(most)) as f32;
    norm
}

#[cfg(test)]
mod tests {
    use crate::kernels::Work;
    use crate::kernels::pool2d::Geometry;
    use crate::ops::PoolMode;

    #[test]
    fn geometries_that_contradict_themselves_are_refused() {
        let good = Geometry {
            input: [1, 2, 2, 1],
            output: [1, 1, 1, 1],
            kernel: [2, 2],
            strides: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
            after: [0, 0],
            mode: PoolMode::Max,
            count_include_pad: false,
            epilogue: crate::ops::Epilogue::default(),
        };
        let text = |geometry: Geometry| {
            let output = geometry.output.iter().product();
            let input = [1.0, 4.0, 3.0, 2.0];
            crate::host::execute("p", &Work::Pool2d(geometry), &[&input], &mut vec![0.0; output])
                .map_err(|error| error.to_string())
        };
        assert_eq!(text(good.clone()), Ok(()));
        let error = text(Geometry { output: [2, 1, 1, 1], ..good.clone() }).unwrap_err();
        assert!(error.contains("changes the batch or the channels"), "{error}");
        let error = text(Geometry { strides: [1, 0], ..good.clone() }).unwrap_err();
        assert!(error.contains("has a stride or dilation of 0"), "{error}");
        let error = text(Geometry { dilation: [0, 1], ..good }).unwrap_err();
        assert!(error.contains("has a stride or dilation of 0"), "{error}");
    }
}
