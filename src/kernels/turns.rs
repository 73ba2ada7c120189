//! How often a kernel's loops turn for one thread, for drivers that end them silently.

use super::reduce::Recipe;
use super::rows::rows;
use super::softmax::Function;
use super::{Kernel, Work, moments, pool2d, resize2d, softmax};
use crate::ops::PoolMode;

/// The entries in which the threads of a workgroup share a row.
const SHARED: &str = "shared_row";

impl Work {
    /// Returns the turns of all loops of one thread together, at most, where lengths decide them;
    /// 0 for families whose loops are short whatever they are given, or that have none.
    pub(crate) fn turns(&self, kernel: Kernel) -> u64 {
        // Entries that take four numbers of the inner axis at a time turn a quarter as often.
        let by = |length: usize, wide: &str| {
            let length = length as u64;
            if kernel.entry == wide { length / 4 } else { length }
        };
        let windows = |[height, width]: [usize; 2], channels: u64| {
            let tap = if kernel.entry == "depthwise4" { 1 } else { channels.saturating_add(2) };
            nested(height as u64, tap.saturating_mul(width as u64))
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
            Work::Lrn(g) => {
                let [before, after] = g.sides();
                // A window ends where the channels do.
                before.saturating_add(after).saturating_add(1).min(g.channels) as u64
            }
            Work::MatMul(g) => by(g.inner, "inner4"),
            Work::Moments(g) => moments(g, kernel),
            Work::Pool2d(g) => pooled(g),
            Work::Reduce(g) => {
                let first = u64::from(Recipe::of(g.operation, false).before.is_some());
                merge(kernel, &g.input, &g.reduced).saturating_mul(1 + first)
            }
            Work::Resize2d(g) => {
                let [rows, columns] = resize2d::most_taps(g);
                nested(rows, columns)
            }
            Work::Softmax(g) => softmax(g, kernel),
            _ => 0,
        }
    }
}

/// A loop in a loop: the inner one takes a turn more than its length, that which ends it, and the
/// outer one its own.
fn nested(outer: u64, inner: u64) -> u64 {
    inner.saturating_add(2).saturating_mul(outer)
}

fn pooled(g: &pool2d::Geometry) -> u64 {
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

fn moments(g: &moments::Geometry, kernel: Kernel) -> u64 {
    // The mean in a loop of two rounds, then the squares.
    let merges = if g.is_centered { 3 } else { 1 };
    merge(kernel, &g.input, &g.reduced).saturating_mul(merges).saturating_add(3)
}

fn softmax(g: &softmax::Geometry, kernel: Kernel) -> u64 {
    let length = g.length as u64;
    let merges = merge(kernel, &[g.outer, g.length, g.inner], &[false, true, false]);
    let both = merges.saturating_mul(2);
    match g.function {
        // The maximum, the sum, and a loop that writes 16 results of each thread's at a time.
        _ if kernel.entry == SHARED => both.saturating_add(length.div_ceil(1024)),
        Function::LogSoftmax | Function::Hardmax => both.saturating_add(length),
        Function::Softmax => length.saturating_mul(3),
    }
}

/// Turns of merging one row: `merge_row` of `shaders/shared/rows.wgsl`, or `merge_share` and
/// `group_merge`.
fn merge(kernel: Kernel, input: &[usize], reduced: &[bool]) -> u64 {
    // What cannot be launched never runs.
    let terms = rows("", input, reduced).map_or(0, |rows| u64::from(rows.terms));
    if kernel.entry == SHARED {
        // 1024 terms at a time, the at most 15 that a thread has left, and two loops over 8.
        return terms / 1024 + 1 + 15 + 1 + 16;
    }
    // Blocks of 64 terms; the loop over a block skips its first term, and has a turn that ends it.
    terms + terms.div_ceil(64) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{lrn, normalization, reduce};
    use crate::ops::normalization::moments::Part;
    use crate::ops::reduction::reduce::Operation;
    use crate::ops::{AxisMap, Coordinates, Epilogue, Interpolation, ReduceOp, Sampling};

    /// What a driver gets through; `device/prepare.rs` refuses more.
    const MOST: u64 = 65_400;

    /// The entry that serves some work, and its turns.
    fn turns(work: &Work) -> (&'static str, u64) {
        let kernel = work.launch("t", u32::MAX).unwrap().kernel;
        (kernel.entry, work.turns(kernel))
    }

    fn reduction(input: &[usize], axis: usize, operation: Operation) -> Work {
        let reduced = (0..input.len()).map(|number| number == axis).collect();
        Work::Reduce(reduce::Geometry { input: input.to_vec(), reduced, operation })
    }

    fn moments_of(input: &[usize], axis: usize, is_centered: bool) -> Work {
        let reduced = (0..input.len()).map(|number| number == axis).collect();
        let (input, part) = (input.to_vec(), Part::Both);
        let (epsilon, floor) = (0.0, 0.0);
        Work::Moments(moments::Geometry { input, reduced, is_centered, epsilon, floor, part })
    }

    fn softmax_of(function: Function, [outer, length, inner]: [usize; 3]) -> Work {
        Work::Softmax(softmax::Geometry { outer, length, inner, function })
    }

    #[test]
    fn a_row_is_gone_over_in_blocks_once_or_twice() {
        let sum = Operation::Value(ReduceOp::Sum);
        let position = Operation::Position { largest: true, last: false };
        // 3 blocks of 64, 64 and 2 terms: 3 turns and one that ends them, 63, 63 and 1 and three.
        assert_eq!(turns(&reduction(&[5, 130], 1, sum)), ("general", 134));
        assert_eq!(turns(&reduction(&[5, 130], 1, position)), ("general", 268));
        let log_sum_exp = Operation::Value(ReduceOp::LogSumExp);
        assert_eq!(turns(&reduction(&[5, 130], 1, log_sum_exp)), ("general", 268));
        assert_eq!(turns(&reduction(&[5, 4096], 1, sum)), ("shared_row", 37));
        assert_eq!(turns(&reduction(&[5, 4096], 1, position)), ("shared_row", 74));
        assert_eq!(turns(&moments_of(&[5, 130], 1, true)), ("general", 405));
        assert_eq!(turns(&moments_of(&[5, 130], 1, false)), ("general", 137));
        assert_eq!(turns(&moments_of(&[5, 4096], 1, true)), ("shared_row", 114));
        assert_eq!(turns(&softmax_of(Function::Softmax, [5, 130, 1])), ("general", 390));
        assert_eq!(turns(&softmax_of(Function::Hardmax, [5, 130, 1])), ("others", 398));
        assert_eq!(turns(&softmax_of(Function::Softmax, [5, 4096, 1])), ("shared_row", 78));
    }

    /// Longer rows are refused when planning, and those that threads go over alone are shorter.
    #[test]
    fn no_row_that_is_planned_goes_further_than_the_driver() {
        let position = Operation::Position { largest: true, last: false };
        let alone = [8191, 1 << 14];
        let longest = 1 << 24;
        for work in [
            reduction(&alone, 0, position),
            moments_of(&alone, 0, true),
            softmax_of(Function::Softmax, [1, 8191, 1 << 14]),
            softmax_of(Function::LogSoftmax, [1, 8191, 1 << 14]),
        ] {
            let (entry, turns) = turns(&work);
            assert!(entry != SHARED && turns > 16_000 && turns < MOST, "{entry} {turns}");
        }
        for work in [
            reduction(&[1, longest], 1, position),
            moments_of(&[1, longest], 1, true),
            softmax_of(Function::Softmax, [1, longest, 1]),
        ] {
            let (entry, turns) = turns(&work);
            assert!(entry == SHARED && turns > 32_000 && turns < MOST, "{entry} {turns}");
            assert!(reduction(&[1, longest + 1], 1, position).launch("t", 65_535).is_err());
        }
    }

    #[test]
    fn windows_of_channels_end_where_the_channels_do() {
        let lrn = |size, channels| {
            let (outer, inner, alpha, beta, bias) = (2, 3, 1.0, 1.0, 1.0);
            turns(&Work::Lrn(lrn::Geometry { outer, channels, inner, size, alpha, beta, bias })).1
        };
        assert_eq!((lrn(1, 9), lrn(4, 9), lrn(9, 9)), (1, 4, 9));
        assert_eq!((lrn(100, 9), lrn(9, 100), lrn(usize::MAX, 70_000)), (9, 9, 70_000));
    }

    #[test]
    fn resampling_takes_its_taps_row_by_row() {
        let resize = |from: [usize; 2], to: [usize; 2], interpolation, antialias| {
            turns(&Work::Resize2d(resize2d::Geometry {
                input: [1, from[0], from[1], 1],
                rows: AxisMap::sized(from[0], to[0]),
                columns: AxisMap::sized(from[1], to[1]),
                sampling: Sampling::keras(interpolation, Coordinates::HalfPixel, antialias),
                epilogue: Epilogue::default(),
            }))
        };
        let nearest = Interpolation::Nearest;
        assert_eq!(resize([300, 300], [1, 1], nearest, false), ("nearest", 0));
        let bilinear = Interpolation::Bilinear;
        assert_eq!(resize([4, 4], [8, 8], bilinear, false), ("taps", 2 * (2 + 2)));
        // Without antialias a pixel has as many taps however far apart they are.
        assert_eq!(resize([300, 200], [1, 1], bilinear, false).1, 2 * (2 + 2));
        assert_eq!(resize([300, 200], [1, 1], bilinear, true).1, 300 * (200 + 2));
    }

    #[test]
    fn normalization_has_no_loop() {
        let (input, reduced) = (vec![2, 100_000], vec![false, true]);
        let epilogue = Epilogue::default();
        let geometry =
            normalization::Geometry { input, reduced, scale: None, bias: None, epilogue };
        assert_eq!(turns(&Work::Normalization(geometry)), ("general", 0));
    }
}
