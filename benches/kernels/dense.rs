//! Dense layers: an odd one against the oracle, then square products and a vector.

use anyhow::Result;
use longshore::Dense;

use crate::support::Work;
use crate::{Case, weights, wide};
use longshore_testing::oracle::dense::dense;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (rows, inputs, units) in [(33, 65, 31), (256, 256, 256), (512, 512, 512), (1, 2048, 1000)] {
        let input = random.uniform(&[rows, inputs]);
        let (kernel, bias) = (random.uniform(&[inputs, units]), random.uniform(&[units]));
        let layer_weights = weights(&kernel, &bias);
        let name = format!("dense {rows}x{inputs}x{units}");
        let flops = 2 * rows * inputs * units;
        let case = Case::new(&name, input.clone(), Work::Flops(flops as u64), |g, x| {
            g.dense(x, Dense::new(units), &layer_weights)
        })?;
        cases.push(if rows == 33 {
            case.expect(dense(&wide(&input), &wide(&kernel), Some(&wide(&bias))))
        } else {
            case
        });
    }
    Ok(cases)
}
