//! Local response normalization: a small one against the oracle, then an image's channels.

use anyhow::Result;
use longshore::Lrn;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::lrn::lrn;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for shape in [[2, 5, 7, 9], [4, 55, 55, 64]] {
        let input = random.uniform(&shape);
        let work = Work::Bytes(8 * input.len() as u64);
        let name = format!("lrn of {shape:?}, size 5");
        let case = Case::new(&name, input.clone(), work, |g, x| g.lrn(x, Lrn::new(5)))?;
        let constants = [1e-4f32, 0.75, 1.0].map(f64::from);
        let exact = || lrn(&wide(&input), 3, 5, constants);
        cases.push(if shape[1] == 5 { case.expect(exact()) } else { case });
    }
    Ok(cases)
}
