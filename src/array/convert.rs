//! One block of source elements to f32, and the tally of what that did to them.
//!
//! Each routine looks at a whole block with a branch-free loop first and counts element by
//! element only when that loop saw something to count, so clean data runs at full speed.

#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_bitwise_bool,
    reason = "rounding to f32 is the purpose, and lazy operators would stop the loops from vectorizing"
)]

use half::f16;
use half::slice::HalfFloatSliceExt as _;

use super::policy::{NonFinite, StagePolicy};

/// What packing found, over any set of elements; indices are C-order element numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub(super) nan_count: u64,
    pub(super) infinite_count: u64,
    pub(super) overflow_count: u64,
    pub(super) underflow_count: u64,
    pub(super) inexact_count: u64,
    pub(super) first_non_finite: Option<(u64, f64)>,
    pub(super) first_overflow: Option<(u64, f64)>,
    pub(super) first_inexact: Option<u64>,
    pub(super) max_relative_error: f64,
}

impl Tally {
    /// Joins two tallies; the order of the operands does not matter.
    pub(super) fn merge(self, other: Tally) -> Tally {
        let first = |left: Option<(u64, f64)>, right: Option<(u64, f64)>| match (left, right) {
            (Some(left), Some(right)) => Some(if left.0 <= right.0 { left } else { right }),
            (left, right) => left.or(right),
        };
        Tally {
            nan_count: self.nan_count + other.nan_count,
            infinite_count: self.infinite_count + other.infinite_count,
            overflow_count: self.overflow_count + other.overflow_count,
            underflow_count: self.underflow_count + other.underflow_count,
            inexact_count: self.inexact_count + other.inexact_count,
            first_non_finite: first(self.first_non_finite, other.first_non_finite),
            first_overflow: first(self.first_overflow, other.first_overflow),
            first_inexact: match (self.first_inexact, other.first_inexact) {
                (Some(left), Some(right)) => Some(left.min(right)),
                (left, right) => left.or(right),
            },
            max_relative_error: self.max_relative_error.max(other.max_relative_error),
        }
    }

    /// Tells whether the policy rejects an array with this tally.
    pub(super) fn is_rejected(&self, policy: &StagePolicy) -> bool {
        (self.first_non_finite.is_some() && policy.non_finite() == NonFinite::Reject)
            || (self.first_overflow.is_some() && policy.overflow() == NonFinite::Reject)
    }

    /// Notes a value that is not finite, and returns what takes its place.
    // Blocks are not always visited in C order, so each note keeps the lower index.
    fn note_non_finite(&mut self, at: u64, value: f64, policy: &StagePolicy) -> Option<f32> {
        if value.is_nan() {
            self.nan_count += 1;
        } else {
            self.infinite_count += 1;
        }
        if policy.is_own(value) {
            return None;
        }
        if self.first_non_finite.is_none_or(|(first, _)| at < first) {
            self.first_non_finite = Some((at, value));
        }
        replacement(policy.non_finite())
    }

    fn note_overflow(&mut self, at: u64, value: f64) {
        self.overflow_count += 1;
        if self.first_overflow.is_none_or(|(first, _)| at < first) {
            self.first_overflow = Some((at, value));
        }
    }

    fn note_inexact(&mut self, at: u64, relative_error: f64) {
        self.inexact_count += 1;
        if self.first_inexact.is_none_or(|first| at < first) {
            self.first_inexact = Some(at);
        }
        self.max_relative_error = self.max_relative_error.max(relative_error);
    }
}

fn replacement(rule: NonFinite) -> Option<f32> {
    match rule {
        NonFinite::Replace(value) => Some(value),
        NonFinite::Reject | NonFinite::Allow => None,
    }
}

/// Counts, and replaces where the policy says so, the non-finite values of a block whose
/// conversion to f32 was exact.
pub(super) fn settle_non_finite(out: &mut [f32], at: u64, policy: &StagePolicy, tally: &mut Tally) {
    let is_suspect = out.iter().fold(false, |found, value| found | !value.is_finite());
    if !is_suspect {
        return;
    }
    for (index, value) in (at..).zip(out) {
        if !value.is_finite()
            && let Some(other) = tally.note_non_finite(index, f64::from(*value), policy)
        {
            *value = other;
        }
    }
}

macro_rules! exact {
    ($name:ident, $type:ty, $to_f32:expr) => {
        pub(super) fn $name(
            source: &[$type],
            out: &mut [f32],
            _: u64,
            _: &StagePolicy,
            _: &mut Tally,
        ) {
            for (out, &value) in out.iter_mut().zip(source) {
                *out = $to_f32(value);
            }
        }
    };
}
exact!(from_bool, bool, |value| f32::from(u8::from(value)));
exact!(from_i8, i8, f32::from);
exact!(from_i16, i16, f32::from);
exact!(from_u8, u8, f32::from);
exact!(from_u16, u16, f32::from);

macro_rules! wide_integer {
    ($name:ident, $type:ty, $magnitude:expr) => {
        pub(super) fn $name(
            source: &[$type],
            out: &mut [f32],
            at: u64,
            _: &StagePolicy,
            tally: &mut Tally,
        ) {
            let mut bits = 0;
            for (out, &value) in out.iter_mut().zip(source) {
                *out = value as f32;
                bits |= $magnitude(value);
            }
            // Below 2^24 every integer is an f32.
            if bits >> 24 == 0 {
                return;
            }
            for ((index, &out), &value) in (at..).zip(&*out).zip(source) {
                let magnitude = $magnitude(value);
                // An integer is an f32 when at most 24 bits lie between its highest and lowest.
                if magnitude != 0 && magnitude >> magnitude.trailing_zeros() >= 1 << 24 {
                    let exact = i128::from(value);
                    let difference = (out as i128).abs_diff(exact);
                    tally.note_inexact(index, difference as f64 / exact.unsigned_abs() as f64);
                }
            }
        }
    };
}
wide_integer!(from_i32, i32, |value: i32| value.unsigned_abs());
wide_integer!(from_i64, i64, |value: i64| value.unsigned_abs());
wide_integer!(from_u32, u32, |value: u32| value);
wide_integer!(from_u64, u64, |value: u64| value);

pub(super) fn from_f16(
    source: &[f16],
    out: &mut [f32],
    at: u64,
    policy: &StagePolicy,
    tally: &mut Tally,
) {
    source.convert_to_f32_slice(out);
    settle_non_finite(out, at, policy, tally);
}

pub(super) fn from_f32(
    source: &[f32],
    out: &mut [f32],
    at: u64,
    policy: &StagePolicy,
    tally: &mut Tally,
) {
    out.copy_from_slice(source);
    settle_non_finite(out, at, policy, tally);
}

pub(super) fn from_f64(
    source: &[f64],
    out: &mut [f32],
    at: u64,
    policy: &StagePolicy,
    tally: &mut Tally,
) {
    // Independent lanes, because a single running maximum would not vectorize.
    const LANES: usize = 8;
    let mut errors = [0.0_f64; LANES];
    let mut is_suspect = false;
    for (out, source) in out.chunks_mut(LANES).zip(source.chunks(LANES)) {
        for ((out, &value), error) in out.iter_mut().zip(source).zip(&mut errors) {
            let rounded = value as f32;
            *out = rounded;
            is_suspect |= !rounded.is_finite() | ((rounded == 0.0) & (value != 0.0));
            let relative = relative_error(value, rounded);
            // Zero gives NaN here, which the comparison drops.
            *error = if relative > *error { relative } else { *error };
        }
    }
    if !is_suspect {
        tally.max_relative_error = errors.into_iter().fold(tally.max_relative_error, f64::max);
        return;
    }
    for ((index, out), &value) in (at..).zip(out).zip(source) {
        if !value.is_finite() {
            if let Some(other) = tally.note_non_finite(index, value, policy) {
                *out = other;
            }
        } else if out.is_infinite() {
            tally.note_overflow(index, value);
            if let Some(other) = replacement(policy.overflow()) {
                *out = other;
            }
        } else if *out == 0.0 && value != 0.0 {
            tally.underflow_count += 1;
        } else if value != 0.0 {
            tally.max_relative_error = tally.max_relative_error.max(relative_error(value, *out));
        }
    }
}

#[inline]
fn relative_error(value: f64, rounded: f32) -> f64 {
    ((f64::from(rounded) - value) / value).abs()
}
