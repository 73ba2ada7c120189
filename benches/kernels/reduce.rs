//! Reductions: a small one against the oracle, then a pool, long rows, one row, and positions.

use anyhow::Result;
use longshore::{ArgReduce, Reduce, ReduceOp};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::reduce::{Reduction, reduce};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let sizes: [(&str, &[usize], &[isize]); 5] = [
        ("the middle of 3x13x7", &[3, 13, 7], &[1]),
        ("the pixels of 8x56x56x64", &[8, 56, 56, 64], &[1, 2]),
        ("the rows of 1024x1024", &[1024, 1024], &[1]),
        ("the columns of 1024x1024", &[1024, 1024], &[0]),
        ("all of 4096x1024", &[4096, 1024], &[0, 1]),
    ];
    for (name, shape, axes) in sizes {
        let input = random.uniform(shape);
        let work = Work::Bytes(4 * input.len() as u64);
        let layer = Reduce::new(ReduceOp::Mean).axes(axes.iter().copied());
        let name = format!("mean of {name}");
        let case = Case::new(&name, input.clone(), work, |g, x| g.reduce(x, layer))?;
        let exact = || reduce(&wide(&input), Reduction::Mean, &[1], true);
        cases.push(if input.len() < 1000 { case.expect(exact()) } else { case });
    }
    let input = random.uniform(&[1024, 1000]);
    let work = Work::Bytes(4 * input.len() as u64);
    let layer = ArgReduce::new(-1);
    cases.push(Case::new("arg_max of 1024 rows of 1000", input, work, |g, x| g.arg_max(x, layer))?);
    Ok(cases)
}
