//! Reused buffers at the border: mapped for upload, or for readback.

use std::sync::{Arc, Mutex, PoisonError};

use super::Inner;
use crate::error::Result;

/// Smallest pooled buffer, in bytes.
const SMALLEST_BYTES: u64 = 64 << 10;
/// Free buffers beyond this many bytes in all are given back to the driver.
const KEPT_BYTES: u64 = 256 << 20;

/// Keeps free buffers of one usage.
#[derive(Debug)]
pub(crate) struct Pool {
    label: &'static str,
    usage: wgpu::BufferUsages,
    largest_bytes: u64,
    free: Arc<Mutex<Vec<wgpu::Buffer>>>,
}

impl Pool {
    pub(crate) fn new(label: &'static str, usage: wgpu::BufferUsages, largest_bytes: u64) -> Self {
        Pool { label, usage, largest_bytes, free: Arc::default() }
    }

    /// Takes a free buffer that holds `bytes`, or creates one.
    ///
    /// Upload buffers are mapped, readback buffers are not.
    pub(crate) fn take(&self, inner: &Inner, bytes: u64) -> Result<wgpu::Buffer> {
        // Mapping callbacks, which return upload buffers, run when the device is polled.
        let gpu = inner.gpu(self.label)?;
        gpu.fault.poll(&gpu.device, self.label)?;
        let found = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = free.iter().enumerate().filter(|(_, buffer)| buffer.size() >= bytes);
            let best = fits.min_by_key(|(_, buffer)| buffer.size()).map(|(index, _)| index);
            best.map(|index| free.swap_remove(index))
        };
        if let Some(buffer) = found {
            return Ok(buffer);
        }
        // Round sizes serve more later requests.
        let round = bytes.max(SMALLEST_BYTES).checked_next_power_of_two().unwrap_or(bytes);
        let size = if round <= self.largest_bytes { round } else { bytes };
        let mapped = self.usage.contains(wgpu::BufferUsages::MAP_WRITE);
        inner.create_buffer(self.label, size, self.usage, mapped)
    }

    /// Returns a handle through which a buffer can be given back, also from a callback.
    pub(crate) fn returner(&self) -> Returner {
        Returner { free: Arc::clone(&self.free) }
    }
}

/// Gives buffers back to their pool.
#[derive(Clone)]
pub(crate) struct Returner {
    free: Arc<Mutex<Vec<wgpu::Buffer>>>,
}

impl Returner {
    /// Puts a buffer among the free ones, unless enough are kept already.
    pub(crate) fn give_back(&self, buffer: wgpu::Buffer) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: u64 = free.iter().map(wgpu::Buffer::size).sum();
        if kept.saturating_add(buffer.size()) <= KEPT_BYTES {
            free.push(buffer);
        }
    }
}
