//! Tensors: f32 data on a device.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Inner, Runtime};
use crate::error::{Error, Result};
use crate::graph::{StagedArray, Weight};
use crate::ledger::{Carried, Guard};
use crate::shape::byte_count;

static NEXT_BUFFER: AtomicU64 = AtomicU64::new(0);

/// A buffer that tensors lie in.
#[derive(Debug)]
pub(crate) struct Storage {
    /// Identifies the buffer in caches, as no address is ever reused.
    pub id: u64,
    pub memory: Memory,
    /// Whether the embedder has it too, so that it must never be reused.
    pub taken: AtomicBool,
}

/// Where the bytes of a buffer are.
#[derive(Debug)]
pub(crate) enum Memory {
    Gpu(wgpu::Buffer),
    Host(Vec<f32>),
}

impl Storage {
    pub(crate) fn new(memory: Memory) -> Arc<Self> {
        let id = NEXT_BUFFER.fetch_add(1, Ordering::Relaxed);
        Arc::new(Storage { id, memory, taken: AtomicBool::new(false) })
    }

    pub(crate) fn gpu(buffer: wgpu::Buffer) -> Arc<Self> {
        Storage::new(Memory::Gpu(buffer))
    }

    /// Returns the device's buffer, for those who have asked for the device before.
    pub(crate) fn buffer(&self) -> Option<&wgpu::Buffer> {
        match &self.memory {
            Memory::Gpu(buffer) => Some(buffer),
            Memory::Host(_) => None,
        }
    }
}

/// Names f32 data on a device: a shape, a label and a part of a buffer.
///
/// Cheap to clone; clones share the data. Its elements are never read implicitly:
/// [`Tensor::read`] is the only way back to the host.
///
/// ```
/// use longshore::Runtime;
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// let rt = Runtime::host();
/// let images = rt.stage("images", array![[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]])?;
/// assert_eq!((images.batch(), images.byte_len()), (3, 24));
///
/// // Part of a batch, on the device: nothing is copied.
/// let last = images.rows(2..3)?;
/// let mut values = [0.0; 2];
/// last.read_into(&mut values)?;
/// assert_eq!(values, [5.0, 6.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tensor {
    pub(crate) runtime: Arc<Inner>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) offset_bytes: u64,
    pub(crate) shape: Vec<usize>,
    pub(crate) label: Arc<str>,
    /// Guards that reading it is asked by, on every thread.
    pub(crate) guards: Carried,
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("label", &self.label)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Tensor {
    /// Returns the shape.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the length of the first dimension; 1 for a 0-d tensor.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// Returns the label that the ledger uses.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the same data under another label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Returns the same data with a guard that it carries: every read of it is asked, on every
    /// thread.
    #[must_use]
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.guards = self.guards.with(guard);
        self
    }

    /// Returns the size of the data, in bytes.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        // Every tensor's size was checked when it was made.
        byte_count(&self.label, &self.shape).unwrap_or(u64::MAX)
    }

    /// Returns a range of the first dimension as a tensor that shares the data.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when the range is not within the first dimension, or when it
    /// begins at an offset that the device cannot bind.
    pub fn rows(&self, rows: Range<usize>) -> Result<Tensor> {
        let refuse = |operand: &str, got: String, expected: String, remedy: &str| Error::Operand {
            node: format!("rows of \"{}\"", self.label),
            operand: operand.to_owned(),
            got,
            expected,
            shapes: format!("{} {:?}", self.label, self.shape),
            remedy: remedy.to_owned(),
        };
        let Some((&length, rest)) = self.shape.split_first() else {
            return Err(refuse(
                "tensor",
                "has no dimensions".to_owned(),
                "rows are taken from the first one".to_owned(),
                "reshape it on the host",
            ));
        };
        if rows.start > rows.end || rows.end > length {
            return Err(refuse(
                "range",
                format!("is {rows:?}"),
                format!("there are {length} rows"),
                "use a range within them",
            ));
        }
        let row_bytes = byte_count(&self.label, rest)?;
        let offset_bytes = self.offset_bytes + row_bytes * rows.start as u64;
        let alignment = u64::from(self.runtime.limits.min_storage_buffer_offset_alignment.max(1));
        if !rows.is_empty() && !offset_bytes.is_multiple_of(alignment) {
            return Err(refuse(
                "range",
                format!("begins at byte {offset_bytes}"),
                format!("the device binds multiples of {alignment} bytes"),
                "take rows in multiples that fit, or stage them apart",
            ));
        }
        let shape = std::iter::once(rows.len()).chain(rest.iter().copied()).collect();
        Ok(Tensor { offset_bytes, shape, ..self.clone() })
    }

    /// Returns the buffer with the data's offset and size in bytes.
    ///
    /// From here on longshore never reuses it, so the embedder may keep it.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the host executor.
    pub fn to_wgpu(&self) -> Result<(wgpu::Buffer, u64, u64)> {
        match &self.storage.memory {
            Memory::Gpu(buffer) => {
                self.storage.taken.store(true, Ordering::Release);
                Ok((buffer.clone(), self.offset_bytes, self.byte_len()))
            }
            Memory::Host(_) => Err(Error::Unsupported {
                node: format!("taking the buffer of \"{}\"", self.label),
                what: format!("a wgpu buffer on {}", self.runtime.ledger.adapter()),
                remedy: "read the tensor, or open an adapter".to_owned(),
            }),
        }
    }

    /// Returns the buffer, and where the data begins in it, in bytes.
    pub(super) fn place(&self) -> (&Arc<Storage>, u64) {
        (&self.storage, self.offset_bytes)
    }

    /// Returns the runtime that the tensor belongs to.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        Runtime { inner: Arc::clone(&self.runtime), guards: self.guards.clone() }
    }

    /// Returns this tensor as a layer's weight.
    pub(crate) fn to_weight(&self) -> Weight {
        Weight::staged(self.label.to_string(), Arc::new(self.clone()))
    }
}

impl StagedArray for Tensor {
    fn shape(&self) -> &[usize] {
        &self.shape
    }
}

impl From<&Tensor> for Weight {
    fn from(tensor: &Tensor) -> Self {
        tensor.to_weight()
    }
}

impl Runtime {
    /// Makes a tensor of a buffer that the embedder has filled; nothing is copied.
    ///
    /// `shape` is read in C order from `offset_bytes` on.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] on the host executor.
    /// [`Error::Operand`] when the buffer is too small, lacks the `STORAGE` usage (and
    /// `COPY_SRC`, which reading needs), or the offset is not one the device can bind.
    pub fn wrap(
        &self,
        label: impl Into<Arc<str>>,
        buffer: wgpu::Buffer,
        offset_bytes: u64,
        shape: &[usize],
    ) -> Result<Tensor> {
        let label = label.into();
        let doing = format!("wrap \"{label}\"");
        let gpu = self.inner.gpu(&doing)?;
        gpu.fault.confirm(&gpu.device, &doing)?;
        let refuse = |operand: &str, got: String, expected: String, remedy: &str| Error::Operand {
            node: format!("wrap \"{label}\""),
            operand: operand.to_owned(),
            got,
            expected,
            shapes: format!("{label} {shape:?}"),
            remedy: remedy.to_owned(),
        };
        let needed = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        if !buffer.usage().contains(needed) {
            return Err(refuse(
                "buffer",
                format!("has usage {:?}", buffer.usage()),
                format!("{needed:?} is needed"),
                "create it with these usages",
            ));
        }
        let bytes = byte_count(&label, shape)?;
        let end = offset_bytes.checked_add(bytes.max(4));
        if end.is_none_or(|end| end > buffer.size()) {
            return Err(refuse(
                "buffer",
                format!("has {} bytes", buffer.size()),
                format!("{bytes} bytes from byte {offset_bytes} on are needed (at least 4)"),
                "create a larger buffer",
            ));
        }
        let alignment = u64::from(self.limits().min_storage_buffer_offset_alignment.max(1));
        if !offset_bytes.is_multiple_of(alignment) {
            return Err(refuse(
                "offset",
                format!("is {offset_bytes}"),
                format!("the device binds multiples of {alignment} bytes"),
                "move the data",
            ));
        }
        let storage = Storage::gpu(buffer);
        storage.taken.store(true, Ordering::Release);
        let runtime = Arc::clone(&self.inner);
        let guards = self.guards.clone();
        Ok(Tensor { runtime, storage, offset_bytes, shape: shape.to_vec(), label, guards })
    }
}
