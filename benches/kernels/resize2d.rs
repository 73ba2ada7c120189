//! Upsampling: a small one against the oracle, then each interpolation at a real size.

use anyhow::Result;
use longshore::{Interpolation, UpSampling2d};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::resize2d::{Interpolation as OracleInterpolation, up_sampling2d};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let input = random.uniform(&[2, 5, 7, 3]);
    let expected = up_sampling2d(&wide(&input), (2, 2), OracleInterpolation::Bicubic);
    let work = Work::Bytes(5 * 4 * input.len() as u64);
    let small = Case::new("up_sampling2d Bicubic x2 at 5x7", input, work, |g, x| {
        g.up_sampling2d(x, UpSampling2d::bicubic(2))
    })?;
    let mut cases = vec![small.expect(expected)];
    for interpolation in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Lanczos3]
    {
        let input = random.uniform(&[1, 128, 128, 64]);
        // Reads each pixel once and writes it four times.
        let work = Work::Bytes(5 * 4 * input.len() as u64);
        let name = format!("up_sampling2d {interpolation:?} x2 64 at 128x128");
        cases.push(Case::new(&name, input, work, |g, x| {
            g.up_sampling2d(x, UpSampling2d::new(2, interpolation))
        })?);
    }
    Ok(cases)
}
