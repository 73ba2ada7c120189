//! The way back: one copy, one mapping, one event.

use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use ndarray::{ArrayD, IxDyn};

use super::Tensor;
use super::executor::{Gpu, Take};
use super::patience::{BEFORE, Patience};
use crate::error::{Error, Result};
use crate::ledger::{Call, Cause, Crossing, Method, Permit, Phases, nanoseconds};

/// A read that the guards have let pass.
pub(crate) struct Pending {
    permit: Permit,
    /// The copy behind the API; none on the host executor.
    internal: Option<Permit>,
    bytes: u64,
    pub doing: String,
}

impl Pending {
    /// Writes a read into the ledger, where its copy is submitted.
    pub(super) fn begin(self, method: Method) -> Crossing {
        if let Some(internal) = self.internal {
            internal.record(Method::BufferCopy, Phases::new());
        }
        self.permit.begin(method)
    }
}

/// Where a read's time goes.
struct Clock {
    phases: Phases,
    last: Instant,
}

impl Clock {
    fn new() -> Self {
        Clock { phases: Phases::new(), last: Instant::now() }
    }

    fn lap(&mut self, phase: &'static str) {
        self.phases.insert(phase, nanoseconds(self.last.elapsed()));
        self.last = Instant::now();
    }
}

impl Tensor {
    /// Copies the tensor into a new array: exactly one crossing; none on the host
    /// executor, where it is a copy in host memory.
    ///
    /// Waits for the work submitted before it. The ledger splits its time into `wait`
    /// (for that work), `device_copy`, `map` and `host_copy`.
    ///
    /// # Errors
    ///
    /// [`Error::Crossing`] when a guard refuses, [`Error::DeviceLost`] and
    /// [`Error::OutOfMemory`] from the device, [`Error::Timeout`] beyond the time limit of
    /// [`RuntimeOptions::timeout`](crate::RuntimeOptions::timeout).
    #[track_caller]
    pub fn read(&self) -> Result<ArrayD<f32>> {
        let pending = self.begin(self.length())?;
        self.read_values(pending, Instant::now(), &|| false)
    }

    /// Copies the tensor into a slice of the caller's: exactly one crossing.
    ///
    /// # Errors
    ///
    /// As [`Tensor::read`], and [`Error::Operand`] when the lengths differ.
    #[track_caller]
    pub fn read_into(&self, values: &mut [f32]) -> Result<()> {
        let pending = self.begin(values.len())?;
        let doing = pending.doing.clone();
        let patience = Patience::new(&doing, self.runtime.limit);
        self.runtime.executor.read(self, pending, &patience, &mut |bytes| {
            bytemuck::cast_slice_mut::<f32, u8>(values).copy_from_slice(bytes);
        })
    }

    /// Copies the tensor into a new array; the async form of [`Tensor::read`].
    ///
    /// Guards are asked here, when the call is made, and not where the future is
    /// polled. A thread of the runtime waits for the device and copies: polling takes
    /// microseconds, whatever the size. A future that is dropped before the copy on the device is
    /// submitted leaves no event; after that the read is a crossing, recorded as
    /// [canceled](crate::ledger::Outcome::Canceled).
    ///
    /// # Errors
    ///
    /// As [`Tensor::read`].
    #[track_caller]
    pub fn read_async(&self) -> impl Future<Output = Result<ArrayD<f32>>> + Send + use<> {
        let begun = self.begin(self.length());
        let tensor = self.clone();
        async move {
            let pending = begun?;
            let started = Instant::now();
            let (doing, worker) = (pending.doing.clone(), Arc::clone(&tensor.runtime.worker));
            let read = move |is_canceled: &dyn Fn() -> bool| {
                tensor.read_values(pending, started, is_canceled)
            };
            worker.start(&doing, read).keep().await
        }
    }

    fn read_values(
        &self,
        pending: Pending,
        started: Instant,
        is_canceled: &dyn Fn() -> bool,
    ) -> Result<ArrayD<f32>> {
        let mut values = self.reserve()?;
        let doing = pending.doing.clone();
        let patience = Patience::new(&doing, self.runtime.limit).since(started).until(is_canceled);
        let mut take = |bytes: &[u8]| append(&mut values, bytes);
        self.runtime.executor.read(self, pending, &patience, &mut take)?;
        self.shaped(values)
    }

    /// Reads from a device, and hands the mapped bytes over.
    pub(super) fn read_from(
        &self,
        gpu: &Gpu,
        pending: Pending,
        patience: &Patience<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let mut clock = Clock::new();
        gpu.wait(patience, BEFORE, None)?;
        clock.lap("wait");
        // What nobody wants any more has not crossed yet.
        patience.check(BEFORE)?;
        let bytes = pending.bytes;
        if bytes == 0 {
            pending.begin(Method::MappedReadback).deliver(clock.phases);
            return Ok(());
        }
        let buffer = gpu.readbacks.take(&self.runtime, bytes)?;
        let submission = self.copy_to(gpu, &buffer, &pending)?;
        let crossing = pending.begin(Method::MappedReadback);
        let arrived = arrive(gpu, patience, buffer, bytes, submission, &mut clock, take);
        match &arrived {
            // Nobody waits: the event says so.
            _ if patience.is_canceled() => drop(crossing),
            Ok(()) => crossing.deliver(clock.phases),
            Err(_) => crossing.fail(clock.phases),
        }
        arrived
    }

    /// Checks the caller's length and asks the guards.
    #[track_caller]
    fn begin(&self, length: usize) -> Result<Pending> {
        let doing = format!("reading \"{}\"", self.label);
        let bytes = self.byte_len();
        if length as u64 != bytes / 4 {
            return Err(Error::Operand {
                node: doing,
                operand: "the slice".to_owned(),
                got: format!("has {length} elements"),
                expected: format!("the tensor has {}", bytes / 4),
                shapes: format!("{} {:?}", self.label, self.shape),
                remedy: "make both equal".to_owned(),
            });
        }
        let ledger = &self.runtime.ledger;
        let call = Call::new(Cause::Read, &self.guards);
        let ask = |direction| ledger.permit(direction, call, &self.label, bytes, 0);
        let internal = self.runtime.executor.internal();
        let (permit, internal) = match self.runtime.executor.download() {
            Some(download) => (ask(download)?, Some(ask(internal)?)),
            None => (ask(internal)?, None),
        };
        Ok(Pending { permit, internal, bytes, doing })
    }

    fn copy_to(
        &self,
        gpu: &Gpu,
        buffer: &wgpu::Buffer,
        pending: &Pending,
    ) -> Result<wgpu::SubmissionIndex> {
        let source = self.storage.buffer().ok_or_else(|| no_buffer(&pending.doing))?;
        gpu.fault.watch(&gpu.device, &pending.doing, pending.bytes, || {
            let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some(&self.label),
            });
            encoder.copy_buffer_to_buffer(source, self.offset_bytes, buffer, 0, pending.bytes);
            gpu.queue.submit([encoder.finish()])
        })
    }

    fn length(&self) -> usize {
        usize::try_from(self.byte_len() / 4).unwrap_or(usize::MAX)
    }

    /// Makes room for the elements, which are written once: by the copy.
    fn reserve(&self) -> Result<Vec<f32>> {
        let length = self.length();
        let mut values = Vec::new();
        // A tensor can be larger than what the host has left.
        values.try_reserve_exact(length).map_err(|_| Error::Limit {
            node: format!("reading \"{}\"", self.label),
            tensor: format!("the array {:?}", self.shape),
            needed: self.byte_len(),
            unit: "bytes",
            limit_name: "the free memory".to_owned(),
            limit: None,
            remedy: "read rows of it".to_owned(),
        })?;
        Ok(values)
    }

    fn shaped(&self, values: Vec<f32>) -> Result<ArrayD<f32>> {
        ArrayD::from_shape_vec(IxDyn(&self.shape), values).map_err(|error| Error::Operand {
            node: format!("reading \"{}\"", self.label),
            operand: "the data".to_owned(),
            got: format!("does not fit ({error})"),
            expected: format!("the shape is {:?}", self.shape),
            shapes: format!("{} {:?}", self.label, self.shape),
            remedy: crate::error::BUG.to_owned(),
        })
    }
}

pub(super) fn no_buffer(doing: &str) -> Error {
    Error::Device {
        doing: doing.to_owned(),
        message: "the tensor lies in memory of another kind".to_owned(),
        remedy: crate::error::BUG.to_owned(),
    }
}

/// Waits for a submitted copy, hands its bytes over and gives the buffer back to its pool.
fn arrive(
    gpu: &Gpu,
    patience: &Patience<'_>,
    buffer: wgpu::Buffer,
    bytes: u64,
    submission: wgpu::SubmissionIndex,
    clock: &mut Clock,
    take: &mut Take<'_>,
) -> Result<()> {
    let copied = gpu.wait(patience, "the copy on the device", Some(submission));
    if copied.is_err() && patience.is_canceled() {
        // What the device still writes comes before what the next read copies.
        gpu.readbacks.returner().give_back(buffer);
        return copied;
    }
    copied?;
    clock.lap("device_copy");
    let mapped = gpu.fault.watch(&gpu.device, patience.doing, 0, || map(&buffer, bytes))?;
    finish_mapping(gpu, patience, &mapped)?;
    clock.lap("map");
    let taken = patience.check("the mapping").and_then(|()| {
        let view = buffer.get_mapped_range(..bytes);
        let view = view.map_err(|error| gpu.fault.refuse(&gpu.device, patience.doing, &error))?;
        take(&view);
        Ok(())
    });
    gpu.fault.watch(&gpu.device, patience.doing, 0, || buffer.unmap())?;
    gpu.readbacks.returner().give_back(buffer);
    clock.lap("host_copy");
    taken
}

type Mapped = std::result::Result<(), wgpu::BufferAsyncError>;

fn map(buffer: &wgpu::Buffer, bytes: u64) -> Receiver<Mapped> {
    let (sender, receiver) = channel();
    buffer.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
        // A reader that has gone away no longer needs to hear of it.
        let _ = sender.send(result);
    });
    receiver
}

/// Asks for a mapping of a buffer that has been destroyed, for the error that this is.
pub(super) fn try_mapping(buffer: &wgpu::Buffer) {
    buffer.map_async(wgpu::MapMode::Write, .., |_| {});
}

/// Waits until a buffer that the device is done with is mapped.
fn finish_mapping(gpu: &Gpu, patience: &Patience<'_>, mapped: &Receiver<Mapped>) -> Result<()> {
    loop {
        gpu.fault.poll(&gpu.device, patience.doing)?;
        // The callback is due, but another thread's poll may have it in hand.
        match mapped.recv_timeout(patience.slice()) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => return Err(gpu.fault.refuse(&gpu.device, patience.doing, &error)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(gpu.fault.refuse(
                    &gpu.device,
                    patience.doing,
                    &"the mapping never finished",
                ));
            }
            // A buffer whose mapping is under way is of no use, so a dropped future waits.
            Err(RecvTimeoutError::Timeout) if patience.is_canceled() => {}
            Err(RecvTimeoutError::Timeout) => patience.check("the mapping")?,
        }
    }
}

/// Appends mapped bytes to elements.
fn append(values: &mut Vec<f32>, bytes: &[u8]) {
    match bytemuck::try_cast_slice(bytes) {
        Ok(elements) => values.extend_from_slice(elements),
        // A mapping that is not aligned to elements; none has been seen.
        Err(_) => {
            values.extend(bytes.as_chunks().0.iter().map(|&element| f32::from_le_bytes(element)));
        }
    }
}
