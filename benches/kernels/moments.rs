//! Moments, with the normalization that needs them and nothing else: instances of images.

use anyhow::Result;
use longshore::{HostArray, InstanceNormalization, LayerWeights};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::moments::Rule;
use longshore_testing::oracle::normalization::group_normalization;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (shape, axis) in [([2, 5, 7, 3], 3), ([4, 56, 56, 64], 3), ([4, 64, 56, 56], 1)] {
        let input = random.uniform(&shape);
        let [gamma, beta] = [0, 1].map(|_| random.uniform(&[shape[axis]]));
        let weights = LayerWeights::default()
            .with("gamma", HostArray::from(gamma.clone()))
            .with("beta", HostArray::from(beta.clone()));
        let work = Work::Bytes(8 * input.len() as u64);
        let layer = InstanceNormalization::new().axis(axis as isize);
        let name = format!("instances of {shape:?}, channels on {axis}");
        let case = Case::new(&name, input.clone(), work, |g, x| {
            g.instance_normalization(x, layer, &weights)
        })?;
        let rule = Rule { is_centered: true, epsilon: f64::from(1e-5f32), floor: 0.0 };
        let (gamma, beta) = (wide(&gamma), wide(&beta));
        let exact = || group_normalization(&wide(&input), rule, 3, 3, Some(&gamma), Some(&beta));
        cases.push(if input.len() < 1000 { case.expect(exact()) } else { case });
    }
    Ok(cases)
}
