//! Operations, activations and stages as a description writes them.
//!
//! Each type has the members of the graph's, as those in `options.rs`.

use serde::{Deserialize, Serialize, Serializer};

use super::options::BinaryOpFormat;
use super::own::OwnText;
use crate::ops::convolution::conv2d;
use crate::ops::convolution::conv2d_transpose;
use crate::ops::movement::pad;
use crate::ops::movement::{concat, depth_to_space, gather, slice, tile, transpose};
use crate::ops::normalization::batch_normalization;
use crate::ops::normalization::lrn;
use crate::ops::normalization::moments;
use crate::ops::normalization::normalization;
use crate::ops::pooling::pool2d;
use crate::ops::product::matmul;
use crate::ops::reduction::{reduce, softmax};
use crate::ops::resampling::grid_sample;
use crate::ops::{Activation, BinaryOp, Op, Resampling, Stage};
use crate::own::Bound;
use crate::serial::number;

/// An operation with its options. An own kernel is written here, and read by [`OwnText`], as it
/// needs the kernel.
#[derive(Serialize, Deserialize)]
pub(super) struct OpText(#[serde(with = "OpFormat")] pub Op);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Op", rename_all = "snake_case", deny_unknown_fields)]
enum OpFormat {
    Input,
    Resize2d(Resampling),
    Conv2d(conv2d::Resolved),
    Conv2dTranspose(conv2d_transpose::Resolved),
    Dense,
    #[serde(rename = "matmul")]
    MatMul(matmul::Resolved),
    Activation(#[serde(with = "ActivationFormat")] Activation),
    BatchNormalization(batch_normalization::Resolved),
    Softmax(softmax::Softmax),
    Binary(#[serde(with = "BinaryOpFormat")] BinaryOp),
    LogSoftmax(softmax::LogSoftmax),
    Hardmax(softmax::Hardmax),
    Lrn(lrn::Resolved),
    Moments(moments::Resolved),
    Normalization(normalization::Resolved),
    Reduce(reduce::Resolved),
    #[serde(skip_deserializing, serialize_with = "own")]
    Own(Bound),
    Reshape,
    #[serde(rename = "where")]
    Select,
    Concat(concat::Resolved),
    Constant,
    DepthToSpace(depth_to_space::DepthToSpace),
    Expand,
    Gather(gather::Resolved),
    GridSample(grid_sample::Resolved),
    Pad(pad::Resolved),
    Pool2d(pool2d::Resolved),
    Slice(slice::Resolved),
    SpaceToDepth(depth_to_space::SpaceToDepth),
    Tile(tile::Resolved),
    Transpose(transpose::Resolved),
}

fn own<S: Serializer>(call: &Bound, serializer: S) -> Result<S::Ok, S::Error> {
    OwnText::from(call).serialize(serializer)
}

/// An element-wise function of a result.
#[derive(Serialize, Deserialize)]
pub(super) struct StageText(#[serde(with = "StageFormat")] pub Stage);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stage", rename_all = "snake_case", deny_unknown_fields)]
enum StageFormat {
    Unary(#[serde(with = "ActivationFormat")] Activation),
    Binary {
        #[serde(with = "BinaryOpFormat")]
        operation: BinaryOp,
        swapped: bool,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Activation", rename_all = "snake_case", deny_unknown_fields)]
enum ActivationFormat {
    Linear,
    Relu,
    Relu6,
    LeakyRelu(#[serde(with = "number")] f32),
    Elu(#[serde(with = "number")] f32),
    Selu,
    Sigmoid,
    HardSigmoid,
    Tanh,
    Softplus,
    Softsign,
    Silu,
    HardSilu,
    Gelu,
    GeluTanh,
    Exponential,
    Mish,
    Affine {
        #[serde(with = "number")]
        scale: f32,
        #[serde(with = "number")]
        offset: f32,
    },
    Clip {
        #[serde(with = "number")]
        min: f32,
        #[serde(with = "number")]
        max: f32,
    },
    Celu(#[serde(with = "number")] f32),
    SeluWith {
        #[serde(with = "number")]
        alpha: f32,
        #[serde(with = "number")]
        gamma: f32,
    },
    HardSigmoidWith {
        #[serde(with = "number")]
        alpha: f32,
        #[serde(with = "number")]
        beta: f32,
    },
    Swish(#[serde(with = "number")] f32),
    ThresholdedRelu(#[serde(with = "number")] f32),
    Abs,
    Negative,
    Sqrt,
    Reciprocal,
    Floor,
    Ceil,
    Round,
    Sign,
    LogicalNot,
    Log,
    Erf,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    IsNan,
    IsInf {
        positive: bool,
        negative: bool,
    },
    Softmax,
}
