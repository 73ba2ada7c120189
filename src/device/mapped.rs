//! A mapped upload buffer as something that several threads pack into.
//!
//! wgpu's write-only slices cannot be sent to other threads, and its mapped ranges
//! must begin at multiples of 8 bytes, so each part opens a range of its own when it
//! is first written, and the 4-byte halves at uneven borders are kept for the end.

use std::sync::{Arc, Mutex, PoisonError};

use crate::array::PackTarget;
use crate::error::{Error, Result};

/// What the parts of one mapping share.
#[derive(Default)]
struct Shared {
    /// Elements at uneven borders: their offsets in the buffer, and their bytes.
    edges: Vec<(u64, [u8; 4])>,
    failure: Option<String>,
}

/// A range of a mapped buffer that has not been written yet.
pub(super) struct Mapped {
    buffer: wgpu::Buffer,
    start: u64,
    len: usize,
    view: Option<wgpu::BufferViewMut>,
    shared: Arc<Mutex<Shared>>,
}

/// Finishes a mapping once all its parts are written.
pub(super) struct Finish {
    buffer: wgpu::Buffer,
    shared: Arc<Mutex<Shared>>,
}

/// Opens a range of a mapped buffer; both ends are multiples of 4.
pub(super) fn open(buffer: &wgpu::Buffer, start: u64, len: usize) -> (Mapped, Finish) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let finish = Finish { buffer: buffer.clone(), shared: Arc::clone(&shared) };
    (Mapped { buffer: buffer.clone(), start, len, view: None, shared }, finish)
}

impl Mapped {
    /// Returns where the part's own range begins and ends, on multiples of 8.
    fn inner(&self) -> (u64, u64) {
        let end = self.start + self.len as u64;
        let first = self.start.next_multiple_of(wgpu::MAP_ALIGNMENT);
        (first, (end - end % wgpu::MAP_ALIGNMENT).max(first))
    }

    fn keep(&self, offset: u64, bytes: &[u8]) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        for (offset, element) in (offset..).step_by(4).zip(bytes.as_chunks::<4>().0) {
            shared.edges.push((offset, *element));
        }
    }

    fn write_inner(&mut self, at: u64, bytes: &[u8]) {
        let (first, last) = self.inner();
        if self.view.is_none() {
            match self.buffer.get_mapped_range_mut(first..last) {
                Ok(view) => self.view = Some(view),
                Err(error) => {
                    let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
                    shared.failure = Some(error.to_string());
                }
            }
        }
        if let Some(view) = &mut self.view {
            // Within the part, so within memory.
            let offset = usize::try_from(at - first).unwrap_or(usize::MAX);
            view.slice(offset..offset + bytes.len()).copy_from_slice(bytes);
        }
    }
}

impl PackTarget for Mapped {
    fn len(&self) -> usize {
        self.len
    }

    fn split_at(self, mid: usize) -> (Self, Self) {
        let part = |start, len| Mapped {
            buffer: self.buffer.clone(),
            start,
            len,
            view: None,
            shared: Arc::clone(&self.shared),
        };
        (part(self.start, mid), part(self.start + mid as u64, self.len - mid))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let (first, last) = self.inner();
        let at = self.start + offset as u64;
        let clamp = |place: u64| {
            let within = place.clamp(at, at + bytes.len() as u64) - at;
            usize::try_from(within).unwrap_or(bytes.len())
        };
        let (head, rest) = bytes.split_at(clamp(first));
        let (body, tail) = rest.split_at(clamp(last).saturating_sub(head.len()));
        self.keep(at, head);
        if !body.is_empty() {
            self.write_inner(at + head.len() as u64, body);
        }
        self.keep(at + (head.len() + body.len()) as u64, tail);
    }
}

impl Finish {
    /// Writes what stands at the borders of parts.
    ///
    /// # Errors
    ///
    /// [`Error::Device`] when a range could not be opened.
    pub(super) fn finish(self, doing: &str) -> Result<()> {
        let refuse = |message: String| Error::Device {
            doing: doing.to_owned(),
            message,
            remedy: "open a new Runtime".to_owned(),
        };
        let shared =
            std::mem::take(&mut *self.shared.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(message) = shared.failure {
            return Err(refuse(message));
        }
        for (offset, bytes) in shared.edges {
            let granule = offset - offset % wgpu::MAP_ALIGNMENT;
            let end = (granule + wgpu::MAP_ALIGNMENT).min(self.buffer.size());
            let mut view = self
                .buffer
                .get_mapped_range_mut(granule..end)
                .map_err(|error| refuse(error.to_string()))?;
            let half = usize::try_from(offset - granule).unwrap_or(0);
            view.slice(half..half + 4).copy_from_slice(&bytes);
        }
        Ok(())
    }
}
