//! The device layer: opening, staging, preparing, running and reading.
//!
//! The only module that names wgpu, and of its files only `upload.rs` and
//! `read.rs` move bytes. Each crossing asks the guards first and is written into
//! the ledger.

mod adapters;
mod bind;
mod fault;
mod mapped;
mod open;
mod own;
mod pipeline;
mod poller;
mod pool;
mod prepare;
mod read;
mod run;
mod stage;
mod tensor;
mod upload;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use adapters::{AdapterInfo, adapters};
pub use open::{Backend, PowerPreference, RuntimeOptions};
pub use prepare::Session;
pub use run::Run;
pub use tensor::Tensor;

use crate::error::Result;
use crate::ledger::{AdapterSummary, Guard, Ledger, Scope};
use crate::plan::Limits;

/// An open device: stages arrays, prepares sessions, keeps the ledger.
///
/// Cheap to clone; clones share the device and the ledger. `Send + Sync`.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub limits: Limits,
    pub ledger: Ledger,
    pub fault: Arc<fault::Fault>,
    pub uploads: pool::Pool,
    pub readbacks: pool::Pool,
    pub poller: poller::Poller,
    pipelines: Mutex<HashMap<pipeline::Key, Arc<pipeline::Pipeline>>>,
    buffers_created: AtomicU64,
}

impl Runtime {
    /// Returns the ledger of all crossings of this runtime.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// Returns the adapter's name, API and driver.
    #[must_use]
    pub fn adapter(&self) -> &AdapterSummary {
        self.inner.ledger.adapter()
    }

    /// Returns the device limits that plans for it keep.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Returns the device, for an embedder's own work.
    #[must_use]
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// Returns the queue, for an embedder's own work.
    #[must_use]
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// Returns how many device buffers this runtime has created so far.
    #[must_use]
    pub fn buffers_created(&self) -> u64 {
        self.inner.buffers_created.load(Ordering::Relaxed)
    }

    /// Runs a closure in which uploads and downloads are errors on this thread.
    pub fn forbid_crossings<T>(&self, body: impl FnOnce() -> T) -> T {
        self.guarded(Guard::forbid(), body)
    }

    /// Runs a closure under a guard on this thread.
    pub fn guarded<T>(&self, guard: Guard, body: impl FnOnce() -> T) -> T {
        let _scope = self.ledger().enter(guard);
        body()
    }

    /// Names what happens on this thread in the ledger until the scope is dropped.
    pub fn scope(&self, name: impl Into<String>) -> Scope {
        self.ledger().scope(name)
    }
}

impl Inner {
    /// Creates a buffer; running out of memory is an error, not a panic.
    pub(crate) fn create_buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
        mapped_at_creation: bool,
    ) -> Result<wgpu::Buffer> {
        let doing = format!("creating buffer \"{label}\"");
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size: bytes, usage, mapped_at_creation };
        let buffer = self
            .fault
            .watch(&self.device, &doing, bytes, || self.device.create_buffer(&descriptor))?;
        self.buffers_created.fetch_add(1, Ordering::Relaxed);
        Ok(buffer)
    }
}

// What an embedder shares between threads must stay shareable.
const _: () = {
    const fn shareable<T: Send + Sync>() {}
    shareable::<Runtime>();
    shareable::<Session>();
    shareable::<Tensor>();
    shareable::<Run>();
    shareable::<crate::Plan>();
    shareable::<crate::Graph>();
    shareable::<Ledger>();
};
