//! Arrays in host memory, and their way into f32.
//!
//! A [`HostArray`] is an n-d array of any NumPy dtype, wherever it came from: a `.npy` file
//! ([`HostArray::read`]), an `.npz` archive ([`Npz`], [`read_npz`]), an `ndarray` array or view with
//! any strides (`From`), or plain bytes with a dtype and a shape ([`HostArray::from_bytes_with`]).
//! Nothing is converted when one is made; [`HostArray::pack`] and [`HostArray::pack_into`] convert
//! it once, to contiguous C-order little-endian f32, by the rule of a [`StagePolicy`], and say in a
//! [`PackReport`] what that did to the values.
//!
//! ```
//! use longshore::array::{HostArray, StagePolicy};
//! use ndarray::array;
//!
//! # fn main() -> longshore::Result<()> {
//! let image = HostArray::from(array![[0.1_f64, 0.2], [0.3, f64::NAN]]).with_name("image");
//! let refused = image.pack(StagePolicy::new()).unwrap_err();
//! assert!(refused.to_string().contains("the first is NaN at [1, 1]"));
//!
//! let (values, report) = image.pack(StagePolicy::new().replace_non_finite(0.0))?;
//! assert_eq!(values[[1, 1]], 0.0);
//! assert_eq!(report.replaced_count, 1);
//! # Ok(())
//! # }
//! ```

mod convert;
mod dtype;
mod element;
mod gather;
mod host_array;
#[cfg(feature = "image")]
mod image;
mod npy;
mod npy_header;
mod npy_literal;
mod npy_write;
#[cfg(feature = "npz")]
mod npz;
#[cfg(feature = "npz")]
mod npz_write;
mod pack;
mod pack_parts;
mod policy;
mod report;
mod storage;

pub use dtype::{ByteOrder, DType, Order};
pub use element::Element;
pub use host_array::HostArray;
#[cfg(feature = "image")]
pub use image::{Sample, to_image};
pub use npy::NpyFile;
#[cfg(feature = "npz")]
pub use npz::{Npz, read_npz, read_npz_with};
#[cfg(feature = "saved")]
pub(crate) use npz_write::write_npz_to;
#[cfg(feature = "npz")]
pub use npz_write::{NpzCompression, write_npz, write_npz_with};
pub use pack::PackTarget;
pub use policy::{NonFinite, StagePolicy};
pub use report::{PackReport, SourceOrder};
