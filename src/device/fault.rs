//! Device failures as errors: error scopes, and the memory of a lost device.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result};

/// Remembers why the device was lost, if it was.
#[derive(Debug, Default)]
pub(crate) struct Fault {
    lost: Mutex<Option<String>>,
}

impl Fault {
    /// Registers with a device that this crate opened. An embedder's own device keeps
    /// the embedder's callbacks.
    pub(crate) fn register(self: &Arc<Self>, device: &wgpu::Device) {
        let on_loss = Arc::clone(self);
        device.set_device_lost_callback(move |reason, message| {
            on_loss.set_lost(format!("{reason:?}: {message}"));
        });
        // Everything this crate does is inside an error scope. What reaches the handler
        // comes from an embedder's own calls on the device, and must not abort the program.
        device.on_uncaptured_error(Arc::new(|error: wgpu::Error| {
            log::error!("uncaptured wgpu error: {error}");
        }));
    }

    fn set_lost(&self, reason: String) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
    }

    /// Fails if the device is known to be lost.
    pub(crate) fn check(&self, doing: &str) -> Result<()> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match lost.as_ref() {
            Some(reason) => {
                Err(Error::DeviceLost { doing: doing.to_owned(), reason: reason.clone() })
            }
            None => Ok(()),
        }
    }

    /// Lets a loss that has happened be noticed, then fails if there was one.
    ///
    /// wgpu reports a loss through a callback that runs when the device is polled, and
    /// swallows the errors of what is done with a lost device.
    pub(crate) fn poll(&self, device: &wgpu::Device, doing: &str) -> Result<()> {
        let _ = device.poll(wgpu::PollType::Poll);
        self.check(doing)
    }

    /// Does something with the device and turns what it reports into an error.
    pub(crate) fn watch<T>(
        &self,
        device: &wgpu::Device,
        doing: &str,
        bytes: u64,
        body: impl FnOnce() -> T,
    ) -> Result<T> {
        self.check(doing)?;
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = body();
        // Natively a popped scope's future is ready at once, so this does not wait.
        let popped = [
            pollster::block_on(validation.pop()),
            pollster::block_on(memory.pop()),
            pollster::block_on(internal.pop()),
        ];
        self.check(doing)?;
        match popped.into_iter().flatten().next() {
            Some(error) => Err(convert(doing, bytes, &error)),
            None => Ok(value),
        }
    }

    /// Waits for submitted work: all of it, or up to one submission.
    pub(crate) fn wait(
        &self,
        device: &wgpu::Device,
        doing: &str,
        submission: Option<wgpu::SubmissionIndex>,
    ) -> Result<()> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: None };
        let polled = self.watch(device, doing, 0, || device.poll(wait))?;
        self.check(doing)?;
        polled.map(|_| ()).map_err(|error| Error::Device {
            doing: doing.to_owned(),
            message: error.to_string(),
            remedy: "open a new Runtime".to_owned(),
        })
    }
}

/// Converts what wgpu reports.
pub(crate) fn convert(doing: &str, bytes: u64, error: &wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => Error::OutOfMemory {
            doing: doing.to_owned(),
            bytes,
            remedy: "drop tensors and sessions that are done with, or run a smaller batch"
                .to_owned(),
        },
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            let message = description.trim().to_owned();
            if message.contains("Parent device is lost") {
                return Error::DeviceLost { doing: doing.to_owned(), reason: message };
            }
            Error::Device {
                doing: doing.to_owned(),
                message,
                remedy: "check the buffers and devices that were handed in".to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wgpu_reports_keeps_its_kind() {
        let memory = wgpu::Error::OutOfMemory { source: "none left".into() };
        let error = convert("creating buffer \"x\"", 4096, &memory);
        assert!(matches!(&error, Error::OutOfMemory { bytes: 4096, .. }), "{error}");
        let refused = |description: &str| wgpu::Error::Validation {
            source: "no".into(),
            description: description.to_owned(),
        };
        let error = convert("running", 0, &refused("  usage mismatch\n"));
        assert!(error.to_string().starts_with("running: the device refused: usage mismatch; "));
        let error = convert("running", 0, &refused("Parent device is lost"));
        assert!(matches!(error, Error::DeviceLost { .. }));
    }
}
