//! Running sums along one axis.

use super::Step;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::cumsum::Geometry;

/// Operations that an element counts as.
const COST: usize = 4;
/// Terms that are summed by themselves, as the shader has them.
const BLOCK: usize = 64;
/// Lines that lie side by side and are summed together.
const LANES: usize = 64;

/// Sums the lines of each unit (length, inner), some columns of them at a time.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, length, inner, .. } = *geometry;
    let shape = [outer, length, inner];
    step.check_length("the output", &shape, result.len())?;
    let [input] = step.operands([("input", &shape)])?;
    let unit = length * inner;
    for_each_run(result, unit, unit.saturating_mul(COST), |first, run| {
        let input = &input[first * unit..][..run.len()];
        for (input, output) in input.chunks_exact(unit).zip(run.chunks_exact_mut(unit)) {
            for column in (0..inner).step_by(LANES) {
                columns(input, output, geometry, column);
            }
        }
    });
    Ok(())
}

/// Sums the lines that begin at a column and up to [`LANES`] - 1 behind it.
fn columns(input: &[f32], output: &mut [f32], geometry: &Geometry, column: usize) {
    let Geometry { length, inner, exclusive, reverse, .. } = *geometry;
    let width = LANES.min(inner - column);
    let (mut before, mut sums) = ([0.0; LANES], [0.0; LANES]);
    vectorized(
        #[inline(always)]
        || {
            for t in 0..length {
                if t % BLOCK == 0 {
                    before.iter_mut().zip(&sums).for_each(|(before, sum)| *before += sum);
                    sums.fill(0.0);
                }
                let line = if reverse { length - 1 - t } else { t };
                let (from, to) = (line * inner + column, line * inner + column + width);
                let pairs = output[from..to].iter_mut().zip(&input[from..to]);
                for (((value, x), before), sum) in pairs.zip(&before).zip(&mut sums) {
                    let included = *sum + x;
                    *value = before + if exclusive { *sum } else { included };
                    *sum = included;
                }
            }
        },
    );
}
