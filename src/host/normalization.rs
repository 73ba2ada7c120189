//! Normalization by moments of the element's row, with scale and bias.

use super::Step;
use super::finish::in_chunks;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::normalization::{Axis, Geometry, axes};

/// Operations that an element counts as.
const COST: usize = 4;

/// Normalizes line by line, along the last axis that moves an operand.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { input: ref shape, ref reduced, ref scale, ref bias, .. } = *geometry;
    step.check_length("the output", shape, result.len())?;
    let kept = shape.iter().zip(reduced).filter(|(_, gone)| !**gone).map(|(&length, _)| length);
    let moments: Vec<usize> = kept.chain([2]).collect();
    let (input, moments) = (("input", shape.as_slice()), ("moments", moments.as_slice()));
    let ([input, moments], scale, bias) = match (scale, bias) {
        (None, None) => (step.operands([input, moments])?, None, None),
        (Some(scale), None) => {
            let [input, moments, scale] = step.operands([input, moments, ("scale", scale)])?;
            ([input, moments], Some(scale), None)
        }
        (None, Some(bias)) => {
            let [input, moments, bias] = step.operands([input, moments, ("bias", bias)])?;
            ([input, moments], None, Some(bias))
        }
        (Some(scale), Some(bias)) => {
            let wanted = [input, moments, ("scale", scale.as_slice()), ("bias", bias.as_slice())];
            let [input, moments, scale, bias] = step.operands(wanted)?;
            ([input, moments], Some(scale), Some(bias))
        }
    };
    let axes = axes(geometry);
    let single = Axis { length: 1, strides: [0; 3] };
    let (inner, outer) = axes.split_last().unwrap_or((&single, &[]));
    let length = inner.length;
    let [row_stride, scale_stride, bias_stride] = inner.strides;
    let lines = |first: usize, run: &mut [f32]| {
        let input = &input[first * length..][..run.len()];
        let lines = run.chunks_exact_mut(length).zip(input.chunks_exact(length));
        for (number, (line, input)) in lines.enumerate() {
            let [row, scale_at, bias_at] = begin(outer, first + number);
            vectorized(
                #[inline(always)]
                || {
                    for (place, (value, x)) in line.iter_mut().zip(input).enumerate() {
                        let row = 2 * (row + place * row_stride);
                        *value = (x - moments[row]) * moments[row + 1];
                    }
                    if let Some(scale) = scale {
                        apply(line, &scale[scale_at..], scale_stride, |value, by| value * by);
                    }
                    if let Some(bias) = bias {
                        apply(line, &bias[bias_at..], bias_stride, |value, by| value + by);
                    }
                },
            );
        }
    };
    for_each_run(result, length, length.saturating_mul(COST), |first, run| {
        in_chunks(step.stages, length, (first, run), lines);
    });
    Ok(())
}

/// Where a line begins among the rows, in the scale and in the bias.
fn begin(outer: &[Axis], mut line: usize) -> [usize; 3] {
    let mut places = [0; 3];
    for axis in outer.iter().rev() {
        let index = line % axis.length;
        line /= axis.length;
        places.iter_mut().zip(axis.strides).for_each(|(place, stride)| *place += index * stride);
    }
    places
}

/// Combines a line with a vector that stands still, or moves with it.
#[inline(always)]
fn apply(line: &mut [f32], by: &[f32], stride: usize, combine: impl Fn(f32, f32) -> f32) {
    match stride {
        0 => line.iter_mut().for_each(|value| *value = combine(*value, by[0])),
        1 => line.iter_mut().zip(by).for_each(|(value, by)| *value = combine(*value, *by)),
        _ => {
            let by = by.iter().step_by(stride);
            line.iter_mut().zip(by).for_each(|(value, by)| *value = combine(*value, *by));
        }
    }
}
