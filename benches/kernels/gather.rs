//! Gathering: a small one against the oracle, then rows of a table and channels of an image.

use anyhow::Result;
use ndarray::{ArrayD, IxDyn};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::Expected;
use longshore_testing::oracle::gather::gather;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (shape, picked) in [([2, 5, 7], 9), ([1, 4096, 512], 4096), ([1, 1 << 16, 7], 1 << 16)] {
        let input = random.uniform(&shape);
        let indices =
            ArrayD::from_shape_simple_fn(IxDyn(&[picked]), || random.range(0, shape[1]) as i64);
        let name = format!("gather {picked} rows of {} of {}", shape[2], shape[1]);
        let work = Work::Bytes((8 * shape[0] * picked * shape[2]) as u64);
        let case = Case::new(&name, input.clone(), work, |g, x| g.gather(x, &indices, 1))?;
        cases.push(if picked == 9 {
            case.expect(Expected::exact(gather(&wide(&input), &indices, 1)))
        } else {
            case
        });
    }
    Ok(cases)
}
