//! How often a kernel's loops turn for one thread, for drivers that end them silently.

use super::{Kernel, Work};
use crate::graph::PoolMode;

impl Work {
    /// Returns the turns of all loops of one thread together, at most, where the length of an
    /// axis decides them; 0 for families whose loops are short whatever they are given.
    pub(crate) fn turns(&self, kernel: Kernel) -> u64 {
        // Entries that take four numbers of the inner axis at a time turn a quarter as often.
        let by = |length: usize, wide: &str| {
            let length = length as u64;
            if kernel.entry == wide { length / 4 } else { length }
        };
        // A loop within another one takes a turn more than its length: that which ends it.
        let windows = |[height, width]: [usize; 2], channels: u64| {
            let tap = if kernel.entry == "depthwise4" { 1 } else { channels.saturating_add(2) };
            let row = tap.saturating_mul(width as u64);
            row.saturating_add(2).saturating_mul(height as u64)
        };
        match self {
            Work::Conv2d(g) => {
                let channels = by(g.input[3] / g.groups.max(1), "blocks4");
                windows(g.kernel, channels)
            }
            Work::Conv2dTranspose(g) => {
                let channels = by(g.input[3] / g.groups.max(1), "inputs4");
                windows(g.kernel, channels)
            }
            Work::Dense(g) => by(g.inputs, "blocks4"),
            Work::MatMul(g) => by(g.inner, "inner4"),
            Work::Pool2d(g) => {
                let tap = match g.mode {
                    // One loop for the largest magnitude, and one of powers by squaring.
                    PoolMode::Lp(p) => 3 + u64::from(u32::BITS - u32::from(p).leading_zeros()),
                    // Those loops are skipped, which takes a turn.
                    PoolMode::Average => 2,
                    PoolMode::Max => 1,
                };
                let row = (g.kernel[1] as u64).saturating_mul(tap).saturating_add(4);
                row.saturating_mul(g.kernel[0] as u64)
            }
            Work::Softmax(g) => (g.length as u64).saturating_mul(3),
            _ => 0,
        }
    }
}
