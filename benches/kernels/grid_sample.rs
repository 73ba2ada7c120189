//! Sampling by grids: a small one against the oracle, then an image in each mode.

use anyhow::Result;
use longshore::{GridSample, GridSampleMode, Slice};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::grid_sample::{Mode, Padding, Rule, grid_sample};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    // An image of two channels is its own grid.
    let input = random.uniform(&[2, 9, 7, 2]);
    let rule = Rule { mode: Mode::Linear, padding: Padding::Zeros, align_corners: false };
    let expected = grid_sample(&wide(&input), &wide(&input), rule);
    let bytes = |elements: usize| Work::Bytes(4 * elements as u64);
    let work = bytes(3 * input.len());
    let small = Case::new("grid_sample Linear at 9x7", input, work, |g, x| {
        g.grid_sample(x, x, GridSample::new())
    })?;
    let mut cases = vec![small.expect(expected)];
    for mode in [GridSampleMode::Nearest, GridSampleMode::Linear, GridSampleMode::Cubic] {
        let input = random.uniform(&[1, 128, 128, 64]);
        let work = bytes(2 * input.len());
        let name = format!("grid_sample {mode:?} 64 at 128x128");
        cases.push(Case::new(&name, input, work, |g, x| {
            let grid = g.slice(x, Slice::new([0], [2]).axes([3]))?;
            g.grid_sample(x, grid, GridSample::new().mode(mode))
        })?);
    }
    Ok(cases)
}
