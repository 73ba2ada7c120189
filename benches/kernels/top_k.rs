//! The largest elements: small ones against the oracle, then classes, boxes, and pixels.

use anyhow::Result;
use longshore::TopK;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::top_k::top_k;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (k, shape) in [
        (4, [3, 13, 7]),
        (5, [256, 1000, 1]),
        (300, [8, 8400, 1]),
        (2, [4, 80, 8400]),
        (8400, [1, 8400, 1]),
    ] {
        let input = random.uniform(&shape);
        let work = Work::Bytes(4 * input.len() as u64);
        let name = format!("the {k} largest on axis 1 of {shape:?}");
        let layer = TopK::new(k).axis(1);
        let case = Case::new(&name, input.clone(), work, |g, x| Ok(g.top_k(x, layer)?.values))?;
        let exact = || {
            let [values, _] = top_k(&wide(&input), 1, k, true);
            values
        };
        cases.push(if k == 4 { case.expect(exact()) } else { case });
    }
    Ok(cases)
}
