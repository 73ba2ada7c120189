//! Running sums: small ones against the oracle, then columns, rows, and one long line.

use anyhow::Result;
use longshore::CumSum;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::cumsum::cumsum;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let sizes: [(&str, &[usize]); 4] = [
        ("the middle of 3x130x7", &[3, 130, 7]),
        ("the columns of 8x1024x256", &[8, 1024, 256]),
        ("the rows of 4096x512", &[4096, 512, 1]),
        ("one line of 65000", &[1, 65_000, 1]),
    ];
    for (name, shape) in sizes {
        let input = random.uniform(shape);
        let work = Work::Bytes(8 * input.len() as u64);
        let layer = CumSum::new().axis(1);
        let name = format!("cumsum of {name}");
        let case = Case::new(&name, input.clone(), work, |g, x| g.cumsum(x, layer))?;
        let exact = || cumsum(&wide(&input), 1, false, false);
        cases.push(if shape[0] == 3 { case.expect(exact()) } else { case });
    }
    Ok(cases)
}
