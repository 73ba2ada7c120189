//! Convolutions: a small one against the oracle, then sizes of real networks.

use anyhow::Result;
use longshore::ops::Padding;
use longshore::{Conv2d, DepthwiseConv2d, UpSampling2d};

use crate::support::Work;
use crate::{Case, weights, wide};
use longshore_testing::oracle::conv2d::{Padding as OraclePadding, conv2d};
use longshore_testing::random::Random;

/// Returns the cases, the one with an oracle first.
pub(crate) fn cases(random: &mut Random) -> Result<Vec<Case>> {
    let input = random.uniform(&[2, 9, 7, 12]);
    let (kernel, bias) = (random.uniform(&[3, 3, 12, 8]), random.uniform(&[8]));
    let expected = conv2d(
        &wide(&input),
        &wide(&kernel),
        Some(&wide(&bias)),
        (1, 1),
        (1, 1),
        1,
        OraclePadding::Same,
    );
    let layer = |filters, side: usize| Conv2d::new(filters, side).padding(Padding::Same);
    let layer_weights = weights(&kernel, &bias);
    let work = Work::Flops(2 * 2 * 9 * 7 * 9 * 12 * 8);
    let small = Case::new("conv2d 3x3 12->8 at 9x7", input, work, |g, x| {
        g.conv2d(x, layer(8, 3), &layer_weights)
    })?;
    let mut cases = vec![small.expect(expected)];
    for (size, channels, side) in [(64usize, 64usize, 3usize), (56, 64, 1), (28, 128, 3)] {
        let kernel = random.uniform(&[side, side, channels, channels]);
        let layer_weights = weights(&kernel, &random.uniform(&[channels]));
        let flops = 2 * size * size * side * side * channels * channels;
        let name = format!("conv2d {side}x{side} {channels}->{channels} at {size}x{size}");
        let input = random.uniform(&[1, size, size, channels]);
        cases.push(Case::new(&name, input, Work::Flops(flops as u64), |g, x| {
            g.conv2d(x, layer(channels, side), &layer_weights)
        })?);
    }
    let kernel = random.uniform(&[3, 3, 64, 1]);
    let depthwise = weights(&kernel, &random.uniform(&[64]));
    let input = random.uniform(&[1, 112, 112, 64]);
    let work = Work::Flops(2 * 112 * 112 * 9 * 64);
    cases.push(Case::new("conv2d depthwise 3x3 64 at 112x112", input, work, |g, x| {
        g.depthwise_conv2d(x, DepthwiseConv2d::new(3).padding(Padding::Same), &depthwise)
    })?);
    let kernel = random.uniform(&[3, 3, 64, 64]);
    let layer_weights = weights(&kernel, &random.uniform(&[64]));
    let input = random.uniform(&[1, 64, 64, 64]);
    let work = Work::Flops(2 * 128 * 128 * 9 * 64 * 64);
    cases.push(Case::new("conv2d after nearest x2, 64->64 at 64x64", input, work, |g, x| {
        let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
        g.conv2d(x, layer(64, 3), &layer_weights)
    })?);
    Ok(cases)
}
