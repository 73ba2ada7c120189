//! What computes: a device through wgpu, or the processor.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fault::Fault;
use super::patience::Patience;
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
use crate::ledger::{Call, Direction};
use crate::plan::{ExpectedCrossings, Plan};

/// How long dropping a runtime without a time limit waits for its work.
pub(super) const CLOSING: Duration = Duration::from_secs(10);

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
        call: Call<'_>,
    ) -> Result<Arc<dyn Prepared>>;

    /// Hands a tensor's bytes over, once, and records that.
    fn read(
        &self,
        tensor: &Tensor,
        pending: Pending,
        patience: &Patience<'_>,
        take: &mut Take<'_>,
    ) -> Result<()>;

    /// Waits until all submitted work is done.
    fn wait(&self, patience: &Patience<'_>) -> Result<()>;
}

/// What takes the bytes of a read.
pub(crate) type Take<'t> = dyn FnMut(&[u8]) + Send + 't;

/// A plan as one executor has made it ready.
pub(crate) trait Prepared: Send + Sync {
    /// Runs the plan of `session` over one tensor for each of its inputs.
    fn run(&self, session: &Session, inputs: &[&Tensor], call: Call<'_>) -> Result<Run>;

    /// Records a run into the embedder's encoder.
    fn record(
        &self,
        session: &Session,
        inputs: &[&Tensor],
        encoder: &mut wgpu::CommandEncoder,
        call: Call<'_>,
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
    pub fault: Fault,
    pub uploads: Pool,
    pub readbacks: Pool,
    pub poller: Poller,
    /// How long dropping the runtime waits for its work.
    pub closing: Duration,
    /// The time limit, on a software adapter: its driver may hold up a submission until the device is
    /// done with those before it.
    pub submitting: Option<Duration>,
    pub pipelines: Pipelines,
}

impl Drop for Gpu {
    /// wgpu waits for all work when the last handle of a queue is dropped, however long that is.
    fn drop(&mut self) {
        let closing = "closing the runtime";
        let _ = self.wait(&Patience::new(closing, Some(self.closing)), "the submitted work", None);
        let polled = self.fault.poll_as(&self.device, closing, wgpu::PollType::Poll);
        // A driver that has lost the device waits for nothing.
        if polled.is_err() || matches!(polled, Ok(Ok(wgpu::PollStatus::QueueEmpty))) {
            self.poller.close(self.closing);
            return;
        }
        log::warn!("{closing}: work goes on; a thread of its own waits for it");
        let kept = ManuallyDrop::new((self.queue.clone(), self.device.clone()));
        // Without a thread the handles stay for good, which is better than a wait for good.
        let _ = std::thread::Builder::new().name("longshore-close".to_owned()).spawn(move || {
            let (_, device) = &*kept;
            let _ = device.poll(wgpu::PollType::wait_indefinitely());
            drop(ManuallyDrop::into_inner(kept));
        });
    }
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
        call: Call<'_>,
    ) -> Result<Arc<dyn Prepared>> {
        Ok(Arc::new(runtime.prepare_on_gpu(self, plan, policy, call)?))
    }

    fn read(
        &self,
        tensor: &Tensor,
        pending: Pending,
        patience: &Patience<'_>,
        take: &mut Take<'_>,
    ) -> Result<()> {
        tensor.read_from(self, pending, patience, take)
    }

    fn wait(&self, patience: &Patience<'_>) -> Result<()> {
        Gpu::wait(self, patience, "the submitted work", None)
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
