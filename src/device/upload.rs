//! The way onto the device: one mapped buffer, one copy, one event.

use std::sync::Arc;
use std::time::Instant;

use super::Inner;
use super::executor::Gpu;
use super::mapped;
use super::pool::Returner;
use super::tensor::Storage;
use crate::array::{HostArray, PackReport, PackTarget, StagePolicy};
use crate::error::{Error, Result};
use crate::ledger::{Call, Direction, Method, Phases, nanoseconds};
use crate::plan::{PACKED_ALIGNMENT, Plan};

/// One array of an upload: what to pack, and where.
pub(crate) struct Part<'a, 'b> {
    pub array: &'a HostArray<'b>,
    pub offset_bytes: u64,
    /// The packed size, in bytes.
    pub bytes: u64,
}

/// What an upload is made of.
pub(crate) enum Source<'a, 'b> {
    /// Arrays that are packed straight into the mapped buffer, in order of their offsets.
    Arrays(&'a [Part<'a, 'b>], StagePolicy),
    /// Bytes as they are.
    Bytes(&'a [u8]),
}

/// One crossing towards the device.
pub(crate) struct Upload<'a, 'b> {
    pub label: &'a str,
    pub call: Call<'a>,
    pub usage: wgpu::BufferUsages,
    pub payload_bytes: u64,
    /// The size of the new buffer, which is also what moves.
    pub total_bytes: u64,
    pub source: Source<'a, 'b>,
}

impl<'a> Upload<'a, '_> {
    /// Makes the upload of a plan's parameter block; none of a plan without parameters.
    pub(super) fn parameters(plan: &'a Plan, call: Call<'a>) -> Option<Self> {
        let block = Some(plan.block()).filter(|block| !block.is_empty())?;
        Some(Upload {
            label: "parameters",
            call,
            usage: wgpu::BufferUsages::UNIFORM
                | wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::COPY_DST,
            payload_bytes: plan.block_payload(),
            total_bytes: block.len() as u64,
            source: Source::Bytes(block),
        })
    }
}

/// What an upload has made.
pub(crate) struct Uploaded {
    /// The buffer of each part, or of the bytes, and where it begins there.
    pub places: Vec<(Arc<Storage>, u64)>,
    pub reports: Vec<PackReport>,
}

/// Gives the mapped buffer back to its pool when filling it fails.
struct Lease {
    buffer: Option<wgpu::Buffer>,
    returner: Returner,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.returner.give_back(buffer);
        }
    }
}

impl Inner {
    /// Moves data into a new buffer of the device: exactly one crossing.
    ///
    /// When packing fails nothing has moved: the mapped buffer is reused as it is.
    pub(super) fn upload_to(&self, gpu: &Gpu, upload: &Upload<'_, '_>) -> Result<Uploaded> {
        let doing = format!("uploading \"{}\"", upload.label);
        self.check_size(upload)?;
        let padding = upload.total_bytes - upload.payload_bytes;
        let permit = self.ledger.permit(
            Direction::HostToDevice,
            upload.call,
            upload.label,
            upload.payload_bytes,
            padding,
        )?;
        let internal = self.ledger.permit(
            Direction::DeviceInternal,
            upload.call,
            upload.label,
            upload.payload_bytes,
            padding,
        )?;
        gpu.make_way(&doing)?;
        gpu.fault.poll(&gpu.device, &doing)?;
        let target = self.create_buffer(upload.label, upload.total_bytes, upload.usage, false)?;
        let staging = gpu.uploads.take(self, upload.total_bytes)?;
        let mut lease = Lease { buffer: Some(staging.clone()), returner: gpu.uploads.returner() };
        let started = Instant::now();
        let reports = fill(&doing, &staging, upload)
            .map_err(|error| gpu.fault.explain(&gpu.device, &doing, error))?;
        let packed = Instant::now();
        lease.buffer = None;
        gpu.fault.watch(&gpu.device, &doing, upload.total_bytes, || {
            staging.unmap();
            let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor {
                label: Some(upload.label),
            });
            encoder.copy_buffer_to_buffer(&staging, 0, &target, 0, upload.total_bytes);
            gpu.queue.submit([encoder.finish()]);
        })?;
        gpu.recycle(&doing, staging);
        gpu.fault.confirm(&gpu.device, &doing)?;
        let phases = Phases::from([
            ("pack", nanoseconds(packed - started)),
            ("submit", nanoseconds(packed.elapsed())),
        ]);
        permit.record(Method::MappedUpload, phases);
        internal.record(Method::BufferCopy, Phases::new());
        let target = Storage::gpu(target);
        let offsets = match &upload.source {
            Source::Arrays(parts, _) => parts.iter().map(|part| part.offset_bytes).collect(),
            Source::Bytes(_) => vec![0],
        };
        let places = offsets.into_iter().map(|offset| (Arc::clone(&target), offset)).collect();
        Ok(Uploaded { places, reports })
    }

    /// Refuses an upload that no buffer can hold.
    pub(super) fn check_size(&self, upload: &Upload<'_, '_>) -> Result<()> {
        if upload.total_bytes <= self.limits.max_buffer_size {
            return Ok(());
        }
        Err(Error::Limit {
            node: format!("uploading \"{}\"", upload.label),
            tensor: format!("\"{}\"", upload.label),
            needed: upload.total_bytes,
            unit: "bytes",
            limit_name: "max_buffer_size".to_owned(),
            limit: Some(self.limits.max_buffer_size),
            remedy: "stage it in parts".to_owned(),
        })
    }
}

impl Gpu {
    /// Maps an upload buffer again once the device is done with it, for the next upload.
    fn recycle(&self, doing: &str, staging: wgpu::Buffer) {
        let returner = self.uploads.returner();
        let mapped = staging.clone();
        let map = || {
            staging.map_async(wgpu::MapMode::Write, .., move |result| {
                // An unmapped buffer is of no use: it is dropped, and the next upload makes one.
                if result.is_ok() {
                    returner.give_back(mapped);
                }
            });
        };
        // The upload is on its way; a device that refuses this has been lost since.
        if let Err(error) = self.fault.watch(&self.device, doing, 0, map) {
            log::debug!("no upload buffer is kept: {error}");
        }
    }
}

/// Fills the mapped buffer, padding with zeros: it may hold an earlier upload's bytes.
fn fill(doing: &str, staging: &wgpu::Buffer, upload: &Upload<'_, '_>) -> Result<Vec<PackReport>> {
    match &upload.source {
        Source::Bytes(bytes) => {
            write(doing, staging, 0, bytes)?;
            zero(doing, staging, bytes.len() as u64, upload.total_bytes)?;
            Ok(Vec::new())
        }
        Source::Arrays(parts, policy) => {
            let mut reports = Vec::with_capacity(parts.len());
            let mut written = 0;
            for part in *parts {
                zero(doing, staging, written, part.offset_bytes)?;
                // An array in memory has a length that a machine word holds.
                let len = usize::try_from(part.bytes).unwrap_or(usize::MAX);
                let (target, finish) = mapped::open(staging, part.offset_bytes, len);
                reports.push(part.array.pack_into(*policy, target)?);
                finish.finish(doing)?;
                written = part.offset_bytes + part.bytes;
            }
            zero(doing, staging, written, upload.total_bytes)?;
            Ok(reports)
        }
    }
}

/// Writes bytes into a mapped buffer.
fn write(doing: &str, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
    let (mut target, finish) = mapped::open(buffer, offset, bytes.len());
    target.write(0, bytes);
    drop(target);
    finish.finish(doing)
}

/// Zeroes the padding between `from` and `to`, which is shorter than one alignment.
fn zero(doing: &str, buffer: &wgpu::Buffer, from: u64, to: u64) -> Result<()> {
    let padding = [0; PACKED_ALIGNMENT];
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(padding.len());
    match padding.get(..length) {
        Some([]) => Ok(()),
        Some(zeros) => write(doing, buffer, from, zeros),
        None => Err(Error::Device {
            doing: doing.to_owned(),
            message: format!("{length} bytes of padding"),
            remedy: crate::error::BUG.to_owned(),
        }),
    }
}
