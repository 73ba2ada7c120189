//! Batch normalization: a small one against the oracle, then images with channels last and first.

use anyhow::Result;
use longshore::{BatchNormalization, HostArray, LayerWeights};

use crate::support::Work;
use crate::{Case, wide};
use longshore_testing::oracle::batch_normalization::batch_normalization;
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (shape, axis) in [([3, 5, 7, 9], 3), ([4, 56, 56, 64], 3), ([4, 64, 56, 56], 1)] {
        let input = random.uniform(&shape);
        let [gamma, beta, mean, variance] = [0.0, 0.0, 0.0, 2.0]
            .map(|above: f32| random.uniform(&[shape[axis]]).mapv(|value| value + above));
        let weights = LayerWeights::default()
            .with("gamma", HostArray::from(gamma.clone()))
            .with("beta", HostArray::from(beta.clone()))
            .with("moving_mean", HostArray::from(mean.clone()))
            .with("moving_variance", HostArray::from(variance.clone()));
        let work = Work::Bytes(8 * input.len() as u64);
        let layer = BatchNormalization::new().axis(axis as isize);
        let name = format!("batch_normalization of {shape:?}, channels on {axis}");
        let case = Case::new(&name, input.clone(), work, |g, x| {
            g.batch_normalization(x, layer, &weights)
        })?;
        cases.push(if shape[1] == 5 {
            let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(|a| wide(&a));
            let epsilon = f64::from(1e-3f32);
            case.expect(batch_normalization(
                &wide(&input),
                axis,
                Some(&gamma),
                Some(&beta),
                &mean,
                &variance,
                epsilon,
            ))
        } else {
            case
        });
    }
    Ok(cases)
}
