//! A thread of the runtime's own, so that async calls neither wait nor copy where they are polled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;

use crate::error::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// Does what futures wait for, one after the other.
///
/// The thread starts with the first job and ends with the runtime.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    jobs: Mutex<Option<Sender<Job>>>,
}

/// What a job has promised.
pub(crate) struct Promise<T> {
    doing: String,
    receiver: oneshot::Receiver<Result<T>>,
}

impl Worker {
    /// Hands a job to the thread; `body` can ask whether its promise has been dropped.
    ///
    /// Where no thread can be started it is done here: late is better than never.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        doing: &str,
        body: impl FnOnce(&dyn Fn() -> bool) -> Result<T> + Send + 'static,
    ) -> Promise<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move || {
            let done = body(&|| sender.is_canceled());
            // One that has gone away no longer needs to hear of it.
            let _ = sender.send(done);
        });
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_none() {
            *jobs = spawn();
        }
        let unsent = match jobs.as_ref() {
            Some(jobs) => jobs.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        drop(jobs);
        if let Some(job) = unsent {
            job();
        }
        Promise { doing: doing.to_owned(), receiver }
    }
}

impl<T> Promise<T> {
    /// Waits for the job without blocking.
    pub(crate) async fn keep(self) -> Result<T> {
        self.receiver.await.unwrap_or_else(|_| {
            Err(Error::Device {
                doing: self.doing,
                message: "the runtime's thread panicked".to_owned(),
                remedy: crate::error::BUG.to_owned(),
            })
        })
    }
}

fn spawn() -> Option<Sender<Job>> {
    let (sender, receiver) = channel::<Job>();
    let body = move || {
        for job in receiver {
            // Its promise says so; those of other jobs can still be kept.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    };
    std::thread::Builder::new().name("longshore-async".to_owned()).spawn(body).ok()?;
    Some(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_done_in_order_on_one_thread_and_a_panic_ends_its_own_alone() {
        let worker = Worker::default();
        let name = || std::thread::current().name().map(str::to_owned);
        let promises: Vec<_> =
            (0..5).map(|number| worker.start("counting", move |_| Ok((number, name())))).collect();
        for (number, promise) in promises.into_iter().enumerate() {
            let kept = pollster::block_on(promise.keep()).unwrap();
            assert_eq!(kept, (number, Some("longshore-async".to_owned())));
        }
        let broken = worker.start("breaking", |_| -> Result<()> {
            std::panic::resume_unwind(Box::new("on purpose"))
        });
        let error = pollster::block_on(broken.keep()).unwrap_err().to_string();
        assert!(error.starts_with("breaking: the device refused: the runtime's thread"), "{error}");
        pollster::block_on(worker.start("going on", |_| Ok(())).keep()).unwrap();
    }

    #[test]
    fn a_job_sees_that_its_promise_is_dropped() {
        let worker = Worker::default();
        let (sender, receiver) = channel();
        let promise = worker.start("waiting", move |is_canceled| {
            while !is_canceled() {
                std::thread::yield_now();
            }
            sender.send(()).ok();
            Ok(())
        });
        drop(promise);
        receiver.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }
}
