//! Transposed convolutions: a small one against the oracle, then a generator's layer.

use anyhow::Result;
use longshore::Conv2dTranspose;
use longshore::ops::Padding;

use crate::support::Work;
use crate::{Case, weights, wide};
use longshore_testing::oracle::conv2d_transpose::{TransposePadding, conv2d_transpose};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (size, channels, filters) in [(5usize, 6usize, 4usize), (32, 64, 64)] {
        let input = random.uniform(&[1, size, size, channels]);
        let (kernel, bias) =
            (random.uniform(&[4, 4, filters, channels]), random.uniform(&[filters]));
        let layer_weights = weights(&kernel, &bias);
        let name = format!("conv2d_transpose 4x4 s2 {channels}->{filters} at {size}x{size}");
        let flops = 2 * size * size * 16 * channels * filters;
        let layer = Conv2dTranspose::new(filters, 4).strides(2).padding(Padding::Same);
        let case = Case::new(&name, input.clone(), Work::Flops(flops as u64), |g, x| {
            g.conv2d_transpose(x, layer, &layer_weights)
        })?;
        cases.push(if size > 5 {
            case
        } else {
            case.expect(conv2d_transpose(
                &wide(&input),
                &wide(&kernel),
                Some(&wide(&bias)),
                (2, 2),
                (1, 1),
                TransposePadding::Same,
                None,
            ))
        });
    }
    Ok(cases)
}
