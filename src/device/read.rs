//! The way back: one copy, one mapping, one event.

use std::future::Future;
use std::time::Instant;

use futures_channel::oneshot;
use ndarray::{ArrayD, IxDyn};

use super::Tensor;
use super::executor::{Gpu, Take};
use crate::error::{Error, Result};
use crate::ledger::{Cause, Method, Permit, Phases, nanoseconds};

/// A read that the guards have let pass.
pub(crate) struct Pending {
    pub permit: Permit,
    /// The copy behind the API; none on the host executor.
    internal: Option<Permit>,
    bytes: u64,
    pub doing: String,
}

impl Pending {
    /// Writes what a device's read moved into the ledger.
    fn record(self, phases: Phases) {
        if let Some(internal) = self.internal {
            internal.record(Method::BufferCopy, Phases::new());
        }
        self.permit.record(Method::MappedReadback, phases);
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
    /// [`Error::OutOfMemory`] from the device.
    pub fn read(&self) -> Result<ArrayD<f32>> {
        let mut values = self.reserve()?;
        let pending = self.begin(self.length())?;
        self.runtime.executor.read(self, pending, &mut |bytes| append(&mut values, bytes))?;
        self.shaped(values)
    }

    /// Copies the tensor into a slice of the caller's: exactly one crossing.
    ///
    /// # Errors
    ///
    /// As [`Tensor::read`], and [`Error::Operand`] when the lengths differ.
    pub fn read_into(&self, values: &mut [f32]) -> Result<()> {
        let pending = self.begin(values.len())?;
        self.runtime.executor.read(self, pending, &mut |bytes| {
            bytemuck::cast_slice_mut::<f32, u8>(values).copy_from_slice(bytes);
        })
    }

    /// Reads from a device, and hands the mapped bytes over.
    pub(super) fn read_from(&self, gpu: &Gpu, pending: Pending, take: &mut Take<'_>) -> Result<()> {
        let inner = &*self.runtime;
        let mut phases = Phases::new();
        let mut clock = Instant::now();
        let mut lap = |name| {
            phases.insert(name, nanoseconds(clock.elapsed()));
            clock = Instant::now();
        };
        gpu.fault.wait(&gpu.device, &pending.doing, None)?;
        lap("wait");
        if pending.bytes > 0 {
            let buffer = gpu.readbacks.take(inner, pending.bytes)?;
            let submission = self.copy_to(gpu, &buffer, &pending)?;
            gpu.fault.wait(&gpu.device, &pending.doing, Some(submission))?;
            lap("device_copy");
            let mapped = map(&buffer, pending.bytes);
            gpu.fault.wait(&gpu.device, &pending.doing, None)?;
            // The callback is due, but another thread's poll may have it in hand.
            finish_mapping(&pending.doing, pollster::block_on(mapped).ok())?;
            lap("map");
            take_bytes(gpu, &pending.doing, buffer, pending.bytes, take)?;
            lap("host_copy");
        }
        pending.record(phases);
        Ok(())
    }

    /// Copies the tensor into a new array; the async form of [`Tensor::read`].
    ///
    /// Guards are asked here, when the call is made, and not where the future is
    /// polled. The future never blocks: a thread of the runtime waits for the device.
    ///
    /// # Errors
    ///
    /// As [`Tensor::read`].
    pub fn read_async(&self) -> impl Future<Output = Result<ArrayD<f32>>> + Send + use<> {
        let begun = self.reserve().and_then(|values| Ok((self.begin(self.length())?, values)));
        let tensor = self.clone();
        async move {
            let (pending, mut values) = begun?;
            let mut take = |bytes: &[u8]| append(&mut values, bytes);
            tensor.runtime.executor.read_async(&tensor, pending, &mut take).await?;
            tensor.shaped(values)
        }
    }

    /// Reads from a device without blocking.
    pub(super) async fn read_from_async(
        &self,
        gpu: &Gpu,
        pending: Pending,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let inner = &*self.runtime;
        let mut phases = Phases::new();
        let mut clock = Instant::now();
        gpu.finish_async(&pending.doing).await?;
        phases.insert("wait", nanoseconds(clock.elapsed()));
        clock = Instant::now();
        if pending.bytes > 0 {
            let buffer = gpu.readbacks.take(inner, pending.bytes)?;
            let submission = self.copy_to(gpu, &buffer, &pending)?;
            let mapped = map(&buffer, pending.bytes);
            gpu.poller.wait_for(submission);
            let outcome = mapped.await.ok();
            gpu.fault.check(&pending.doing)?;
            finish_mapping(&pending.doing, outcome)?;
            // One callback ends both, so they cannot be told apart here.
            phases.insert("device_copy_and_map", nanoseconds(clock.elapsed()));
            clock = Instant::now();
            take_bytes(gpu, &pending.doing, buffer, pending.bytes, take)?;
            phases.insert("host_copy", nanoseconds(clock.elapsed()));
        }
        pending.record(phases);
        Ok(())
    }

    /// Checks the caller's length and asks the guards.
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
        let ask = |direction| ledger.permit(direction, Cause::Read, &self.label, bytes, 0);
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

fn map(
    buffer: &wgpu::Buffer,
    bytes: u64,
) -> oneshot::Receiver<std::result::Result<(), wgpu::BufferAsyncError>> {
    let (sender, receiver) = oneshot::channel();
    buffer.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
        // A reader that has gone away no longer needs to hear of it.
        let _ = sender.send(result);
    });
    receiver
}

fn finish_mapping(
    doing: &str,
    outcome: Option<std::result::Result<(), wgpu::BufferAsyncError>>,
) -> Result<()> {
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            Err(Error::DeviceLost { doing: doing.to_owned(), reason: error.to_string() })
        }
        None => Err(Error::DeviceLost {
            doing: doing.to_owned(),
            reason: "the mapping never finished".to_owned(),
        }),
    }
}

/// Copies the mapped bytes out and gives the buffer back to its pool.
fn take_bytes(
    gpu: &Gpu,
    doing: &str,
    buffer: wgpu::Buffer,
    bytes: u64,
    take: &mut Take<'_>,
) -> Result<()> {
    {
        let view = buffer.get_mapped_range(..bytes).map_err(|error| Error::Device {
            doing: doing.to_owned(),
            message: error.to_string(),
            remedy: "open a new Runtime".to_owned(),
        })?;
        take(&view);
    }
    buffer.unmap();
    gpu.readbacks.returner().give_back(buffer);
    Ok(())
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
