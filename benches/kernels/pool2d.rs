//! Pooling: a small one against the oracle, then windows and whole images of real sizes.

use anyhow::Result;
use longshore::{Padding, Pooling};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::conv2d::Padding as OraclePadding;
use longshore_testing::oracle::pool2d::{Mode, Pool, pool2d};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let input = random.uniform(&[2, 9, 7, 4]);
    let pool = Pool {
        mode: Mode::Average,
        kernel: (3, 3),
        strides: (2, 2),
        dilation: (1, 1),
        padding: OraclePadding::Same,
        ceil: false,
        count_include_pad: false,
    };
    let expected = pool2d(&wide(&input), &pool);
    let bytes = |elements: usize| Work::Bytes(4 * elements as u64);
    let work = bytes(input.len() + expected.value.len());
    let layer = Pooling::new(3).strides(2).padding(Padding::Same);
    let small = Case::new("average_pooling2d 3x3 / 2 at 9x7", input, work, |g, x| {
        g.average_pooling2d(x, layer.clone())
    })?;
    let mut cases = vec![small.expect(expected)];

    let input = random.uniform(&[1, 112, 112, 64]);
    let work = bytes(input.len() + input.len() / 4);
    cases.push(Case::new("max_pooling2d 3x3 / 2 64 at 112x112", input, work, |g, x| {
        g.max_pooling2d(x, layer.clone())
    })?);
    let input = random.uniform(&[8, 56, 56, 64]);
    let work = bytes(input.len() + input.len() / 4);
    cases.push(Case::new("lp_pooling2d 2x2 64 at 8x56x56", input, work, |g, x| {
        g.lp_pooling2d(x, 3, Pooling::new(2))
    })?);
    for shape in [[1, 7, 7, 2048], [1, 112, 112, 64]] {
        let input = random.uniform(&shape);
        let (work, [_, height, width, channels]) = (bytes(input.len()), shape);
        let name = format!("global_average_pooling2d {channels} at {height}x{width}");
        cases.push(Case::new(&name, input, work, |g, x| g.global_average_pooling2d(x, false))?);
    }
    Ok(cases)
}
