//! Movements: a small transposition against the oracle, then layouts, joins and pixel shuffles.

use anyhow::Result;
use longshore::{DepthToSpace, Slice};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::Expected;
use longshore_testing::oracle::copy::transpose;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let small = random.uniform(&[2, 13, 7, 5]);
    let expected = Expected::exact(transpose(&wide(&small), &[0, 3, 1, 2]));
    let bytes = |elements: usize| Work::Bytes(8 * elements as u64);
    let first =
        Case::new("copy transpose of 2x13x7x5", small.clone(), bytes(small.len()), |g, x| {
            g.transpose(x, &[0, 3, 1, 2])
        })?;
    let mut cases = vec![first.expect(expected)];
    let image = random.uniform(&[1, 256, 256, 64]);
    let all = bytes(image.len());
    cases.push(Case::new(
        "copy transpose to channels first at 256x256x64",
        image.clone(),
        all,
        |g, x| g.transpose(x, &[0, 3, 1, 2]),
    )?);
    cases.push(Case::new(
        "copy transpose of rows and columns at 256x256x64",
        image.clone(),
        all,
        |g, x| g.transpose(x, &[0, 2, 1, 3]),
    )?);
    cases.push(Case::new("copy depth_to_space 2 at 256x256x64", image.clone(), all, |g, x| {
        g.depth_to_space(x, DepthToSpace::new(2))
    })?);
    let twice = bytes(2 * image.len());
    cases.push(Case::new(
        "copy concat of channels at 256x256x64",
        image.clone(),
        twice,
        |g, x| g.concat(&[x, x], -1),
    )?);
    let half = bytes(image.len() / 2);
    cases.push(Case::new(
        "copy slice of every other column at 256x256x64",
        image,
        half,
        |g, x| g.slice(x, Slice::new([0], [isize::MAX]).axes([2]).steps([2])),
    )?);
    Ok(cases)
}
