//! 2-D convolution in which every output channel sees one input channel.

use super::finish::finish as stages;
use super::product::Finish;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::kernels::conv2d::Geometry;

/// Channels summed together, in registers.
pub(super) const LANES: usize = 32;
/// Channels summed together where fewer are left.
const FEW_LANES: usize = 8;

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
    let layer = Layer { geometry, input, kernel, bias: finish.bias };
    for_each_run(result, line, line.saturating_mul(taps), |first, run| {
        let mut found = Vec::with_capacity(taps);
        for (number, line) in run.chunks_exact_mut(line).enumerate() {
            let line_number = first + number;
            let at = [line_number / height, line_number % height];
            vectorized(
                #[inline(always)]
                || layer.line(at, line, &mut found),
            );
            stages(finish.stages, line, line_number * width * channels);
        }
    });
}

/// The convolution but for its stages.
struct Layer<'a> {
    geometry: &'a Geometry,
    input: &'a [f32],
    kernel: &'a [f32],
    bias: Option<&'a [f32]>,
}

impl Layer<'_> {
    /// Computes a line of an image.
    #[inline(always)]
    fn line(&self, [image, y]: [usize; 2], line: &mut [f32], taps: &mut Vec<[usize; 2]>) {
        let g = self.geometry;
        let outputs = g.output[3];
        let multiplier = (outputs / g.input[3].max(1)).max(1);
        for (x, pixel) in line.chunks_exact_mut(outputs).enumerate() {
            self.find([image, y, x], taps);
            let mut first = 0;
            if multiplier == 1 {
                first = self.lanes::<LANES>(taps, first, pixel);
                first = self.lanes::<FEW_LANES>(taps, first, pixel);
            }
            for (output, result) in pixel.iter_mut().enumerate().skip(first) {
                let mut sum = self.bias.map_or(0.0, |bias| bias[output]);
                for &[from, weights] in taps.iter() {
                    let value = self.input[from + output / multiplier];
                    sum = value.mul_add(self.kernel[weights + output], sum);
                }
                *result = sum;
            }
        }
    }

    /// Finds the taps inside of the image: where its pixel's channels and its weights begin.
    #[inline(always)]
    fn find(&self, [image, y, x]: [usize; 3], taps: &mut Vec<[usize; 2]>) {
        let g = self.geometry;
        let [_, height, width, channels] = g.input;
        taps.clear();
        for i in 0..g.kernel[0] {
            let v = (y * g.strides[0] + i * g.dilation[0]).wrapping_sub(g.pads[0]);
            if v >= height {
                continue;
            }
            for j in 0..g.kernel[1] {
                let u = (x * g.strides[1] + j * g.dilation[1]).wrapping_sub(g.pads[1]);
                if u < width {
                    let from = ((image * height + v) * width + u) * channels;
                    taps.push([from, (i * g.kernel[1] + j) * g.output[3]]);
                }
            }
        }
    }

    /// Sums up channels of a pixel from `first` on, `N` at a time and as long as there are as
    /// many; returns the first one that is left. Arrays of a known length become registers.
    #[inline(always)]
    fn lanes<const N: usize>(&self, taps: &[[usize; 2]], first: usize, pixel: &mut [f32]) -> usize {
        let mut channel = first;
        while let Some(results) = pixel.get_mut(channel..).and_then(<[f32]>::first_chunk_mut::<N>) {
            let bias = self.bias.and_then(|bias| bias[channel..].first_chunk::<N>());
            let mut sums = bias.copied().unwrap_or([0.0; N]);
            for &[from, weights] in taps {
                let from = self.input[from + channel..].first_chunk::<N>();
                let weights = self.kernel[weights + channel..].first_chunk::<N>();
                if let (Some(from), Some(weights)) = (from, weights) {
                    for lane in 0..N {
                        sums[lane] = from[lane].mul_add(weights[lane], sums[lane]);
                    }
                }
            }
            *results = sums;
            channel += N;
        }
        channel
    }
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
