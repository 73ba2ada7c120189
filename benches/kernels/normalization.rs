//! Layer normalization: a small one against the oracle, then rows of a transformer.

use anyhow::Result;
use longshore::{HostArray, LayerNormalization, LayerWeights};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::moments::Rule;
use longshore_testing::oracle::normalization::layer_normalization;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for shape in [[3, 13], [4096, 64], [1024, 768]] {
        let input = random.uniform(&shape);
        let [gamma, beta] = [0, 1].map(|_| random.uniform(&[shape[1]]));
        let weights = LayerWeights::default()
            .with("gamma", HostArray::from(gamma.clone()))
            .with("beta", HostArray::from(beta.clone()));
        let work = Work::Bytes(8 * input.len() as u64);
        let layer = LayerNormalization::new();
        let name = format!("layer_normalization of {} rows of {}", shape[0], shape[1]);
        let case = Case::new(&name, input.clone(), work, |g, x| {
            g.layer_normalization(x, layer, &weights)
        })?;
        let rule = Rule { is_centered: true, epsilon: f64::from(1e-3f32), floor: 0.0 };
        let (gamma, beta) = (wide(&gamma), wide(&beta));
        let exact = || layer_normalization(&wide(&input), rule, &[1], Some(&gamma), Some(&beta));
        cases.push(if shape[0] == 3 { case.expect(exact()) } else { case });
    }
    Ok(cases)
}
