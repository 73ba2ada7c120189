//! Where: a small one against the oracle, then images with a mask of their own and with a shared one.

use anyhow::Result;
use longshore::Graph;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::select::select;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for count in [4099, 1 << 22] {
        let input = random.uniform(&[1, count]);
        let name = format!("select of {count}");
        let work = Work::Bytes(16 * count as u64);
        // The input is the condition too: its positive elements are kept, the others are turned.
        let build = |g: &mut Graph, x| {
            let (positive, turned) = (g.relu(x)?, g.negative(x)?);
            g.select(positive, x, turned)
        };
        let case = Case::new(&name, input.clone(), work, build)?;
        let wide = wide(&input);
        let condition = wide.mapv(|x| x.max(0.0));
        cases.push(if count == 4099 {
            case.expect(select(&condition, &wide, &wide.mapv(|x| -x)))
        } else {
            case
        });
    }
    Ok(cases)
}
