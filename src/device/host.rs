//! The host executor's memory and runs: the plan's steps in host memory, at once.
//!
//! Nothing here crosses. What moves within host memory (packing, reading, zero fills) is
//! recorded as [`Direction::HostInternal`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::time::Instant;

use super::bind::Bound;
use super::executor::Executor;
use super::prepare::Session;
use super::run::Run;
use super::tensor::{Memory, Storage};
use super::upload::{Source, Upload};
use super::{Inner, Runtime, Tensor};
use crate::array::PackReport;
use crate::error::{Error, Result};
use crate::host::execute;
use crate::ledger::{AdapterSummary, Direction, Ledger, Method, Phases, nanoseconds};
use crate::plan::{Limits, Region, Step};

/// The largest range that a step reads or writes, in bytes: kernels number elements with 32
/// bits, in whole workgroups. What is larger is split along the batch.
const LARGEST_RANGE: u64 = (1 << 34) - 1024;

/// Host memory that tensors lie in. Written before it is shared, or by runs of the session it
/// belongs to while nobody else holds it; so no thread waits for another.
#[derive(Debug)]
pub(crate) struct HostMemory(RwLock<Vec<f32>>);

impl HostMemory {
    /// Returns the elements.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Vec<f32>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Describes the host as an adapter.
pub(super) fn summary() -> AdapterSummary {
    let threads = rayon::current_num_threads();
    let s = if threads == 1 { "" } else { "s" };
    AdapterSummary {
        name: format!("host ({threads} thread{s})"),
        backend: "host".to_owned(),
        device_type: "cpu".to_owned(),
        driver: String::new(),
        driver_info: String::new(),
    }
}

/// The limits of plans for the host: those of 32-bit element numbers.
pub(super) fn limits() -> Limits {
    Limits {
        max_storage_buffer_binding_size: LARGEST_RANGE,
        max_buffer_size: u64::MAX,
        min_storage_buffer_offset_alignment: 4,
        min_uniform_buffer_offset_alignment: 16,
        max_compute_workgroups_per_dimension: u32::MAX,
    }
}

impl Runtime {
    /// Opens the host executor: plans run on the processor, on the threads of rayon's pool.
    ///
    /// No adapter is looked for and no driver needed. Nothing crosses, as host memory is where
    /// it computes; the ledger records packing and reading as [`Direction::HostInternal`].
    #[must_use]
    pub fn host() -> Self {
        let summary = summary();
        log::info!("longshore runs on {summary}");
        Runtime {
            inner: Arc::new(Inner {
                limits: limits(),
                ledger: Ledger::new(summary),
                executor: Executor::Host,
                buffers_created: AtomicU64::new(0),
            }),
        }
    }
}

impl Inner {
    /// Makes host memory for a number of bytes, filled with zeros.
    pub(super) fn allocate(&self, label: &str, bytes: u64) -> Result<Vec<f32>> {
        let none = || Error::OutOfMemory {
            doing: format!("allocating \"{label}\" in host memory"),
            bytes,
            remedy: "drop tensors and sessions that are done with, or run a smaller batch"
                .to_owned(),
        };
        let elements = usize::try_from(bytes.div_ceil(4)).map_err(|_| none())?;
        let mut values: Vec<f32> = Vec::new();
        values.try_reserve_exact(elements).map_err(|_| none())?;
        values.resize(elements, 0.0);
        self.buffers_created.fetch_add(1, Ordering::Relaxed);
        Ok(values)
    }

    /// Packs arrays into new host memory.
    pub(super) fn pack_on_host(
        &self,
        upload: &Upload<'_, '_>,
    ) -> Result<(Arc<Storage>, Vec<PackReport>)> {
        let Upload { label, cause, payload_bytes, total_bytes, .. } = *upload;
        let padding = total_bytes - payload_bytes;
        let direction = Direction::HostInternal;
        let permit = self.ledger.permit(direction, cause, label, payload_bytes, padding)?;
        let started = Instant::now();
        let mut values = self.allocate(label, total_bytes)?;
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut values);
        let mut reports = Vec::new();
        match &upload.source {
            Source::Bytes(from) => bytes[..from.len()].copy_from_slice(from),
            Source::Arrays(parts, policy) => {
                for part in *parts {
                    // All parts lie within memory that has been allocated.
                    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                    let end = place(part.offset_bytes + part.bytes);
                    let target = &mut bytes[place(part.offset_bytes)..end];
                    reports.push(part.array.pack_into(policy, target)?);
                }
            }
        }
        let phases = Phases::from([("pack", nanoseconds(started.elapsed()))]);
        permit.record(Method::HostCopy, phases);
        Ok((Storage::host(values), reports))
    }
}

impl Storage {
    pub(super) fn host(values: Vec<f32>) -> Arc<Self> {
        Storage::new(Memory::Host(HostMemory(RwLock::new(values))))
    }
}

impl Tensor {
    /// Hands over the elements, which lie in host memory.
    pub(super) fn with_host_elements<T>(
        &self,
        memory: &HostMemory,
        take: impl FnOnce(&[f32]) -> T,
    ) -> T {
        let values = memory.read();
        take(&values[range(self.offset_bytes, self.byte_len())])
    }
}

impl Session {
    /// Executes the steps now, one after the other.
    pub(super) fn run_on_host<'a>(
        &self,
        inputs: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
    ) -> Result<Run> {
        let inputs = self.bind_inputs(inputs)?;
        // Locked to the end: slots hold the values of one run at a time.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = self.take_outputs(&mut state)?;
        let bound = Bound { inputs, outputs };
        for step in self.plan.steps() {
            self.execute(step, &bound)?;
        }
        Ok(self.collect(&bound))
    }

    fn execute(&self, step: &Step, bound: &Bound<'_>) -> Result<()> {
        let locate = |region: &Region| {
            let (storage, base) = self.locate(region.place, bound);
            (storage, range(base + region.offset_bytes, region.bytes))
        };
        let defect = |message: &str| Error::Device {
            doing: step.node.clone(),
            message: message.to_owned(),
            remedy: "report this as a defect".to_owned(),
        };
        let foreign = || defect("a buffer is not in host memory");
        let operands: Vec<_> = step.operands.iter().map(locate).collect();
        let guards = operands.iter().map(|(storage, _)| match &storage.memory {
            Memory::Host(memory) => Ok(memory.read()),
            Memory::Gpu(_) => Err(foreign()),
        });
        let guards = guards.collect::<Result<Vec<_>>>()?;
        let slices: Vec<&[f32]> = guards
            .iter()
            .zip(&operands)
            .map(|(values, (_, range))| &values[range.clone()])
            .collect();
        let (storage, range) = locate(&step.result);
        let Memory::Host(memory) = &storage.memory else { return Err(foreign()) };
        // No step writes to a buffer that it reads, not even another range of it: planning keeps them
        // apart. Nobody else holds what a run writes, so there is nothing to wait for.
        let mut result = match memory.0.try_write() {
            Ok(result) => result,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(defect("a step would read and write one buffer"));
            }
        };
        execute(&step.node, &step.work, &slices, &mut result[range])
    }
}

/// Converts bytes to elements of memory that has been allocated.
fn range(offset_bytes: u64, bytes: u64) -> std::ops::Range<usize> {
    let element = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
    element(offset_bytes)..element(offset_bytes.saturating_add(bytes))
}
