//! Padding: a small one against the oracle, then an image in each mode.

use anyhow::Result;
use longshore::{Pad, PadMode};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::Expected;
use longshore_testing::oracle::pad::{Mode, pad};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let pads = [(0, 0), (1, 2), (3, 1), (0, 0)];
    let layer =
        |mode| Pad::new(pads.map(|(front, back)| (front as isize, back as isize))).mode(mode);
    let small = random.uniform(&[2, 5, 7, 3]);
    let work = Work::Bytes(8 * small.len() as u64);
    let expected = Expected::exact(pad(&wide(&small), &pads, Mode::Reflect));
    let first =
        Case::new("pad Reflect at 5x7", small, work, |g, x| g.pad(x, layer(PadMode::Reflect)))?;
    let mut cases = vec![first.expect(expected)];
    for mode in [PadMode::Constant(0.0), PadMode::Edge, PadMode::Reflect, PadMode::Wrap] {
        let input = random.uniform(&[1, 256, 256, 64]);
        let work = Work::Bytes(8 * input.len() as u64);
        let name = format!("pad {mode:?} at 256x256x64");
        cases.push(Case::new(&name, input, work, |g, x| g.pad(x, layer(mode)))?);
    }
    Ok(cases)
}
