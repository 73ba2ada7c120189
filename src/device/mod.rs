//! The device layer: opening, staging, preparing, running and reading.
//!
//! The only module that names wgpu, and of its files only `upload.rs` and
//! `read.rs` move bytes across the border. Each crossing asks the guards first and is
//! written into the ledger. On the host executor there is no border: `host.rs` packs
//! into host memory and runs plans there.

mod adapters;
mod bind;
mod border;
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

use std::future::Future;
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
use crate::ledger::{AdapterSummary, Call, Carried, Cause, Guard, Ledger, Scope};
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
    /// Guards that hold for what this handle does, and for what is made with it.
    pub(crate) guards: Carried,
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

    /// Tells whether plans run on the host executor, where nothing crosses; in
    /// [border mode](RuntimeOptions::border) it counts as if it did.
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
    ///
    /// What other threads do meanwhile passes, also the closure's own: rayon's, and a future's that
    /// it returns. [`Runtime::forbid_crossings_on_all_threads`], [`Runtime::forbid_crossings_async`]
    /// and [`Runtime::with_guard`] hold there.
    pub fn forbid_crossings<T>(&self, body: impl FnOnce() -> T) -> T {
        self.guarded(Guard::forbid(), body)
    }

    /// Runs a closure in which uploads and downloads are errors on all threads that use this
    /// runtime.
    ///
    /// ```
    /// use longshore::{Error, Runtime, RuntimeOptions};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
    /// let x = rt.stage("x", array![1.0_f32, 2.0])?;
    /// let (one, two) = rt.forbid_crossings_on_all_threads(|| rayon::join(|| x.read(), || x.read()));
    /// assert!(matches!(one, Err(Error::Crossing { .. })));
    /// assert!(matches!(two, Err(Error::Crossing { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn forbid_crossings_on_all_threads<T>(&self, body: impl FnOnce() -> T) -> T {
        let _scope = self.ledger().enter_all_threads(Guard::forbid());
        body()
    }

    /// Runs a future in which uploads and downloads are errors, on whichever thread it is polled.
    ///
    /// Tasks that it starts are futures of their own. `Send` if the future is.
    ///
    /// ```
    /// use longshore::{Error, Runtime, RuntimeOptions};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
    /// let x = rt.stage("x", array![1.0_f32, 2.0])?;
    /// let refused = rt.forbid_crossings_async(async { x.read_async().await });
    /// assert!(matches!(pollster::block_on(refused), Err(Error::Crossing { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn forbid_crossings_async<F: Future>(
        &self,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        self.guarded_async(Guard::forbid(), future)
    }

    /// Runs a closure under a guard on this thread.
    pub fn guarded<T>(&self, guard: Guard, body: impl FnOnce() -> T) -> T {
        let _scope = self.ledger().enter(guard);
        body()
    }

    /// Runs a future under a guard, on whichever thread it is polled.
    pub fn guarded_async<F: Future>(
        &self,
        guard: Guard,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        self.ledger().guard_future(guard, future)
    }

    /// Returns the same runtime with a guard that it carries: it holds for what is called on this
    /// handle, and on the tensors and sessions that are made with it, on every thread.
    ///
    /// A guard on the calling thread is asked before it, so [`Guard::allow`] makes an exception.
    ///
    /// ```
    /// use longshore::{Error, Guard, Runtime, RuntimeOptions};
    /// use ndarray::array;
    ///
    /// # fn main() -> longshore::Result<()> {
    /// let rt = Runtime::host_with(RuntimeOptions::new().border())?;
    /// let request = rt.with_guard(Guard::budget(1000, 1).name("request"));
    /// let x = request.stage("x", array![1.0_f32, 2.0])?;
    /// let read = std::thread::spawn(move || x.read()).join().unwrap();
    /// assert!(matches!(read, Err(Error::Crossing { .. })));
    /// rt.stage("other", array![1.0_f32])?; // this handle carries no guard
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_guard(&self, guard: Guard) -> Runtime {
        Runtime { inner: Arc::clone(&self.inner), guards: self.guards.with(guard) }
    }

    /// Names what happens on this thread in the ledger until the scope is dropped.
    pub fn scope(&self, name: impl Into<String>) -> Scope {
        self.ledger().scope(name)
    }

    /// Names what a future does in the ledger, on whichever thread it is polled.
    pub fn scope_async<F: Future, N: Into<String>>(
        &self,
        name: N,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F, N> {
        self.ledger().scope_future(name.into(), future)
    }

    /// Makes the public call that has called this, for the ledger.
    #[track_caller]
    fn call(&self, cause: Cause) -> Call<'_> {
        Call::new(cause, &self.guards)
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
