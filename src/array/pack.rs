//! Packing: a host array to contiguous C-order little-endian f32, in one pass.

use std::time::{Duration, Instant};

use ndarray::{ArrayD, ArrayViewD, IxDyn};

use super::convert::Tally;
use super::dtype::{ByteOrder, DType};
use super::element::Element;
use super::host_array::HostArray;
use super::pack_parts::{BYTES, pack_storage, threads_for};
use super::policy::{NonFinite, StagePolicy};
use super::report::{PackReport, SourceOrder};
use super::storage::Visitor;
use crate::error::{Error, Result};
use crate::shape::byte_count;

/// Where packed bytes go: memory that may be write-only, such as a mapped GPU buffer.
///
/// Packing writes every byte exactly once, in runs of up to 8 KiB, and never reads one. Runs of a
/// C-order source come in increasing order; those of a transposed source come row by row in
/// tiles. Parts made by [`split_at`](Self::split_at) are written by different threads.
///
/// When packing fails the target holds part of the array, or nothing.
pub trait PackTarget: Send {
    /// Returns the length in bytes.
    fn len(&self) -> usize;

    /// Tells whether there is nothing to write.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Splits into the bytes before `mid` and those from `mid` on; `mid` is at most `len`.
    #[must_use]
    fn split_at(self, mid: usize) -> (Self, Self)
    where
        Self: Sized;

    /// Writes bytes at an offset; they end at `len` or before.
    fn write(&mut self, offset: usize, bytes: &[u8]);
}

impl PackTarget for &mut [u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at_mut(mid)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

impl HostArray<'_> {
    /// Packs the array into new memory.
    ///
    /// # Errors
    ///
    /// Those of [`pack_into`](Self::pack_into), and [`Error::Limit`] when there is no memory.
    pub fn pack(&self, policy: StagePolicy) -> Result<(ArrayD<f32>, PackReport)> {
        let mut values: Vec<f32> = Vec::new();
        values.try_reserve_exact(self.len()).map_err(|_| self.no_memory())?;
        values.resize(self.len(), 0.0);
        let report = self.pack_into(policy, bytemuck::cast_slice_mut::<f32, u8>(&mut values))?;
        if cfg!(target_endian = "big") {
            for value in &mut values {
                *value = f32::from_bits(value.to_bits().swap_bytes());
            }
        }
        let packed = ArrayD::from_shape_vec(IxDyn(self.shape()), values);
        Ok((packed.map_err(|_| self.no_memory())?, report))
    }

    /// Packs the array into `target`, which has 4 bytes for each element.
    ///
    /// The source is read once. The result and the report do not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::NonFinite`] and [`Error::Overflow`] as the policy says, the former where both
    /// apply, with exact counts over the whole array; [`Error::Format`] when the target has
    /// another length.
    pub fn pack_into(&self, policy: StagePolicy, target: impl PackTarget) -> Result<PackReport> {
        let start = Instant::now();
        let needed = byte_count(&format!("array \"{}\"", self.name()), self.shape())?;
        if u64::try_from(target.len()).ok() != Some(needed) {
            return Err(Error::Format {
                file: format!("array \"{}\"", self.name()),
                part: "pack target".to_owned(),
                got: format!("has {} bytes", target.len()),
                expected: format!("shape {:?} of float32 needs {needed}", self.shape()),
                remedy: "pass a target of 4 bytes for each element".to_owned(),
            });
        }
        let tally = pack_storage(self.storage(), &policy, target);
        self.judge(&tally, policy)?;
        let mut report = self.report(&tally, policy);
        report.elapsed = start.elapsed();
        Ok(report)
    }

    fn judge(&self, tally: &Tally, policy: StagePolicy) -> Result<()> {
        match (tally.first_non_finite, tally.first_overflow) {
            (Some((at, first_value)), _) if policy.non_finite() == NonFinite::Reject => {
                Err(Error::NonFinite {
                    array: self.name().to_owned(),
                    nan_count: tally.nan_count,
                    infinite_count: tally.infinite_count,
                    element_count: self.len() as u64,
                    first_index: unravel(at, self.shape()),
                    first_value,
                })
            }
            (_, Some((at, first_value))) if policy.overflow() == NonFinite::Reject => {
                Err(Error::Overflow {
                    array: self.name().to_owned(),
                    count: tally.overflow_count,
                    first_index: unravel(at, self.shape()),
                    first_value,
                })
            }
            _ => Ok(()),
        }
    }

    fn report(&self, tally: &Tally, policy: StagePolicy) -> PackReport {
        let source_order = self.storage().visit(FindOrder);
        let non_finite_count = tally.nan_count + tally.infinite_count;
        let replaced_count = match policy.non_finite() {
            NonFinite::Replace(_) if policy.keeps_infinity() => tally.nan_count,
            NonFinite::Replace(_) => non_finite_count,
            NonFinite::Reject | NonFinite::Allow => 0,
        };
        PackReport {
            array: self.name().to_owned(),
            shape: self.shape().to_vec(),
            dtype: self.dtype(),
            byte_order: self.byte_order(),
            source_order,
            element_count: self.len() as u64,
            converted: self.dtype() != DType::F32,
            byte_swapped: self.byte_order() == ByteOrder::Big,
            reordered: source_order != SourceOrder::C,
            non_finite_count,
            replaced_count,
            overflow_count: tally.overflow_count,
            inexact_integer_count: tally.inexact_count,
            first_inexact_index: tally.first_inexact.map(|at| unravel(at, self.shape())),
            underflow_count: tally.underflow_count,
            max_relative_error: tally.max_relative_error,
            threads: threads_for(self.len()),
            elapsed: Duration::ZERO,
        }
    }

    fn no_memory(&self) -> Error {
        Error::Limit {
            node: format!("array \"{}\"", self.name()),
            tensor: format!("shape {:?} of float32", self.shape()),
            needed: (self.len() as u64).saturating_mul(BYTES as u64),
            unit: "bytes",
            limit_name: "the free memory".to_owned(),
            limit: None,
            remedy: "pack it in batches with rows()".to_owned(),
        }
    }
}

/// Turns a C-order element number into an n-d index.
fn unravel(at: u64, shape: &[usize]) -> Vec<usize> {
    let mut rest = at;
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&length| {
            let length = (length as u64).max(1);
            let position = rest % length;
            rest /= length;
            // Below `length`, which was a usize.
            usize::try_from(position).unwrap_or(usize::MAX)
        })
        .collect();
    index.reverse();
    index
}

struct FindOrder;

impl Visitor for FindOrder {
    type Out = SourceOrder;

    fn visit<V, T, D>(self, view: ArrayViewD<'_, V>, _: D) -> SourceOrder
    where
        V: Copy + Send + Sync,
        T: Element,
        D: Fn(V) -> T + Copy + Send + Sync,
    {
        if view.is_standard_layout() {
            SourceOrder::C
        } else if view.t().is_standard_layout() {
            SourceOrder::Fortran
        } else {
            SourceOrder::Strided
        }
    }
}
