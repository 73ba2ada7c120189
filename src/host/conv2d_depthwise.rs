//! 2-D convolution in which every output channel sees one input channel.

use super::product::Finish;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::kernels::conv2d::Geometry;

/// Channels summed together, in registers.
pub(super) const LANES: usize = 32;

/// Computes the convolution; the lengths fit, and each group has one input channel.
pub(super) fn compute(
    geometry: &Geometry,
    input: &[f32],
    kernel: &[f32],
    finish: &Finish<'_>,
    result: &mut [f32],
) {
    let [_, height, width, channels] = geometry.output;
    let line = width * channels;
    let taps = geometry.kernel[0] * geometry.kernel[1];
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
    let multiplier = (pixel.len() / channels.max(1)).max(1);
    vectorized(
        #[inline(always)]
        || {
            for (part, outputs) in pixel.chunks_mut(LANES).enumerate() {
                let first = part * LANES;
                let mut sums = [0.0; LANES];
                for i in 0..g.kernel[0] {
                    let v = (y * g.strides[0] + i * g.dilation[0]).wrapping_sub(g.pads[0]);
                    for j in 0..g.kernel[1] {
                        let u = (x * g.strides[1] + j * g.dilation[1]).wrapping_sub(g.pads[1]);
                        if v >= height || u >= width {
                            continue;
                        }
                        let from = ((image * height + v) * width + u) * channels;
                        let weight = (i * g.kernel[1] + j) * g.output[3] + first;
                        let weights = &kernel[weight..weight + outputs.len()];
                        if multiplier == 1 {
                            let from = &input[from + first..from + first + outputs.len()];
                            add(&mut sums, from, weights);
                        } else {
                            for (lane, weight) in weights.iter().enumerate() {
                                let value = input[from + (first + lane) / multiplier];
                                sums[lane] = value.mul_add(*weight, sums[lane]);
                            }
                        }
                    }
                }
                outputs.copy_from_slice(&sums[..outputs.len()]);
            }
        },
    );
}

/// Adds products of values and weights to the sums.
#[inline(always)]
pub(super) fn add(sums: &mut [f32; LANES], from: &[f32], weights: &[f32]) {
    // Arrays of a known length become registers.
    if let (Some(from), Some(weights)) =
        (from.first_chunk::<LANES>(), weights.first_chunk::<LANES>())
    {
        for lane in 0..LANES {
            sums[lane] = from[lane].mul_add(weights[lane], sums[lane]);
        }
    } else {
        for ((sum, value), weight) in sums.iter_mut().zip(from).zip(weights) {
            *sum = value.mul_add(*weight, *sum);
        }
    }
}
