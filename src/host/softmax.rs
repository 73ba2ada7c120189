//! Softmax over one axis, its logarithm, and hardmax.

use std::ops::Range;

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::softmax::{Function, Geometry};
use crate::ops::elementwise::exponential;

/// Operations that an element counts as.
const COST: usize = 8;
/// Rows that lie side by side and are computed together.
const LANES: usize = 64;

/// Computes exp(x - max) / sum(exp(x - max)) for each row, or what the function says.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, length, inner, function } = *geometry;
    let shape = [outer, length, inner];
    step.check_length("the output", &shape, result.len())?;
    let [input] = step.operands([("input", &shape)])?;
    let unit = length * inner;
    for_each_run(result, unit, unit.saturating_mul(COST), |first, run| {
        let input = &input[first * unit..][..run.len()];
        for (input, output) in input.chunks_exact(unit).zip(run.chunks_exact_mut(unit)) {
            if function == Function::Hardmax {
                (0..inner).for_each(|column| hardmax(input, output, inner, column));
            } else if inner == 1 {
                row(input, output, function);
            } else {
                for column in (0..inner).step_by(LANES) {
                    let columns = column..inner.min(column + LANES);
                    rows(input, output, inner, columns, function);
                }
            }
        }
    });
    Ok(())
}

/// One row whose elements lie behind one another.
fn row(input: &[f32], output: &mut [f32], function: Function) {
    // A row with NaN becomes NaN through its sum.
    let maximum = input.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    vectorized(
        #[inline(always)]
        || {
            for (value, &x) in output.iter_mut().zip(input) {
                *value = exponential(x - maximum);
            }
        },
    );
    let sum: f32 = sum(output);
    if function == Function::LogSoftmax {
        let log = sum.ln();
        let pairs = output.iter_mut().zip(input);
        return pairs.for_each(|(value, x)| *value = (x - maximum) - log);
    }
    vectorized(|| output.iter_mut().for_each(|value| *value /= sum));
}

/// Writes 1 where the first of the largest of a row stands, 0 elsewhere; NaN is the largest.
fn hardmax(input: &[f32], output: &mut [f32], inner: usize, column: usize) {
    let (mut place, mut best) = (column, input[column]);
    for at in (column..input.len()).step_by(inner) {
        let x = input[at];
        if x > best || (x.is_nan() && !best.is_nan()) {
            (place, best) = (at, x);
        }
        output[at] = 0.0;
    }
    output[place] = 1.0;
}

/// Sums in eight parts, which a vector adds at once and which round less than one.
fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Rows that lie side by side, `inner` apart from element to element.
fn rows(
    input: &[f32],
    output: &mut [f32],
    inner: usize,
    columns: Range<usize>,
    function: Function,
) {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let mut sums = [0.0; LANES];
    vectorized(
        #[inline(always)]
        || {
            for line in input.chunks_exact(inner) {
                let line = &line[columns.clone()];
                maxima.iter_mut().zip(line).for_each(|(maximum, x)| *maximum = maximum.max(*x));
            }
            for (line, values) in input.chunks_exact(inner).zip(output.chunks_exact_mut(inner)) {
                let (line, values) = (&line[columns.clone()], &mut values[columns.clone()]);
                for (((value, x), maximum), sum) in
                    values.iter_mut().zip(line).zip(&maxima).zip(&mut sums)
                {
                    *value = exponential(x - maximum);
                    *sum += *value;
                }
            }
            if function == Function::LogSoftmax {
                return;
            }
            for values in output.chunks_exact_mut(inner) {
                let values = &mut values[columns.clone()];
                values.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum);
            }
        },
    );
    if function == Function::LogSoftmax {
        let logs = sums.map(f32::ln);
        for (line, values) in input.chunks_exact(inner).zip(output.chunks_exact_mut(inner)) {
            let (line, values) = (&line[columns.clone()], &mut values[columns.clone()]);
            for (((value, x), maximum), log) in values.iter_mut().zip(line).zip(&maxima).zip(&logs)
            {
                *value = (x - maximum) - log;
            }
        }
    }
}
