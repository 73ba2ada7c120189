//! Local response normalization across channels.

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::lrn::Geometry;

/// Operations that an element counts as, besides one for each channel of its window.
const COST: usize = 40;

/// Sums the squares of each window where the result will stand, then divides.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, channels, inner, beta, bias, .. } = *geometry;
    let shape = [outer, channels, inner];
    step.check_length("the output", &shape, result.len())?;
    let [input] = step.operands([("input", &shape)])?;
    let [before, after] = geometry.sides();
    let factor = geometry.factor();
    let unit = channels * inner;
    let cost = unit.saturating_mul(COST.saturating_add(before + after));
    for_each_run(result, unit, cost, |first, run| {
        let input = &input[first * unit..][..run.len()];
        for (input, output) in input.chunks_exact(unit).zip(run.chunks_exact_mut(unit)) {
            for (c, line) in output.chunks_exact_mut(inner).enumerate() {
                line.fill(0.0);
                let window = c.saturating_sub(before)..=(c + after).min(channels - 1);
                vectorized(
                    #[inline(always)]
                    || {
                        for j in window {
                            let other = &input[j * inner..][..inner];
                            line.iter_mut().zip(other).for_each(|(sum, x)| *sum += x * x);
                        }
                    },
                );
            }
            for (value, x) in output.iter_mut().zip(input) {
                *value = x / (bias + factor * *value).powf(beta);
            }
        }
    });
    Ok(())
}
