//! 2-D transposed convolution in which every output channel sees one input channel of its own.

use super::conv2d_depthwise::{LANES, add};
use super::conv2d_transpose::source;
use super::product::Finish;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::kernels::conv2d_transpose::Geometry;

/// Computes the transposed convolution; the lengths fit, and each group has one input channel
/// and one output channel.
pub(super) fn compute(
    geometry: &Geometry,
    input: &[f32],
    kernel: &[f32],
    finish: &Finish<'_>,
    result: &mut [f32],
) {
    let g = geometry;
    let [_, height, width, channels] = g.output;
    let line = width * channels;
    let taps = (0..2).map(|axis| g.kernel[axis].div_ceil(g.strides[axis])).product();
    for_each_run(result, line, line.saturating_mul(taps), |first, run| {
        for (number, line) in run.chunks_exact_mut(line).enumerate() {
            let line_number = first + number;
            let (image, y) = (line_number / height, line_number % height);
            for (x, pixel) in line.chunks_exact_mut(channels).enumerate() {
                one(geometry, input, kernel, [image, y, x], pixel);
                finish.apply(pixel, line_number * width + x, 0);
            }
        }
    });
}

/// Computes the channels of one pixel.
fn one(
    geometry: &Geometry,
    input: &[f32],
    kernel: &[f32],
    [image, y, x]: [usize; 3],
    pixel: &mut [f32],
) {
    let g = geometry;
    let [_, height, width, channels] = g.input;
    vectorized(
        #[inline(always)]
        || {
            for (part, outputs) in pixel.chunks_mut(LANES).enumerate() {
                let first = part * LANES;
                let mut sums = [0.0; LANES];
                for i in 0..g.kernel[0] {
                    let Some(v) = source(g, 0, y, i) else { continue };
                    for j in 0..g.kernel[1] {
                        let Some(u) = source(g, 1, x, j) else { continue };
                        let from = ((image * height + v) * width + u) * channels + first;
                        let weight = (i * g.kernel[1] + j) * channels + first;
                        let count = outputs.len();
                        add(&mut sums, &input[from..from + count], &kernel[weight..weight + count]);
                    }
                }
                outputs.copy_from_slice(&sums[..outputs.len()]);
            }
        },
    );
}
