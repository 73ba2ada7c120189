//! Device failures as errors: error scopes, and the memory of a lost device.
//!
//! wgpu tells of a loss by one callback, which on an adopted device is the embedder's, and swallows
//! the errors of whatever is done with a lost device. So a loss is looked for: to map a buffer that
//! has been destroyed is an error on a device that is there, and none on a lost one.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::read::try_mapping;
use crate::error::{Error, Result, escaped};

/// The reason where nobody gives one.
const UNSAID: &str = "it was destroyed, or its driver reset it";

/// Why the device was lost, if it was.
type Loss = Arc<Mutex<Option<String>>>;

/// Remembers whether the device was lost, and looks for a loss.
#[derive(Debug)]
pub(crate) struct Fault {
    lost: Loss,
    /// A buffer that has been destroyed; none if the device had no memory for it.
    probe: Option<Mutex<wgpu::Buffer>>,
}

fn set_lost(loss: &Loss, reason: String) {
    loss.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
}

impl Fault {
    pub(crate) fn new(device: &wgpu::Device) -> Self {
        let descriptor = wgpu::BufferDescriptor {
            label: Some("probe"),
            size: wgpu::MAP_ALIGNMENT,
            usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: true,
        };
        let mut fault = Fault { lost: Arc::default(), probe: None };
        let made = fault.watch(device, "creating buffer \"probe\"", descriptor.size, || {
            let buffer = device.create_buffer(&descriptor);
            let is_there = buffer.get_mapped_range_mut(..).is_ok();
            if is_there {
                buffer.unmap();
                buffer.destroy();
            }
            (buffer, is_there)
        });
        match made {
            Ok((buffer, true)) => fault.probe = Some(Mutex::new(buffer)),
            // A buffer that is not there, without a word.
            Ok((_, false)) => set_lost(&fault.lost, UNSAID.to_owned()),
            Err(error) => log::warn!("losses of the device are noticed late: {error}"),
        }
        fault
    }

    /// Registers with a device that this crate opened. An embedder's own device keeps
    /// the embedder's callbacks.
    pub(crate) fn register(&self, device: &wgpu::Device) {
        let lost = Arc::clone(&self.lost);
        device.set_device_lost_callback(move |reason, message| {
            set_lost(&lost, format!("{reason:?}: {message}"));
        });
        // Everything this crate does is inside an error scope. What reaches the handler
        // comes from an embedder's own calls on the device, and must not abort the program.
        device.on_uncaptured_error(Arc::new(|error: wgpu::Error| {
            log::error!("uncaptured wgpu error: {}", escaped(error));
        }));
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

    /// Fails if the device is lost, by whomever, up to this moment.
    ///
    /// What was done before and reported no error has then been done.
    pub(crate) fn confirm(&self, device: &wgpu::Device, doing: &str) -> Result<()> {
        self.check(doing)?;
        if let Some(probe) = &self.probe {
            let buffer = probe.lock().unwrap_or_else(PoisonError::into_inner);
            let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
            try_mapping(&buffer);
            let is_lost = pollster::block_on(scope.pop()).is_none();
            // So that the next one may ask again.
            let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
            buffer.unmap();
            let _ = pollster::block_on(scope.pop());
            if is_lost {
                set_lost(&self.lost, UNSAID.to_owned());
            }
        }
        self.check(doing)
    }

    /// Lets callbacks that are due run, then fails if the device is known to be lost.
    pub(crate) fn poll(&self, device: &wgpu::Device, doing: &str) -> Result<()> {
        // Without a wait no poll can fail but for a loss.
        let _ = self.poll_as(device, doing, wgpu::PollType::Poll)?;
        self.check(doing)
    }

    /// Polls; wgpu panics there when the driver has lost the device.
    pub(super) fn poll_as(
        &self,
        device: &wgpu::Device,
        doing: &str,
        kind: wgpu::PollType,
    ) -> Result<std::result::Result<wgpu::PollStatus, wgpu::PollError>> {
        let polled = catch_unwind(AssertUnwindSafe(|| device.poll(kind)));
        polled.or_else(|panic: Box<dyn Any + Send>| {
            self.confirm(device, doing)?;
            // A callback of the embedder's.
            resume_unwind(panic)
        })
    }

    /// Does something with the device and turns what it reports into an error.
    ///
    /// A loss is reported where something else is reported too; [`Fault::confirm`] finds others.
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
        match popped.into_iter().flatten().next() {
            Some(error) => Err(self.explain(device, doing, convert(doing, bytes, &error))),
            None => self.check(doing).map(|()| value),
        }
    }

    /// Returns the loss of the device, if that is what lies behind an error.
    pub(crate) fn explain(&self, device: &wgpu::Device, doing: &str, error: Error) -> Error {
        self.confirm(device, doing).err().unwrap_or(error)
    }

    /// Makes the error of what wgpu has refused outside of its error scopes.
    pub(crate) fn refuse(
        &self,
        device: &wgpu::Device,
        doing: &str,
        message: &dyn Display,
    ) -> Error {
        let error = Error::Device {
            doing: doing.to_owned(),
            message: message.to_string(),
            remedy: "open a new Runtime".to_owned(),
        };
        self.explain(device, doing, error)
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
