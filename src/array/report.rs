//! What packing did to an array.

use std::fmt;
use std::time::Duration;

use super::dtype::{ByteOrder, DType};

/// How the elements of a packed array lay in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceOrder {
    /// Contiguous, the last axis fastest; also stated where C and Fortran order agree.
    C,
    /// Contiguous, the first axis fastest.
    Fortran,
    /// Any other strides: slices, reversed axes, broadcasts.
    Strided,
}

impl fmt::Display for SourceOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            SourceOrder::C => "C order",
            SourceOrder::Fortran => "Fortran order",
            SourceOrder::Strided => "strided",
        })
    }
}

/// What packing an array to f32 had to do, and what it did to the values.
///
/// Everything but `threads` and `elapsed` is the same however many threads packed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackReport {
    /// The array's name.
    pub array: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The dtype it had.
    pub dtype: DType,
    /// The byte order it had; one-byte dtypes say little-endian.
    pub byte_order: ByteOrder,
    /// The memory layout it had.
    pub source_order: SourceOrder,
    /// How many elements were packed.
    pub element_count: u64,
    /// Whether the dtype was not f32.
    pub converted: bool,
    /// Whether bytes were swapped.
    pub byte_swapped: bool,
    /// Whether elements were put into C order.
    pub reordered: bool,
    /// How many source values are NaN or infinite, whether kept or replaced.
    pub non_finite_count: u64,
    /// How many of them were replaced.
    pub replaced_count: u64,
    /// How many finite values are beyond the range of f32, and became infinite or were replaced.
    pub overflow_count: u64,
    /// How many integers f32 cannot hold exactly.
    pub inexact_integer_count: u64,
    /// The n-d index of the first of those in C order.
    pub first_inexact_index: Option<Vec<usize>>,
    /// How many nonzero values became zero.
    pub underflow_count: u64,
    /// The largest |f32 - value| / |value| over the values that neither overflow nor underflow.
    pub max_relative_error: f64,
    /// How many threads shared the work.
    pub threads: usize,
    /// The time it took.
    pub elapsed: Duration,
}

impl fmt::Display for PackReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "array \"{}\": {} elements {:?} packed from {} ({}, {})",
            self.array,
            self.element_count,
            self.shape,
            self.dtype,
            self.byte_order,
            self.source_order
        )?;
        let kept = self.non_finite_count.saturating_sub(self.replaced_count);
        for (count, what) in [
            (kept, "non-finite kept"),
            (self.replaced_count, "non-finite replaced"),
            (self.overflow_count, "beyond f32"),
            (self.underflow_count, "underflowed to zero"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        if let Some(first) = &self.first_inexact_index {
            let count = self.inexact_integer_count;
            write!(f, ", {count} integers rounded, the first at {first:?}")?;
        }
        if self.max_relative_error > 0.0 {
            write!(f, ", relative error at most {:.1e}", self.max_relative_error)?;
        }
        let threads = if self.threads == 1 { "thread" } else { "threads" };
        write!(f, ", {} {threads}, {:.3?}", self.threads, self.elapsed)
    }
}
