//! What an integer of a source can be, from where it comes from.

/// The integers that kernels count with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    U32,
    I32,
    /// Anything else, of which nothing is known.
    Other,
}

impl Kind {
    /// Returns the least and the largest number.
    pub(super) fn ends(self) -> (i64, i64) {
        match self {
            Kind::U32 | Kind::Other => (0, i64::from(u32::MAX)),
            Kind::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        }
    }

    /// Returns the range of which nothing is known but the type.
    pub(super) fn any(self) -> Range {
        Range { lo: (self == Kind::U32).then_some(0), hi: None }
    }
}

/// The least and the largest number that a value can be, where they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Range {
    pub lo: Option<i64>,
    pub hi: Option<i64>,
}

impl Range {
    pub(super) fn of(lo: i64, hi: i64) -> Self {
        Range { lo: Some(lo), hi: Some(hi) }
    }

    pub(super) fn point(value: i64) -> Self {
        Range::of(value, value)
    }

    /// Returns both ends.
    pub(super) fn ends(self) -> Option<(i64, i64)> {
        self.lo.zip(self.hi)
    }

    /// Returns both ends of what is never negative.
    fn counted(self) -> Option<(i64, i64)> {
        self.ends().filter(|&(lo, _)| lo >= 0)
    }

    /// What is one or the other.
    pub(super) fn or(self, other: Range) -> Self {
        Range {
            lo: self.lo.zip(other.lo).map(|(one, two)| one.min(two)),
            hi: self.hi.zip(other.hi).map(|(one, two)| one.max(two)),
        }
    }

    /// Converts between the types, bit for bit.
    pub(super) fn cast(self, to: Kind) -> Self {
        let (least, largest) = to.ends();
        match self.ends() {
            Some((lo, hi)) if lo >= least && hi <= largest && to != Kind::Other => self,
            _ => to.any(),
        }
    }

    pub(super) fn min(self, other: Range, kind: Kind) -> Self {
        Range {
            lo: self.lo.zip(other.lo).map(|(one, two)| one.min(two)).or(kind.any().lo),
            hi: self.hi.into_iter().chain(other.hi).min(),
        }
    }

    pub(super) fn max(self, other: Range) -> Self {
        Range {
            lo: self.lo.into_iter().chain(other.lo).max(),
            hi: self.hi.zip(other.hi).map(|(one, two)| one.max(two)),
        }
    }
}

/// The operations that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    And,
    ShiftLeft,
    ShiftRight,
}

/// Returns the range of an operation's result; what may wrap around can be anything.
pub(super) fn apply(operation: Arithmetic, left: Range, right: Range, kind: Kind) -> Range {
    let result = match operation {
        Arithmetic::Add => both(left, right, i64::checked_add),
        Arithmetic::Subtract => both(left, right, i64::checked_sub),
        Arithmetic::Multiply => both(left, right, i64::checked_mul),
        Arithmetic::ShiftLeft => both(left, right, |value, by| {
            let factor = u32::try_from(by).ok().filter(|&by| by < 32).map(|by| 1 << by)?;
            value.checked_mul(factor)
        }),
        Arithmetic::Divide => quotient(left, right),
        Arithmetic::ShiftRight => shifted(left, right),
        Arithmetic::Remainder => remainder(left, right),
        Arithmetic::And => {
            let counts = [left, right].into_iter().filter(|side| side.lo.is_some_and(|lo| lo >= 0));
            let largest = counts.clone().filter_map(|side| side.hi).min();
            counts.clone().next().map(|_| Range { lo: Some(0), hi: largest })
        }
    };
    // Only quotients and remainders stay in their type when an end is not known.
    let (least, largest) = kind.ends();
    result
        .filter(|range| range.lo.is_some_and(|lo| lo >= least))
        .filter(|range| range.hi.is_none_or(|hi| hi <= largest) && kind != Kind::Other)
        .unwrap_or(kind.any())
}

/// The range of an operation that is monotonic in both operands, if all ends are known.
fn both(left: Range, right: Range, f: impl Fn(i64, i64) -> Option<i64>) -> Option<Range> {
    let (left, right) = (left.ends()?, right.ends()?);
    let corners =
        [f(left.0, right.0)?, f(left.0, right.1)?, f(left.1, right.0)?, f(left.1, right.1)?];
    Some(Range { lo: corners.into_iter().min(), hi: corners.into_iter().max() })
}

/// A division of what is not negative by what is positive.
fn quotient(left: Range, right: Range) -> Option<Range> {
    let (lo, by) = (left.lo.filter(|&lo| lo >= 0)?, right.lo.filter(|&by| by > 0)?);
    let least = right.hi.map_or(0, |most| lo / most);
    Some(Range { lo: Some(least), hi: left.hi.map(|hi| hi / by) })
}

fn shifted(left: Range, right: Range) -> Option<Range> {
    let (least, most) = right.counted().filter(|&(_, most)| most < 32)?;
    let lo = left.lo.filter(|&lo| lo >= 0)?;
    Some(Range { lo: Some(lo >> most), hi: left.hi.map(|hi| hi >> least) })
}

fn remainder(left: Range, right: Range) -> Option<Range> {
    left.lo.filter(|&lo| lo >= 0)?;
    right.lo.filter(|&lo| lo > 0)?;
    let below = right.hi.map(|hi| hi - 1);
    Some(Range { lo: Some(0), hi: left.hi.into_iter().chain(below).min() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: Range = Range { lo: Some(0), hi: None };

    fn u32s(operation: Arithmetic, left: Range, right: Range) -> Range {
        apply(operation, left, right, Kind::U32)
    }

    #[test]
    fn what_may_wrap_around_is_anything() {
        let (small, most) = (Range::of(3, 9), i64::from(u32::MAX));
        assert_eq!(u32s(Arithmetic::Add, small, Range::point(1)), Range::of(4, 10));
        assert_eq!(u32s(Arithmetic::Add, small, Range::point(most)), ANY);
        assert_eq!(u32s(Arithmetic::Add, small, ANY), ANY);
        assert_eq!(u32s(Arithmetic::Subtract, small, Range::point(3)), Range::of(0, 6));
        assert_eq!(u32s(Arithmetic::Subtract, small, Range::point(4)), ANY);
        assert_eq!(u32s(Arithmetic::Multiply, small, Range::of(2, 4)), Range::of(6, 36));
        assert_eq!(u32s(Arithmetic::Multiply, Range::point(most), Range::point(2)), ANY);
        assert_eq!(u32s(Arithmetic::ShiftLeft, small, Range::point(1)), Range::of(6, 18));
        assert_eq!(u32s(Arithmetic::ShiftLeft, small, Range::point(32)), ANY);
        let signed = apply(Arithmetic::Subtract, small, Range::point(4), Kind::I32);
        assert_eq!(signed, Range::of(-1, 5));
        assert_eq!(apply(Arithmetic::Add, small, small, Kind::Other), Kind::Other.any());
    }

    #[test]
    fn what_cannot_wrap_around_keeps_the_end_that_is_known() {
        let small = Range::of(3, 9);
        assert_eq!(u32s(Arithmetic::Divide, Range::of(10, 100), small), Range::of(1, 33));
        assert_eq!(u32s(Arithmetic::Divide, ANY, Range::point(2)), ANY);
        assert_eq!(u32s(Arithmetic::Divide, small, ANY), ANY);
        assert_eq!(u32s(Arithmetic::Remainder, ANY, Range::point(8)), Range::of(0, 7));
        assert_eq!(u32s(Arithmetic::And, ANY, Range::point(63)), Range::of(0, 63));
        assert_eq!(u32s(Arithmetic::ShiftRight, Range::of(8, 9), Range::of(1, 2)), Range::of(2, 4));
        assert_eq!(ANY.min(small, Kind::U32), Range::of(0, 9));
        assert_eq!(ANY.max(small), Range { lo: Some(3), hi: None });
        assert_eq!(small.or(Range::point(20)), Range::of(3, 20));
        assert_eq!(Range::of(-1, 4).cast(Kind::U32), ANY);
        assert_eq!(small.cast(Kind::I32), small);
    }
}
