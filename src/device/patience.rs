//! How long a call waits, and for whom.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::executor::Gpu;
use crate::error::{Error, Result};

/// How long the device is waited for at a time: so long a loss, a dropped future or the end of
/// the time limit may go unnoticed.
const SLICE: Duration = Duration::from_millis(5);
/// What is waited for before something else is submitted.
pub(super) const BEFORE: &str = "the work submitted before it";
/// How long a call polls by itself before it leaves that to the poller's thread: about as long as
/// waking two threads takes.
const SPIN: Duration = Duration::from_micros(100);

/// What a call is doing, and until when it waits for the device.
pub(crate) struct Patience<'a> {
    pub doing: &'a str,
    started: Instant,
    limit: Option<Duration>,
    is_canceled: &'a dyn Fn() -> bool,
}

impl<'a> Patience<'a> {
    /// Begins a wait of a call that blocks.
    pub(crate) fn new(doing: &'a str, limit: Option<Duration>) -> Self {
        Patience { doing, started: Instant::now(), limit, is_canceled: &|| false }
    }

    /// Begins a wait that a future may give up.
    pub(crate) fn until(self, is_canceled: &'a dyn Fn() -> bool) -> Self {
        Patience { is_canceled, ..self }
    }

    /// Counts the time limit from an earlier moment.
    pub(crate) fn since(self, started: Instant) -> Self {
        Patience { started, ..self }
    }

    /// Tells whether nobody wants the result any more.
    pub(crate) fn is_canceled(&self) -> bool {
        (self.is_canceled)()
    }

    /// Returns how long to wait now, before looking again.
    pub(crate) fn slice(&self) -> Duration {
        let left = self.limit.map_or(SLICE, |limit| limit.saturating_sub(self.started.elapsed()));
        left.min(SLICE)
    }

    /// Fails when the time limit is over, or nobody waits.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], which says what was waited for.
    pub(crate) fn check(&self, waited_for: &str) -> Result<()> {
        if self.is_canceled() {
            // Nobody hears of it.
            return Err(Error::Device {
                doing: self.doing.to_owned(),
                message: format!("{waited_for} is not waited for any more"),
                remedy: "keep the future".to_owned(),
            });
        }
        match self.limit {
            Some(limit) if self.started.elapsed() >= limit => Err(Error::Timeout {
                doing: self.doing.to_owned(),
                waited_for: waited_for.to_owned(),
                limit,
            }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Gpu {
    /// Waits until a submission is not held up, where the driver may do that and there is a time limit.
    ///
    /// # Errors
    ///
    /// As [`Gpu::wait`].
    pub(super) fn make_way(&self, doing: &str) -> Result<()> {
        match self.submitting {
            Some(limit) => self.wait(&Patience::new(doing, Some(limit)), BEFORE, None),
            None => Ok(()),
        }
    }

    /// Waits for work: up to one submission, or all that has been submitted.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLost`], also when the device was lost after the work was done, and
    /// [`Error::Timeout`].
    pub(super) fn wait(
        &self,
        patience: &Patience<'_>,
        waited_for: &str,
        submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<()> {
        let (fault, device, doing) = (&self.fault, &self.device, patience.doing);
        let started = Instant::now();
        while started.elapsed() < SPIN {
            let polled = fault.poll_as(device, doing, wgpu::PollType::Poll)?;
            if matches!(polled, Ok(wgpu::PollStatus::QueueEmpty)) {
                return fault.confirm(device, doing);
            }
            std::thread::yield_now();
        }
        fault.confirm(device, doing)?;
        // No submission marks the end of what there is: drivers may hold up one until the device is done.
        let waiting = self.poller.wait_for(submission);
        loop {
            match waiting.recv_timeout(patience.slice()) {
                Ok(()) => return fault.confirm(device, doing),
                Err(RecvTimeoutError::Timeout) => patience.check(waited_for)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(fault.refuse(device, doing, &"waiting for it failed"));
                }
            }
            fault.confirm(device, doing)?;
        }
    }
}
