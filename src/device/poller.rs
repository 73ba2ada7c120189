//! A thread that waits for the device, so that others can look at the clock meanwhile.
//!
//! wgpu's own waits with a time limit are not for several threads: one that ends early panics when
//! another thread finds the queue empty at that moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A submission to wait for, else all that there are, and who wants to hear of the end.
type Job = (Option<wgpu::SubmissionIndex>, Sender<()>);

/// Polls the device up to submissions, one after the other, as the device does them.
///
/// The thread starts with the first wait that is not over at once. It ends with the runtime, or
/// when the work that it waits for does.
#[derive(Debug)]
pub(crate) struct Poller {
    device: wgpu::Device,
    thread: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    jobs: Sender<Job>,
    /// Hangs up when the thread has let go of the device.
    ended: Receiver<()>,
    handle: JoinHandle<()>,
}

impl Poller {
    pub(crate) fn new(device: wgpu::Device) -> Self {
        Poller { device, thread: Mutex::new(None) }
    }

    /// Returns what hears of the end of a submission, or of all, and hangs up when the wait fails.
    ///
    /// Where no thread can be started the wait is here: late is better than never.
    pub(crate) fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Receiver<()> {
        let (sender, receiver) = channel();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            *thread = start(self.device.clone());
        }
        let job = (submission, sender);
        let unsent = match thread.as_ref() {
            Some(running) => running.jobs.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        drop(thread);
        if let Some(job) = unsent {
            poll(&self.device, job);
        }
        receiver
    }

    /// Ends the thread, whose work is over, and waits until it has let go of the device: if it were
    /// the last to have it, a driver would close the device while the process ends, and crash.
    pub(crate) fn close(&self, most: Duration) {
        let running = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { jobs, ended, handle }) = running else { return };
        drop(jobs);
        if let Err(RecvTimeoutError::Disconnected) = ended.recv_timeout(most) {
            // It catches panics.
            let _ = handle.join();
        }
    }
}

fn start(device: wgpu::Device) -> Option<Running> {
    let (sender, receiver) = channel();
    let (end, ended) = channel();
    let body = move || {
        for job in receiver {
            poll(&device, job);
        }
        drop(device);
        drop(end);
    };
    let handle = std::thread::Builder::new().name("longshore-poll".to_owned()).spawn(body).ok()?;
    Some(Running { jobs: sender, ended, handle })
}

fn poll(device: &wgpu::Device, (submission, sender): Job) {
    let wait = wgpu::PollType::Wait { submission_index: submission, timeout: None };
    // wgpu panics when the driver has lost the device; whoever waits looks why it failed.
    if let Ok(Ok(_)) = catch_unwind(AssertUnwindSafe(|| device.poll(wait))) {
        // One that has gone away no longer needs to hear of it.
        let _ = sender.send(());
    }
}
