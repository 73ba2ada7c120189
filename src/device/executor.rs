//! What computes: a device through wgpu, or the processor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::fault::Fault;
use super::pipeline::Pipelines;
use super::poller::Poller;
use super::pool::Pool;
use super::read::Pending;
use super::run::Run;
use super::stage::tensor_usage;
use super::tensor::Storage;
use super::upload::{Upload, Uploaded};
use super::{Inner, Runtime, Session, Tensor};
use crate::array::StagePolicy;
use crate::error::{Error, Result};
use crate::ledger::Direction;
use crate::plan::{ExpectedCrossings, Plan};

/// What a runtime computes with: [`Gpu`], or the host.
pub(crate) trait Executor: fmt::Debug + Send + Sync {
    /// Returns the device; none of the host.
    fn gpu(&self) -> Option<&Gpu>;

    /// Returns what the ledger calls moves within the executor's own memory.
    fn internal(&self) -> Direction;

    /// Returns what the ledger calls moves back to the host; none where they are internal.
    fn download(&self) -> Option<Direction>;

    /// Moves data into new memory, as the ledger's guards let it.
    fn upload(&self, inner: &Inner, upload: &Upload<'_, '_>) -> Result<Uploaded>;

    /// Makes new memory that is filled with zeros.
    fn create(&self, inner: &Inner, label: &str, bytes: u64) -> Result<Arc<Storage>>;

    /// Makes a plan ready to run.
    fn prepare(
        &self,
        runtime: &Runtime,
        plan: &Plan,
        policy: StagePolicy,
    ) -> Result<Box<dyn Prepared>>;

    /// Hands a tensor's bytes over, once, and records that.
    fn read(&self, tensor: &Tensor, pending: Pending, take: &mut Take<'_>) -> Result<()>;

    /// As [`Executor::read`], without blocking on a device.
    fn read_async<'a>(
        &'a self,
        tensor: &'a Tensor,
        pending: Pending,
        take: &'a mut Take<'_>,
    ) -> Later<'a>;

    /// Waits until all submitted work is done.
    fn wait(&self) -> Result<()>;

    /// As [`Executor::wait`], without blocking.
    fn wait_async(&self) -> Later<'_>;
}

/// What takes the bytes of a read.
pub(crate) type Take<'t> = dyn FnMut(&[u8]) + Send + 't;

/// What an executor has done later.
pub(crate) type Later<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A plan as one executor has made it ready.
pub(crate) trait Prepared: Send + Sync {
    /// Runs the plan of `session` over one tensor for each of its inputs.
    fn run(&self, session: &Session, inputs: &[&Tensor]) -> Result<Run>;

    /// Records a run into the embedder's encoder.
    fn record(
        &self,
        session: &Session,
        inputs: &[&Tensor],
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Run>;

    /// Returns the crossings of preparing and running the plan.
    fn expected_crossings(&self, plan: &Plan) -> ExpectedCrossings;

    /// Counts the bytes of host memory that the session holds.
    fn host_bytes(&self, plan: &Plan) -> u64;
}

/// An open device and what belongs to it.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub fault: Arc<Fault>,
    pub uploads: Pool,
    pub readbacks: Pool,
    pub poller: Poller,
    pub pipelines: Pipelines,
}

impl Executor for Gpu {
    fn gpu(&self) -> Option<&Gpu> {
        Some(self)
    }

    fn internal(&self) -> Direction {
        Direction::DeviceInternal
    }

    fn download(&self) -> Option<Direction> {
        Some(Direction::DeviceToHost)
    }

    fn upload(&self, inner: &Inner, upload: &Upload<'_, '_>) -> Result<Uploaded> {
        inner.upload_to(self, upload)
    }

    fn create(&self, inner: &Inner, label: &str, bytes: u64) -> Result<Arc<Storage>> {
        Ok(Storage::gpu(inner.create_buffer(label, bytes, tensor_usage(), false)?))
    }

    fn prepare(
        &self,
        runtime: &Runtime,
        plan: &Plan,
        policy: StagePolicy,
    ) -> Result<Box<dyn Prepared>> {
        Ok(Box::new(runtime.prepare_on_gpu(self, plan, policy)?))
    }

    fn read(&self, tensor: &Tensor, pending: Pending, take: &mut Take<'_>) -> Result<()> {
        tensor.read_from(self, pending, take)
    }

    fn read_async<'a>(
        &'a self,
        tensor: &'a Tensor,
        pending: Pending,
        take: &'a mut Take<'_>,
    ) -> Later<'a> {
        Box::pin(tensor.read_from_async(self, pending, take))
    }

    fn wait(&self) -> Result<()> {
        self.fault.wait(&self.device, "waiting for the device", None)
    }

    fn wait_async(&self) -> Later<'_> {
        Box::pin(self.finish_async("waiting for the device"))
    }
}

impl Inner {
    /// Returns the device.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the host executor, which has none.
    pub(crate) fn gpu(&self, doing: &str) -> Result<&Gpu> {
        self.executor.gpu().ok_or_else(|| self.no_device(doing))
    }

    /// Makes the error of what only a device can do.
    pub(super) fn no_device(&self, doing: &str) -> Error {
        Error::Unsupported {
            node: doing.to_owned(),
            what: format!("a wgpu device on {}", self.ledger.adapter()),
            remedy: "open an adapter: RuntimeOptions::require_adapter() takes any".to_owned(),
        }
    }

    /// Creates a buffer; running out of memory is an error, not a panic.
    pub(crate) fn create_buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
        mapped_at_creation: bool,
    ) -> Result<wgpu::Buffer> {
        let doing = format!("creating buffer \"{label}\"");
        let gpu = self.gpu(&doing)?;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size: bytes, usage, mapped_at_creation };
        let create = || gpu.device.create_buffer(&descriptor);
        let buffer = gpu.fault.watch(&gpu.device, &doing, bytes, create)?;
        self.buffers_created.fetch_add(1, Ordering::Relaxed);
        Ok(buffer)
    }
}
