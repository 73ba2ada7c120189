//! Activations: a small one against the oracle, then the cheapest and the dearest.

use anyhow::Result;
use longshore::Activation;

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::activation::{Activation as OracleActivation, activation};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let all = [
        (4099, "silu", Activation::Silu),
        (1 << 22, "relu", Activation::Relu),
        (1 << 22, "gelu", Activation::Gelu),
    ];
    for (count, name, kind) in all {
        let input = random.uniform(&[1, count]);
        let name = format!("activation {name} of {count}");
        let work = Work::Bytes(8 * count as u64);
        let case = Case::new(&name, input.clone(), work, |g, x| g.activation(x, kind))?;
        cases.push(if kind == Activation::Silu {
            case.expect(activation(OracleActivation::Silu, &wide(&input)))
        } else {
            case
        });
    }
    Ok(cases)
}
