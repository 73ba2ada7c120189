//! The device layer: opening, staging, preparing, running and reading.
//!
//! The only module that names wgpu, and of its files only `upload.rs` and
//! `read.rs` move bytes across the border. Each crossing asks the guards first and is
//! written into the ledger. On the host executor there is no border: `host.rs` packs
//! into host memory and runs plans there.

mod adapters;
mod bind;
mod cache;
mod executor;
mod fault;
mod host;
mod loops;
mod mapped;
mod open;
mod own;
mod patience;
mod pipeline;
mod poller;
mod pool;
mod prepare;
mod read;
mod run;
mod stage;
mod tensor;
mod threads;
mod upload;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use adapters::{AdapterInfo, adapters};
pub use loops::Warning;
pub use open::{Backend, PowerPreference, RuntimeOptions};
pub use prepare::Session;
pub use run::Run;
pub use tensor::Tensor;

use crate::error::Result;
use crate::ledger::{AdapterSummary, Guard, Ledger, Scope};
use crate::plan::Limits;
use worker::Worker;

/// An open device, or the host executor: stages arrays, prepares sessions, keeps the ledger.
///
/// Cheap to clone; clones share the device and the ledger. `Send + Sync`.
///
/// ```
/// use longshore::{Graph, Runtime, Shape};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host(); // or Runtime::open()?, which takes a GPU where there is one
/// let x = rt.stage("x", array![[1.0_f32, 2.0]])?;
///
/// let mut g = Graph::new();
/// let input = g.input("x", Shape::batch([2]));
/// let doubled = g.add(input, input)?;
/// g.output("doubled", doubled);
/// let session = rt.session(&g, x.batch())?;
///
/// // Nothing crosses in a run; a guard holds it to that.
/// let run = rt.forbid_crossings(|| session.run([("x", &x)]))?;
/// assert_eq!(run.output("doubled")?.read()?, array![[2.0, 4.0]].into_dyn());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub limits: Limits,
    pub ledger: Ledger,
    pub executor: Box<dyn executor::Executor>,
    /// How long a call may wait; none is for ever.
    pub limit: Option<Duration>,
    pub worker: Arc<Worker>,
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
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`](crate::Error::Unsupported) on the host executor.
    pub fn device(&self) -> Result<&wgpu::Device> {
        Ok(&self.inner.gpu("Runtime::device")?.device)
    }

    /// Returns the queue, for an embedder's own work.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`](crate::Error::Unsupported) on the host executor.
    pub fn queue(&self) -> Result<&wgpu::Queue> {
        Ok(&self.inner.gpu("Runtime::queue")?.queue)
    }

    /// Tells whether plans run on the host executor, where nothing crosses.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.inner.executor.gpu().is_none()
    }

    /// Returns how many buffers, of a device or in host memory, this runtime has created so far.
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
