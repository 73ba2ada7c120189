//! Which machinery computes: a GPU through wgpu, or the host.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Inner;
use super::fault::Fault;
use super::pipeline::Pipelines;
use super::poller::Poller;
use super::pool::Pool;
use crate::error::{Error, Result};

/// What a runtime computes with.
#[derive(Debug)]
pub(crate) enum Executor {
    /// A device; boxed, as it is far larger than nothing.
    Gpu(Box<Gpu>),
    /// The processor, in host memory.
    Host,
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

impl Inner {
    /// Returns the device.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the host executor, which has none.
    pub(crate) fn gpu(&self, doing: &str) -> Result<&Gpu> {
        match &self.executor {
            Executor::Gpu(gpu) => Ok(gpu),
            Executor::Host => Err(self.no_device(doing)),
        }
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
