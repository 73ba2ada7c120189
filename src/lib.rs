//! GPU compute for arrays: staged once, run by WGSL kernels, every crossing counted.

#![forbid(unsafe_code)]

pub mod array;
pub mod error;
pub mod ledger;
pub mod shape;

pub use array::{HostArray, StagePolicy};
pub use error::{Error, Result};
pub use ledger::{Guard, Ledger};
pub use shape::{Dim, Shape};
