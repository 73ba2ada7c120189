//! GPU compute for arrays: staged once, run by WGSL kernels, every crossing counted.

#![forbid(unsafe_code)]

pub mod array;
pub mod error;
pub mod graph;
pub mod kernels;
pub mod ledger;
pub mod plan;
pub mod shape;

pub use array::{HostArray, StagePolicy};
pub use error::{Error, Result};
pub use graph::{
    Activation, Conv2d, Conv2dTranspose, Coordinates, Dense, DepthwiseConv2d, Graph, Interpolation,
    LayerWeights, Padding, Pads, Resize2d, SeparableConv2d, Symbol, UpSampling2d, Weights,
};
pub use ledger::{Guard, Ledger};
pub use plan::Plan;
pub use shape::{Dim, Shape};
