//! What staging does with values that f32 or the caller does not want.

/// The rule for values that cannot simply become f32.
///
/// The default rejects NaN and infinity, and rejects overflow:
///
/// | source value | result |
/// |---|---|
/// | NaN or infinite | [`Error::NonFinite`](crate::Error::NonFinite); or the replacement; or itself |
/// | finite, but its rounding to f32 is infinite (an *overflow*) | [`Error::Overflow`](crate::Error::Overflow); or the replacement for it; or infinity of its sign |
/// | finite, nonzero, rounds to zero (an *underflow*) | zero of its sign, counted |
/// | an integer above 2^24 in magnitude that f32 cannot hold | the nearest f32, counted |
/// | `bool` | 0 or 1 |
/// | anything else | the nearest f32, ties to even |
///
/// Only float64 can overflow or underflow: |value| >= 2^128 - 2^103, or |value| <= 2^-150.
/// Subnormal f32 values are kept; a GPU may flush them to zero later. An overflow that is
/// allowed is counted as an overflow, never as a non-finite source value, so it is not replaced
/// as those are.
/// When an array holds both kinds and both are rejected, the error is `NonFinite`.
///
/// In weights and constants of a graph, infinity is the graph's own (a mask, the open end of a
/// clip): preparing keeps it under every policy, and lets an overflow become infinity where data's
/// would be replaced. NaN in them falls under the rule.
///
/// An allowed NaN stays a NaN. From float32 it keeps its bits; from other dtypes sign and
/// payload are not specified.
///
/// ```
/// use longshore::{Error, HostArray, Runtime, StagePolicy};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// let measured = HostArray::from(array![1.0, f64::NAN, 1e300]);
/// let refused = rt.stage("measured", &measured).unwrap_err();
/// assert!(matches!(refused, Error::NonFinite { nan_count: 1, .. }));
///
/// let policy = StagePolicy::new().replace_non_finite(0.0).allow_overflow();
/// let (staged, report) = rt.stage_with("measured", &measured, policy)?;
/// assert_eq!(staged.read()?, array![1.0, 0.0, f32::INFINITY].into_dyn());
/// assert_eq!(report.replaced_count, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StagePolicy {
    non_finite: NonFinite,
    overflow: NonFinite,
    /// Whether infinity is kept, whatever the rule for NaN is.
    keeps_infinity: bool,
}

/// The rule for source values that are NaN or infinite, or that become infinite as f32.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum NonFinite {
    /// The array is an error.
    #[default]
    Reject,
    /// Each is replaced by this value (written as it is, even where it is not finite).
    Replace(f32),
    /// Each is kept, or becomes infinite.
    Allow,
}

impl StagePolicy {
    /// Makes the default policy: finite values in the range of f32 only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces each NaN and infinity of the source by `value`.
    #[must_use]
    pub fn replace_non_finite(mut self, value: f32) -> Self {
        self.non_finite = NonFinite::Replace(value);
        self
    }

    /// Keeps each NaN and infinity of the source.
    #[must_use]
    pub fn allow_non_finite(mut self) -> Self {
        self.non_finite = NonFinite::Allow;
        self
    }

    /// Lets a finite value beyond the range of f32 become infinity.
    #[must_use]
    pub fn allow_overflow(mut self) -> Self {
        self.overflow = NonFinite::Allow;
        self
    }

    /// Replaces each finite value beyond the range of f32 by `value`.
    #[must_use]
    pub fn replace_overflow(mut self, value: f32) -> Self {
        self.overflow = NonFinite::Replace(value);
        self
    }

    /// Returns the rule for NaN and infinity.
    #[must_use]
    pub fn non_finite(&self) -> NonFinite {
        self.non_finite
    }

    /// Returns the rule for finite values beyond the range of f32.
    #[must_use]
    pub fn overflow(&self) -> NonFinite {
        self.overflow
    }

    /// Tells whether an overflow becomes infinity instead of an error.
    #[must_use]
    pub fn allows_overflow(&self) -> bool {
        self.overflow == NonFinite::Allow
    }

    /// Returns the rule for a graph's weights and constants, where that for data is this one.
    pub(crate) fn for_constants(mut self) -> Self {
        self.keeps_infinity = true;
        if let NonFinite::Replace(_) = self.overflow {
            self.overflow = NonFinite::Allow;
        }
        self
    }

    /// Tells whether a value that is not finite is kept as it is, whatever the rule for NaN is.
    pub(super) fn is_own(&self, value: f64) -> bool {
        self.keeps_infinity && value.is_infinite()
    }

    /// Tells whether infinity is kept, whatever the rule for NaN is.
    pub(super) fn keeps_infinity(&self) -> bool {
        self.keeps_infinity
    }
}
