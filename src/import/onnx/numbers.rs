//! What is known of a value's elements: their type in the model, and between which numbers they
//! are.
//!
//! The device computes in f32, which holds whole numbers up to 2^24 and no more. Ranges prove
//! that a result is exact there; what is not proven is refused.

use ndarray::ArrayD;

use super::node::Node;
use crate::array::DType;
use crate::error::Result;

/// The greatest whole number up to which f32 holds every one: 2^24.
pub(super) const EXACT: f64 = 16_777_216.0;

/// The type of a value's elements, and the least and greatest of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    pub dtype: DType,
    pub low: f64,
    pub high: f64,
}

impl Numbers {
    /// All numbers of a type.
    pub(super) fn of(dtype: DType) -> Self {
        let (low, high) = limits(dtype);
        Numbers { dtype, low, high }
    }

    /// Numbers of a type that are known.
    pub(super) fn known(dtype: DType, values: &ArrayD<f64>) -> Self {
        if values.iter().any(|value| value.is_nan()) {
            return Numbers::of(dtype);
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Of no elements nothing is wrong.
        if low <= high {
            Numbers { dtype, low, high }
        } else {
            Numbers { dtype, low: 0.0, high: 0.0 }
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.dtype, DType::F16 | DType::F32 | DType::F64)
    }

    /// The same type, from one number to another.
    pub(super) fn within(self, low: f64, high: f64) -> Self {
        Numbers { low, high, ..self }
    }

    /// Numbers of either.
    pub(super) fn or(self, other: Numbers) -> Self {
        self.within(self.low.min(other.low), self.high.max(other.high))
    }

    /// Whole numbers and one that fills places, which must be whole too.
    pub(super) fn beside(self, node: &Node<'_>, fill: f64) -> Result<Self> {
        if fill.fract() != 0.0 {
            return Err(node.unsupported(&format!("{fill} among whole numbers")));
        }
        Ok(self.or(self.within(fill, fill)))
    }

    /// The greatest magnitude.
    pub(super) fn size(&self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    /// The least magnitude of those that are not 0.
    pub(super) fn least(&self) -> f64 {
        if self.low > 0.0 {
            self.low
        } else if self.high < 0.0 {
            -self.high
        } else {
            1.0
        }
    }

    pub(super) fn plus(self, other: Numbers) -> Self {
        self.within(self.low + other.low, self.high + other.high)
    }

    pub(super) fn negative(self) -> Self {
        self.within(-self.high, -self.low)
    }

    pub(super) fn times(self, other: Numbers) -> Self {
        let corner = |a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b };
        let corners = [
            corner(self.low, other.low),
            corner(self.low, other.high),
            corner(self.high, other.low),
            corner(self.high, other.high),
        ];
        let low = corners.into_iter().fold(f64::INFINITY, f64::min);
        self.within(low, corners.into_iter().fold(f64::NEG_INFINITY, f64::max))
    }

    pub(super) fn magnitude(self) -> Self {
        let low = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { self.least() };
        self.within(low, self.size())
    }

    /// Whole powers, the base by itself.
    pub(super) fn power(self, exponent: u32) -> Self {
        let all = (1..exponent).fold(self, |made, _| made.times(self));
        if exponent.is_multiple_of(2) { all.within(all.low.max(0.0), all.high) } else { all }
    }

    /// Tells whether all are numbers of the type that f32 holds.
    pub(super) fn fits(&self) -> bool {
        let (low, high) = limits(self.dtype);
        self.size() <= EXACT && low <= self.low && self.high <= high
    }
}

/// Returns the least and the greatest number of a type.
pub(super) fn limits(dtype: DType) -> (f64, f64) {
    match dtype {
        DType::Bool => (0.0, 1.0),
        DType::I8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        DType::U8 => (0.0, f64::from(u8::MAX)),
        DType::I16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        DType::U16 => (0.0, f64::from(u16::MAX)),
        DType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        DType::U32 => (0.0, f64::from(u32::MAX)),
        // Rounded up, which is outside of what f32 holds anyway.
        DType::I64 => (i64::MIN as f64, i64::MAX as f64),
        DType::U64 => (0.0, u64::MAX as f64),
        DType::F16 | DType::F32 | DType::F64 => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

/// Returns the bits of the types that are narrow enough to wrap within what f32 holds, and
/// whether they are signed.
pub(super) fn narrow(dtype: DType) -> Option<(i32, bool)> {
    match dtype {
        DType::I8 => Some((8, true)),
        DType::U8 => Some((8, false)),
        DType::I16 => Some((16, true)),
        DType::U16 => Some((16, false)),
        DType::Bool
        | DType::I32
        | DType::U32
        | DType::I64
        | DType::U64
        | DType::F16
        | DType::F32
        | DType::F64 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_computed_of_them() {
        let range = |low, high| Numbers { dtype: DType::I32, low, high };
        assert_eq!(range(-3.0, 2.0).times(range(-5.0, 7.0)), range(-21.0, 15.0));
        assert_eq!(range(-3.0, 2.0).plus(range(1.0, 4.0)), range(-2.0, 6.0));
        assert_eq!(range(-3.0, 2.0).negative(), range(-2.0, 3.0));
        assert_eq!(range(-3.0, 2.0).magnitude(), range(0.0, 3.0));
        assert_eq!(range(-3.0, -2.0).magnitude(), range(2.0, 3.0));
        assert_eq!(range(-3.0, 2.0).power(2), range(0.0, 9.0));
        assert_eq!(range(-3.0, 2.0).power(3), range(-27.0, 18.0));
        assert!(range(-EXACT, EXACT).fits() && !range(0.0, EXACT + 1.0).fits());
        assert!(!Numbers { dtype: DType::U32, low: -1.0, high: 0.0 }.fits());
    }
}
