//! Softmax over one axis.

use super::Step;
use super::functions::exponential;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::softmax::Geometry;

/// Operations that an element counts as.
const COST: usize = 8;
/// Rows that lie side by side and are computed together.
const LANES: usize = 64;

/// Computes exp(x - max) / sum(exp(x - max)) for each row.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, length, inner } = *geometry;
    let shape = [outer, length, inner];
    step.check_length("the output", &shape, result.len())?;
    let [input] = step.operands([("input", &shape)])?;
    let unit = length * inner;
    for_each_run(result, unit, unit.saturating_mul(COST), |first, run| {
        let input = &input[first * unit..][..run.len()];
        for (input, output) in input.chunks_exact(unit).zip(run.chunks_exact_mut(unit)) {
            if inner == 1 {
                row(input, output);
            } else {
                for column in (0..inner).step_by(LANES) {
                    rows(input, output, inner, column, (inner - column).min(LANES));
                }
            }
        }
    });
    Ok(())
}

/// One row whose elements lie behind one another.
fn row(input: &[f32], output: &mut [f32]) {
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
    vectorized(|| output.iter_mut().for_each(|value| *value /= sum));
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

/// `count` rows that lie side by side, `inner` apart from element to element.
fn rows(input: &[f32], output: &mut [f32], inner: usize, column: usize, count: usize) {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let mut sums = [0.0; LANES];
    vectorized(
        #[inline(always)]
        || {
            for line in input.chunks_exact(inner) {
                let line = &line[column..column + count];
                maxima.iter_mut().zip(line).for_each(|(maximum, x)| *maximum = maximum.max(*x));
            }
            for (line, values) in input.chunks_exact(inner).zip(output.chunks_exact_mut(inner)) {
                let (line, values) =
                    (&line[column..column + count], &mut values[column..column + count]);
                for (((value, x), maximum), sum) in
                    values.iter_mut().zip(line).zip(&maxima).zip(&mut sums)
                {
                    *value = exponential(x - maximum);
                    *sum += *value;
                }
            }
            for values in output.chunks_exact_mut(inner) {
                let values = &mut values[column..column + count];
                values.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum);
            }
        },
    );
}
