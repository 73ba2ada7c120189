//! Softmax: a small one against the oracle, then many short rows and few long ones.

use anyhow::Result;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::softmax::softmax;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (rows, length) in [(7, 13), (65_536, 10), (256, 1000)] {
        let input = random.uniform(&[rows, length]);
        let name = format!("softmax of {rows} rows of {length}");
        let work = Work::Bytes(8 * (rows * length) as u64);
        let case = Case::new(&name, input.clone(), work, |g, x| g.softmax(x, -1))?;
        cases.push(if rows == 7 { case.expect(softmax(&wide(&input), -1)) } else { case });
    }
    Ok(cases)
}
