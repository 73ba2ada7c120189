//! A thread that waits for the device, so that async calls need not.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

/// Polls the device up to submissions that futures wait for.
///
/// The thread starts with the first async wait and ends with the runtime.
#[derive(Debug)]
pub(crate) struct Poller {
    device: wgpu::Device,
    jobs: Mutex<Option<Sender<wgpu::SubmissionIndex>>>,
}

impl Poller {
    pub(crate) fn new(device: wgpu::Device) -> Self {
        Poller { device, jobs: Mutex::new(None) }
    }

    /// Sees to it that callbacks due after this submission run, without waiting here.
    ///
    /// Where no thread can be started, the wait happens here: late is better than never.
    pub(crate) fn wait_for(&self, submission: wgpu::SubmissionIndex) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.is_none() {
            *jobs = start(self.device.clone());
        }
        let unsent = match jobs.as_ref() {
            Some(sender) => sender.send(submission).err().map(|error| error.0),
            None => Some(submission),
        };
        if let Some(submission) = unsent {
            poll(&self.device, submission);
        }
    }
}

fn start(device: wgpu::Device) -> Option<Sender<wgpu::SubmissionIndex>> {
    let (sender, receiver) = channel();
    let body = move || receiver.iter().for_each(|submission| poll(&device, submission));
    std::thread::Builder::new().name("longshore-poll".to_owned()).spawn(body).ok()?;
    Some(sender)
}

fn poll(device: &wgpu::Device, submission: wgpu::SubmissionIndex) {
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
    // A failed wait fails the mapping too, and that is where it is reported.
    if let Err(error) = device.poll(wait) {
        log::warn!("polling the device failed: {error}");
    }
}
