//! Addition: a small one against the oracle, then an image with itself.

use anyhow::Result;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::binary::add;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for count in [4099, 1 << 22] {
        let input = random.uniform(&[1, count]);
        let name = format!("binary add of {count}");
        let work = Work::Bytes(12 * count as u64);
        let case = Case::new(&name, input.clone(), work, |g, x| g.add(x, x))?;
        cases.push(if count == 4099 {
            case.expect(add(&wide(&input), &wide(&input)))
        } else {
            case
        });
    }
    Ok(cases)
}
