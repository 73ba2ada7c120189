//! Products of a symbol with itself: an odd one against the oracle, then square ones and heads.

use anyhow::Result;
use longshore::MatMul;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::matmul::matmul;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (batch, rows, inner, transposed) in [
        (3usize, 33usize, 65usize, true),
        (1, 256, 256, false),
        (1, 256, 256, true),
        (1, 512, 512, false),
        (1, 512, 512, true),
        (8, 128, 64, true),
    ] {
        // One input: a product with its own transpose, or of a square with itself.
        let input = random.uniform(&[batch, rows, inner]);
        let kind = if transposed { "x @ x'" } else { "x @ x" };
        let name = format!("matmul {kind} {batch}x{rows}x{inner}");
        let flops = 2 * batch * rows * rows * inner;
        let case = Case::new(&name, input.clone(), Work::Flops(flops as u64), |g, x| {
            g.matmul_with(x, x, MatMul::new().transpose_right(transposed))
        })?;
        let expected = || matmul(&wide(&input), &wide(&input), [false, transposed]);
        cases.push(if rows == 33 { case.expect(expected()) } else { case });
    }
    Ok(cases)
}
