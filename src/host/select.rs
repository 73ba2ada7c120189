//! Choosing between two values, element by element, with NumPy broadcasting.

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::axes::Axis;
use crate::kernels::select::Geometry;

/// Elements chosen together, without asking for each.
const LANES: usize = 16;

/// Takes one of two elements for each element of the result.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let axes = geometry.axes();
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    step.check_length("the output", &lengths, result.len())?;
    let operands = step.operands([
        ("the condition", &geometry.condition),
        ("the operand for true", &geometry.on_true),
        ("the operand for false", &geometry.on_false),
    ])?;
    let single = Axis { length: 1, strides: [1; 3] };
    let (inner, outer) = axes.split_last().unwrap_or((&single, &[]));
    // A line of its own may be cut anywhere.
    let unit = if outer.is_empty() { 1 } else { inner.length };
    for_each_run(result, unit, unit, |first, run| {
        if outer.is_empty() {
            let first = i64::try_from(first).unwrap_or(i64::MAX);
            return choose(operands, inner.strides.map(|stride| first * stride), inner, run);
        }
        for (number, line) in run.chunks_exact_mut(unit).enumerate() {
            choose(operands, starts(outer, first + number), inner, line);
        }
    });
    Ok(())
}

/// Returns where a line begins in each operand.
fn starts(outer: &[Axis<3>], mut line: usize) -> [i64; 3] {
    let mut at = [0; 3];
    for axis in outer.iter().rev() {
        let index = i64::try_from(line % axis.length).unwrap_or(i64::MAX);
        line /= axis.length;
        for (at, stride) in at.iter_mut().zip(axis.strides) {
            *at += index * stride;
        }
    }
    at
}

/// Computes a line, or a part of one.
fn choose(operands: [&[f32]; 3], at: [i64; 3], inner: &Axis<3>, line: &mut [f32]) {
    // Sizes were held below 2^32, and no stride is negative.
    let at = at.map(|place| usize::try_from(place).unwrap_or(usize::MAX));
    let steps = inner.strides.map(|stride| usize::from(stride != 0));
    let pick = |condition: f32, [yes, no]: [f32; 2]| if condition == 0.0 { no } else { yes };
    vectorized(
        #[inline(always)]
        || {
            let mut done = 0;
            while let Some(chunk) = line.get_mut(done..).and_then(<[f32]>::first_chunk_mut) {
                let [condition, yes, no]: [[f32; LANES]; 3] = std::array::from_fn(|operand| {
                    lanes(operands[operand], at[operand] + done * steps[operand], steps[operand])
                });
                let chunk: &mut [f32; LANES] = chunk;
                for (lane, value) in chunk.iter_mut().enumerate() {
                    *value = pick(condition[lane], [yes[lane], no[lane]]);
                }
                done += LANES;
            }
            for (number, value) in line.iter_mut().enumerate().skip(done) {
                let one = |operand: usize| operands[operand][at[operand] + number * steps[operand]];
                *value = pick(one(0), [one(1), one(2)]);
            }
        },
    );
}

/// Returns the next numbers of an operand, or one number as many times.
#[inline(always)]
fn lanes(data: &[f32], at: usize, step: usize) -> [f32; LANES] {
    if step == 0 {
        return [data[at]; LANES];
    }
    data.get(at..).and_then(<[f32]>::first_chunk).copied().unwrap_or_default()
}
