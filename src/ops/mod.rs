//! Operators: one file for each, with all that is known of it.
//!
//! A file has the options as users write them, the resolved operator that a node holds, and its
//! `Operator`: checks and shape rule, computation, and what passes ask. [`Op`] lists them all.

mod checks;
mod constant;
pub mod elementwise;
pub mod epilogue;
mod input;
mod operator;
mod own;

/// Convolutions and transposed convolutions.
pub mod convolution {
    pub mod conv1d;
    pub mod conv1d_transpose;
    pub mod conv2d;
    pub mod conv2d_transpose;
    pub mod convolve;
    pub mod convolve_transpose;
    pub mod line;
    pub mod space;
    pub mod window;
}

/// Operators that only move elements.
pub mod movement {
    pub mod concat;
    pub mod copy;
    pub mod depth_to_space;
    pub mod expand;
    pub mod gather;
    pub mod pad;
    pub mod reshape;
    pub mod slice;
    pub mod tile;
    pub mod transpose;
    pub mod view;
}

/// Normalizations.
pub mod normalization {
    pub mod batch_normalization;
    pub mod lrn;
    pub mod moments;
    #[expect(clippy::module_inception, reason = "the operator is called that")]
    pub mod normalization;
    mod options;
    mod rows;
}

/// Pooling over windows and over whole images.
pub mod pooling {
    pub mod global_pool2d;
    pub mod pool2d;
}

/// Matrix products.
pub mod product {
    pub mod dense;
    pub mod matmul;
}

/// Reductions along axes, running sums, the largest elements, and softmax.
pub mod reduction {
    pub mod cumsum;
    pub mod reduce;
    pub mod softmax;
    pub mod top_k;
}

/// Resampling of images, lines and volumes.
pub mod resampling {
    pub mod grid_sample;
    pub mod resize;
    pub mod resize2d;
    pub mod resize_axes;
    pub mod rule;
    pub mod up_sampling;
}

/// What a user of layers names: [`longshore`](crate) has it all at its root.
pub mod layers {
    pub use super::convolution::conv1d::{Conv1d, DepthwiseConv1d, SeparableConv1d};
    pub use super::convolution::conv1d_transpose::Conv1dTranspose;
    pub use super::convolution::conv2d::{Conv2d, DepthwiseConv2d, SeparableConv2d};
    pub use super::convolution::conv2d_transpose::Conv2dTranspose;
    pub use super::convolution::line::Padding1d;
    pub use super::convolution::window::{Padding, Pads};
    pub use super::elementwise::p_relu::PRelu;
    pub use super::elementwise::{Activation, BinaryOp, UnaryOp};
    pub use super::movement::depth_to_space::{DepthMode, DepthToSpace};
    pub use super::movement::pad::{CenterCropPad, Pad, PadMode};
    pub use super::movement::reshape::Reshape;
    pub use super::movement::slice::{Slice, Split};
    pub use super::normalization::batch_normalization::BatchNormalization;
    pub use super::normalization::lrn::Lrn;
    pub use super::normalization::normalization::{
        GroupNormalization, InstanceNormalization, LayerNormalization, LayerNormalized,
        MeanVarianceNormalization, RmsNormalization,
    };
    pub use super::pooling::pool2d::{PoolMode, Pooling};
    pub use super::product::dense::Dense;
    pub use super::product::matmul::{Gemm, MatMul};
    pub use super::reduction::cumsum::CumSum;
    pub use super::reduction::reduce::{ArgReduce, Reduce, ReduceOp};
    pub use super::reduction::top_k::{TopK, TopKOutputs};
    pub use super::resampling::grid_sample::{GridPadding, GridSample, GridSampleMode};
    pub use super::resampling::resize::Resize;
    pub use super::resampling::resize2d::{Coordinates, Interpolation, Resize2d, UpSampling2d};
}

pub use convolution::window::Pair;
pub use elementwise::binary::MAX_BROADCAST_RANK;
pub use epilogue::{Epilogue, Stage};
pub use layers::*;
pub(crate) use operator::{Arguments, Operator, Shapes, around, reorder};
pub use pooling::pool2d::MAX_POOL_POWER;
pub use resampling::resize::{AspectRatio, ResizeMode};
pub use resampling::rule::{AxisMap, Filter, NearestMode, Resampling, Sampling, Scale};

use serde::{Deserialize, Serialize};

use convolution::{conv2d, conv2d_transpose};
use movement::{concat, depth_to_space, gather, pad, slice, tile, transpose};
use normalization::{batch_normalization, lrn, moments};
use pooling::pool2d;
use product::{dense, matmul};
use reduction::{cumsum, reduce, softmax, top_k};
use resampling::grid_sample;

/// What a node computes, with every option resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Op {
    /// A value that each run brings.
    Input,
    /// Resampling of one axis, or of two neighbors.
    Resize2d(Resampling),
    /// Convolution with resolved padding over images, or over lines as images of one row;
    /// weights: kernel, then bias.
    Conv2d(conv2d::Resolved),
    /// Transposed convolution with resolved cropping over images, or over lines as images of
    /// one row; weights: kernel, then bias.
    Conv2dTranspose(conv2d_transpose::Resolved),
    /// Running sums along one axis.
    #[serde(rename = "cumsum")]
    CumSum(cumsum::Resolved),
    /// Matrix product on the last axis; weights: kernel, then bias.
    Dense,
    /// Matrix product of two operands, and of a third one added to it.
    #[serde(rename = "matmul")]
    MatMul(matmul::Resolved),
    /// An element-wise function of one operand.
    Activation(UnaryOp),
    /// Batch normalization; weights: scale and bias where there are any, mean, variance.
    BatchNormalization(batch_normalization::Resolved),
    /// Softmax over one axis.
    Softmax(softmax::Softmax),
    /// An element-wise function of two operands.
    Binary(BinaryOp),
    /// Log-softmax over one axis.
    LogSoftmax(softmax::LogSoftmax),
    /// Hardmax over one axis.
    Hardmax(softmax::Hardmax),
    /// Local response normalization.
    Lrn(lrn::Resolved),
    /// Mean and inverse deviation of each row.
    Moments(moments::Resolved),
    /// Normalization; operands: x and its moments; weights: scale and bias where there are any.
    Normalization(normalization::normalization::Resolved),
    /// One number for each row that the reduced axes span.
    Reduce(reduce::Resolved),
    /// A kernel of the user's own, with the values of its parameters.
    #[serde(skip_deserializing)]
    Own(crate::own::Bound),
    /// The same elements in another shape; moves nothing.
    Reshape,
    /// Where a condition is not zero one value, else another one.
    #[serde(rename = "where")]
    Select,
    /// Values joined along one axis, in the order of the operands.
    Concat(concat::Resolved),
    /// A value that is the node's one weight; moves nothing.
    Constant,
    /// Channels spread over blocks of pixels.
    DepthToSpace(depth_to_space::DepthToSpace),
    /// The operand repeated along axes of length 1, to the node's shape.
    Expand,
    /// Entries along one axis, picked by constant indices.
    Gather(gather::Resolved),
    /// The first operand at the places that the second gives.
    GridSample(grid_sample::Resolved),
    /// The operand cropped, and with something around it.
    Pad(pad::Resolved),
    /// Pooling with resolved padding.
    Pool2d(pool2d::Resolved),
    /// A part of the operand, in steps; the node's shape says how many steps.
    Slice(slice::Resolved),
    /// Blocks of pixels gathered in the channels.
    SpaceToDepth(depth_to_space::SpaceToDepth),
    /// The operand repeated as a whole along each axis.
    Tile(tile::Resolved),
    /// The largest or smallest elements along one axis, or where they are.
    TopK(top_k::Resolved),
    /// The axes in another order.
    Transpose(transpose::Resolved),
}

impl Op {
    /// Returns what is known of the operator.
    pub(crate) fn operator(&self) -> &dyn Operator {
        match self {
            Op::Activation(operator) => operator,
            Op::BatchNormalization(operator) => operator,
            Op::Binary(operator) => operator,
            Op::Concat(operator) => operator,
            Op::Constant => &constant::Constant,
            Op::Conv2d(operator) => operator,
            Op::Conv2dTranspose(operator) => operator,
            Op::CumSum(operator) => operator,
            Op::Dense => &dense::Rule,
            Op::DepthToSpace(operator) => operator,
            Op::Expand => &movement::expand::Expand,
            Op::Gather(operator) => operator,
            Op::GridSample(operator) => operator,
            Op::Hardmax(operator) => operator,
            Op::Input => &input::Input,
            Op::LogSoftmax(operator) => operator,
            Op::Lrn(operator) => operator,
            Op::MatMul(operator) => operator,
            Op::Moments(operator) => operator,
            Op::Normalization(operator) => operator,
            Op::Own(operator) => operator,
            Op::Pad(operator) => operator,
            Op::Pool2d(operator) => operator,
            Op::Reduce(operator) => operator,
            Op::Reshape => &movement::reshape::View,
            Op::Resize2d(operator) => operator,
            Op::Select => &elementwise::select::Select,
            Op::Slice(operator) => operator,
            Op::Softmax(operator) => operator,
            Op::SpaceToDepth(operator) => operator,
            Op::Tile(operator) => operator,
            Op::TopK(operator) => operator,
            Op::Transpose(operator) => operator,
        }
    }

    /// Returns the operator's name, as messages and plans print it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.operator().name()
    }
}
