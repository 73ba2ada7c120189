//! Mean and inverse deviation of each row.

use super::Step;
use super::rows::{LANES, for_each_group};
use crate::error::Result;
use crate::kernels::moments::Geometry;
use crate::kernels::rows::{Kind, rows};
use crate::ops::normalization::moments::Part;

/// Operations that a term counts as: it is read three times.
const COST: usize = 6;

/// Finds means in two rounds, then the mean squared distances from them.
#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^24 is near enough")]
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { ref input, ref reduced, is_centered, epsilon, floor, part } = *geometry;
    let rows = rows(step.node, input, reduced)?;
    let each = if part == Part::Both { 2 } else { 1 };
    step.check_length("the output", &[rows.results as usize, each], result.len())?;
    let [input] = step.operands([("input", input)])?;
    let count = rows.terms as f32;
    for_each_group(&rows, input, result, (each, COST), |group, run| {
        let (mut means, mut sums) = ([0.0; LANES], [0.0; LANES]);
        let (means, sums) = (&mut means[..run.len() / each], &mut sums[..run.len() / each]);
        if is_centered {
            group.first(means);
            for _ in 0..2 {
                group.merge(Kind::Sum, 0.0, means, sums);
                means.iter_mut().zip(&*sums).for_each(|(mean, sum)| *mean += sum / count);
            }
        }
        group.merge(Kind::SumSquares, 0.0, means, sums);
        for ((mean, square), found) in means.iter().zip(sums).zip(run.chunks_exact_mut(each)) {
            let inverse = 1.0 / ((*square / count + epsilon).sqrt() + floor);
            match part {
                Part::Both => found.copy_from_slice(&[*mean, inverse]),
                Part::Mean => found.fill(*mean),
                Part::InverseDeviation => found.fill(inverse),
            }
        }
    });
    Ok(())
}
