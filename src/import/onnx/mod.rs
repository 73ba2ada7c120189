//! ONNX models as graphs.
//!
//! [`OnnxModel::read`] reads a file, [`OnnxModel::import`] makes a [`Graph`](crate::Graph) of it. Shapes,
//! axes and whatever else a model computes of constants is computed once, while importing;
//! what is left is f32. Dimensions that the model names are bound by [`ImportOptions`].
//!
//! Images stay in ONNX's order of axes (batch, channels, height, width) at the network's inputs
//! and outputs. Layers work on (batch, height, width, channels), so each is imported between two
//! transposes; the passes remove those that the mathematics does not need.

mod bind;
mod budget;
mod external;
mod fold;
mod fold_shape;
mod fold_whole;
mod importer;
mod model;
mod node;
mod numbers;
mod ops;
mod options;
mod order;
mod proto;
mod tensor;
mod value;
mod whole;

pub use model::{OnnxDim, OnnxModel, OnnxPort};
pub use ops::supported_operators;
pub use options::{ImportOptions, Imported};
