//! Batch normalization by known means and variances.

use super::Step;
use super::finish::in_chunks;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::batch_normalization::Geometry;

/// Operations that an element counts as.
const COST: usize = 4;

/// What a channel's elements go through.
struct Channels<'a> {
    means: &'a [f32],
    deviations: Vec<f32>,
    scales: Option<&'a [f32]>,
    biases: Option<&'a [f32]>,
}

/// Computes (x - mean) / sqrt(variance + epsilon) * scale + bias.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, channels, inner, has_scale, has_bias, epsilon, .. } = *geometry;
    let shape = [outer, channels, inner];
    step.check_length("the output", &shape, result.len())?;
    let vector = [channels];
    let (input, mean, variance) =
        (("input", &shape[..]), ("mean", &vector[..]), ("variance", &vector[..]));
    let (scale, bias) = (("scale", &vector[..]), ("bias", &vector[..]));
    let (input, means, variances, scales, biases) = match (has_scale, has_bias) {
        (true, true) => {
            let [x, s, b, m, v] = step.operands([input, scale, bias, mean, variance])?;
            (x, m, v, Some(s), Some(b))
        }
        (true, false) => {
            let [x, s, m, v] = step.operands([input, scale, mean, variance])?;
            (x, m, v, Some(s), None)
        }
        (false, true) => {
            let [x, b, m, v] = step.operands([input, bias, mean, variance])?;
            (x, m, v, None, Some(b))
        }
        (false, false) => {
            let [x, m, v] = step.operands([input, mean, variance])?;
            (x, m, v, None, None)
        }
    };
    let deviations = variances.iter().map(|variance| (variance + epsilon).sqrt()).collect();
    let known = Channels { means, deviations, scales, biases };
    // Where channels lie behind one another, a line is all of them; else it is of one channel.
    let line = if inner == 1 { channels } else { inner };
    let lines = |first: usize, run: &mut [f32]| {
        let input = &input[first * line..][..run.len()];
        for (number, (output, input)) in
            run.chunks_exact_mut(line).zip(input.chunks_exact(line)).enumerate()
        {
            if inner == 1 {
                known.all(input, output);
            } else {
                known.one((first + number) % channels, input, output);
            }
        }
    };
    for_each_run(result, line, line.saturating_mul(COST), |first, run| {
        in_chunks(step.stages, line, (first, run), lines);
    });
    Ok(())
}

impl Channels<'_> {
    fn all(&self, input: &[f32], output: &mut [f32]) {
        vectorized(
            #[inline(always)]
            || {
                let known = self.means.iter().zip(&self.deviations);
                for ((value, x), (mean, deviation)) in output.iter_mut().zip(input).zip(known) {
                    *value = (x - mean) / deviation;
                }
                if let Some(scales) = self.scales {
                    output.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
                }
                if let Some(biases) = self.biases {
                    output.iter_mut().zip(biases).for_each(|(value, bias)| *value += bias);
                }
            },
        );
    }

    fn one(&self, channel: usize, input: &[f32], output: &mut [f32]) {
        let (mean, deviation) = (self.means[channel], self.deviations[channel]);
        let scale = self.scales.map_or(1.0, |scales| scales[channel]);
        let bias = self.biases.map_or(0.0, |biases| biases[channel]);
        vectorized(
            #[inline(always)]
            || {
                for (value, x) in output.iter_mut().zip(input) {
                    *value = (x - mean) / deviation * scale + bias;
                }
            },
        );
    }
}
