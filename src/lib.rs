//! GPU compute for arrays: staged once, run by WGSL kernels, every crossing counted.
//!
//! NumPy-style arrays become f32 GPU buffers once, outside of the pipeline; a
//! network of Keras's layers runs on what is already there; every byte that crosses
//! between host and device is recorded in a ledger, and an unplanned crossing can be
//! forbidden.
//!
//! # The way through
//!
//! 1. [`HostArray`]: an array of any NumPy dtype, from `.npy`, `.npz`, `ndarray` or bytes.
//! 2. [`Runtime::stage`]: packed to f32 and uploaded, in one crossing; gives a [`Tensor`].
//! 3. [`Graph`]: [`Symbol`]s and layers; every shape is checked while it is built.
//! 4. [`Runtime::session`]: a [`Plan`] for one batch size within the device's limits, then
//!    pipelines, buffers and one parameter upload; gives a [`Session`]. [`Graph::plan`], which
//!    needs no device, and [`Runtime::prepare`] are its halves.
//! 5. [`Session::run`]: nothing crosses.
//! 6. [`Tensor::read`]: the one download.
//! 7. [`Runtime::ledger`]: what crossed, and how long it took.
//!
//! ```no_run
//! use longshore::Activation::{Relu, Softmax};
//! use longshore::{Conv2d, Dense, Graph, HostArray, Runtime, Shape, UpSampling2d, Weights};
//!
//! # fn main() -> longshore::Result<()> {
//! let rt = Runtime::open()?;
//! let images = rt.stage("images", HostArray::read("images.npy")?)?;
//! let weights = Weights::read_npz("weights.npz")?;
//!
//! let mut g = Graph::new();
//! let x = g.input("image", Shape::batch([8, 8, 1]));
//! let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
//! let x = g.conv2d(x, Conv2d::new(32, (3, 3)).activation(Relu), weights.layer("conv")?)?;
//! let x = g.flatten(x)?;
//! let y = g.dense(x, Dense::new(10).activation(Softmax), weights.layer("dense")?)?;
//! g.output("probabilities", y);
//!
//! let session = rt.session(&g, images.batch())?;
//! let run = rt.forbid_crossings(|| session.run([("image", &images)]))?;
//! let probabilities = run.output("probabilities")?.read()?;
//! println!("{probabilities}\n{}", rt.ledger());
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
// What only a feature uses that is left out is compiled all the same, and then unused.
#![cfg_attr(
    not(all(feature = "host", feature = "import", feature = "npz", feature = "saved")),
    allow(dead_code, unused_imports)
)]

#[cfg(target_endian = "big")]
compile_error!("longshore needs a little-endian host: device memory is little-endian");

pub mod array;
pub mod data;
pub mod error;
pub mod file;
pub mod graph;
#[cfg(feature = "import")]
pub mod import;
pub mod ledger;
pub mod misuse;
pub mod ops;
pub mod own;
pub mod passes;
pub mod plan;
#[cfg(feature = "saved")]
pub mod saved;
mod serial;
pub mod shape;

mod device;
#[cfg_attr(not(feature = "host"), path = "host/missing.rs")]
#[cfg_attr(not(feature = "internals"), allow(dead_code, reason = "tests run single steps"))]
mod host;
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, reason = "tests compare it with the shaders")
)]
mod kernels;

pub use array::{HostArray, StagePolicy};
pub use device::{
    AdapterInfo, Backend, PowerPreference, Run, Runtime, RuntimeOptions, Session, Tensor, Warning,
    adapters,
};
pub use error::{Error, Result};
pub use graph::{Graph, LayerWeights, Symbol, Weights};
pub use ledger::{Guard, Ledger};
pub use ops::layers::*;
pub use own::{OwnCall, OwnKernel};
pub use passes::Passes;
pub use plan::{Plan, PlanOptions};
#[cfg(feature = "saved")]
pub use saved::Saved;
pub use shape::{Dim, Shape};
// The version whose devices and buffers can be handed in and out.
pub use wgpu;

/// For this repository's own tests and benches; no promises.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub mod host {
        pub use crate::host::*;
    }
    pub mod kernels {
        pub use crate::kernels::*;
    }
}

/// Compiles the code of the README and of the pages with the documentation tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/async.md")]
    mod async_programs {}
    #[doc = include_str!("../docs/embedding.md")]
    mod embedding {}
    #[doc = include_str!("../docs/ledger.md")]
    mod ledger {}
    #[doc = include_str!("../docs/onnx.md")]
    mod onnx {}
    #[doc = include_str!("../docs/testing.md")]
    mod testing {}
}
