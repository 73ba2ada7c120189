//! Trip counts: how often a kernel's loops run for one thread, for drivers that end them silently.
//!
//! Each family's file has the count of its own, `trip_count`; here is what they share.

use super::rows::rows;

/// The entries in which the threads of a workgroup share a row.
pub(super) const SHARED: &str = "shared_row";

/// Counts the trips over a window of a convolution, whose inner loop is over channels.
pub(super) fn windows([height, width]: [usize; 2], channels: u64) -> u64 {
    nested(height as u64, channels.saturating_add(2).saturating_mul(width as u64))
}

/// Counts the trips along an axis that one entry walks four numbers at a time.
pub(super) fn in_fours(length: usize, entry: &str, wide: &str) -> u64 {
    let length = length as u64;
    if entry == wide { length / 4 } else { length }
}

/// Counts a loop in a loop: the inner one takes a trip more than its length, that which ends it,
/// and the outer one its own.
pub(super) fn nested(outer: u64, inner: u64) -> u64 {
    inner.saturating_add(2).saturating_mul(outer)
}

/// Counts the trips of merging one row: `merge_row` of `shaders/shared/rows.wgsl`, or `merge_share`
/// and `group_merge`.
pub(super) fn merge(entry: &str, input: &[usize], reduced: &[bool]) -> u64 {
    // What cannot be launched never runs.
    let terms = rows("", input, reduced).map_or(0, |rows| u64::from(rows.terms));
    if entry == SHARED {
        // 1024 terms at a time, the at most 15 that a thread has left, and two loops over 8.
        return terms / 1024 + 1 + 15 + 1 + 16;
    }
    // Blocks of 64 terms; the loop over a block skips its first term, and has a trip that ends it.
    terms + terms.div_ceil(64) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::softmax::Function;
    use crate::kernels::{Work, moments, resize2d, softmax};
    use crate::kernels::{normalization, reduce};
    use crate::ops::normalization::moments::Part;
    use crate::ops::reduction::reduce::Operation;
    use crate::ops::{AxisMap, Coordinates, Epilogue, Interpolation, ReduceOp, Sampling};

    /// What a driver gets through; `device/prepare.rs` refuses more.
    const MOST: u64 = 65_400;

    /// The entry that serves some work, and its trip count.
    fn trips(work: &Work) -> (&'static str, u64) {
        let kernel = work.launch("t", u32::MAX).unwrap().kernel;
        (kernel.entry, work.trip_count(kernel.entry))
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
        // 3 blocks of 64, 64 and 2 terms: 3 trips and one that ends them, 63, 63 and 1 and three.
        assert_eq!(trips(&reduction(&[5, 130], 1, sum)), ("general", 134));
        assert_eq!(trips(&reduction(&[5, 130], 1, position)), ("general", 268));
        let log_sum_exp = Operation::Value(ReduceOp::LogSumExp);
        assert_eq!(trips(&reduction(&[5, 130], 1, log_sum_exp)), ("general", 268));
        assert_eq!(trips(&reduction(&[5, 4096], 1, sum)), ("shared_row", 37));
        assert_eq!(trips(&reduction(&[5, 4096], 1, position)), ("shared_row", 74));
        assert_eq!(trips(&moments_of(&[5, 130], 1, true)), ("general", 405));
        assert_eq!(trips(&moments_of(&[5, 130], 1, false)), ("general", 137));
        assert_eq!(trips(&moments_of(&[5, 4096], 1, true)), ("shared_row", 114));
        assert_eq!(trips(&softmax_of(Function::Softmax, [5, 130, 1])), ("general", 390));
        assert_eq!(trips(&softmax_of(Function::Hardmax, [5, 130, 1])), ("others", 398));
        assert_eq!(trips(&softmax_of(Function::Softmax, [5, 4096, 1])), ("shared_row", 78));
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
            let (entry, count) = trips(&work);
            assert!(entry != SHARED && count > 16_000 && count < MOST, "{entry} {count}");
        }
        for work in [
            reduction(&[1, longest], 1, position),
            moments_of(&[1, longest], 1, true),
            softmax_of(Function::Softmax, [1, longest, 1]),
        ] {
            let (entry, count) = trips(&work);
            assert!(entry == SHARED && count > 32_000 && count < MOST, "{entry} {count}");
            assert!(reduction(&[1, longest + 1], 1, position).launch("t", 65_535).is_err());
        }
    }

    #[test]
    fn resampling_takes_its_taps_row_by_row() {
        let resize = |from: [usize; 2], to: [usize; 2], interpolation, antialias| {
            trips(&Work::Resize2d(resize2d::Geometry {
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
        assert_eq!(trips(&Work::Normalization(geometry)), ("general", 0));
    }
}
