//! Whose threads the host executor computes on.

use std::sync::Arc;

use super::open::HostPool;
use crate::error::{Error, Result};

/// A pool of rayon's; without one, the pool that a call is made in, else the global one.
#[derive(Clone, Debug, Default)]
pub(super) struct Threads {
    pool: Option<Arc<rayon::ThreadPool>>,
}

impl Threads {
    /// Starts a pool, or takes the embedder's.
    pub(super) fn new(choice: &HostPool) -> Result<Self> {
        let pool = match choice {
            HostPool::Caller => None,
            HostPool::Own(threads) => Some(Arc::new(start(*threads)?)),
            HostPool::Given(pool) => Some(Arc::clone(pool)),
        };
        Ok(Threads { pool })
    }

    /// Counts the threads that compute together.
    pub(super) fn count(&self) -> usize {
        match &self.pool {
            Some(pool) => pool.current_num_threads(),
            None => rayon::current_num_threads(),
        }
    }

    /// Does something in the pool, and waits for it.
    pub(super) fn within<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        let Some(pool) = &self.pool else { return body() };
        let is_inside = pool.current_thread_index().is_some();
        if is_inside || rayon::current_thread_index().is_none() {
            return pool.install(body);
        }
        // While a thread of another pool waits for this one, rayon gives it more tasks to do, one
        // within the other: thousands that run sessions would overflow its stack.
        let body = std::sync::Mutex::new(Some(body));
        let take = || body.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let done = std::thread::scope(|scope| {
            let wait = || take().map(|body| pool.install(body));
            let waiting = std::thread::Builder::new().spawn_scoped(scope, wait).ok()?;
            match waiting.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        match (done, take()) {
            (Some(done), _) => done,
            // Where no thread can be started.
            (None, Some(body)) => pool.install(body),
            (None, None) => std::panic::resume_unwind(Box::new("a run has gone")),
        }
    }
}

fn start(threads: usize) -> Result<rayon::ThreadPool> {
    let node = "opening the host executor";
    if threads == 0 {
        return Err(Error::Operand {
            node: node.to_owned(),
            operand: "host_threads".to_owned(),
            got: "is 0".to_owned(),
            expected: "a pool has at least one thread".to_owned(),
            shapes: "RuntimeOptions".to_owned(),
            remedy: "leave it out for the threads of the caller's pool".to_owned(),
        });
    }
    let named = |number| format!("longshore-host-{number}");
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(named);
    builder.build().map_err(|error| Error::Device {
        doing: node.to_owned(),
        message: error.to_string(),
        remedy: "ask for fewer threads".to_owned(),
    })
}
