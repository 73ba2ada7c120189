//! Operators: one file for each, with all that is known of it.
//!
//! A file has the options as users write them, the resolved operator that a node holds, and its
//! `Operator`: checks and shape rule, computation, and what passes ask. [`Op`] lists them all.

mod checks;
mod constant;
pub mod convolution;
pub mod elementwise;
pub mod epilogue;
mod input;
pub mod movement;
pub mod normalization;
#[allow(dead_code, reason = "operators move here one by one")]
mod operator;
mod own;
pub mod pooling;
pub mod product;
pub mod reduction;
pub mod resampling;

pub use convolution::conv1d::{Conv1d, DepthwiseConv1d, SeparableConv1d};
pub use convolution::conv1d_transpose::Conv1dTranspose;
pub use convolution::conv2d::{Conv2d, DepthwiseConv2d, SeparableConv2d};
pub use convolution::conv2d_transpose::Conv2dTranspose;
pub use convolution::line::Padding1d;
pub use convolution::window::{Padding, Pads, Pair};
pub use elementwise::activation::Activation;
pub use elementwise::binary::{BinaryOp, MAX_BROADCAST_RANK};
pub use elementwise::p_relu::PRelu;
pub use epilogue::{Epilogue, Stage};
pub use movement::depth_to_space::{DepthMode, DepthToSpace};
pub use movement::pad::{CenterCropPad, Pad, PadMode};
pub use movement::reshape::Reshape;
pub use movement::slice::{Slice, Split};
pub use normalization::batch_normalization::BatchNormalization;
pub use normalization::lrn::Lrn;
pub use normalization::normalization::{
    GroupNormalization, InstanceNormalization, LayerNormalization, LayerNormalized,
    MeanVarianceNormalization, RmsNormalization,
};
pub(crate) use operator::{Arguments, Operator, Shapes, around, reorder};
pub use pooling::pool2d::{MAX_POOL_POWER, PoolMode, Pooling};
pub use product::dense::Dense;
pub use product::matmul::{Gemm, MatMul};
pub use reduction::reduce::{ArgReduce, Reduce, ReduceOp};
pub use resampling::grid_sample::{GridPadding, GridSample, GridSampleMode};
pub use resampling::resize::{AspectRatio, Resize, ResizeMode};
pub use resampling::resize2d::{Coordinates, Interpolation, Resize2d, UpSampling2d};
pub use resampling::rule::{AxisMap, Filter, NearestMode, Resampling, Sampling, Scale};

use crate::error::Result;
use crate::graph::Node;
use crate::kernels::Work;
use crate::shape::Shape;
use convolution::{conv2d, conv2d_transpose};
use movement::{concat, depth_to_space, gather, pad, slice, tile, transpose};
use normalization::{batch_normalization, lrn, moments};
use pooling::pool2d;
use product::{dense, matmul};
use reduction::{reduce, softmax};
use resampling::grid_sample;

/// What a node computes, with every option resolved.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// A value that each run brings.
    Input,
    /// Resampling of one axis, or of two neighbours.
    Resize2d(Resampling),
    /// Convolution with resolved padding over images, or over lines as images of one row;
    /// weights: kernel, then bias.
    Conv2d(conv2d::Resolved),
    /// Transposed convolution with resolved cropping over images, or over lines as images of
    /// one row; weights: kernel, then bias.
    Conv2dTranspose(conv2d_transpose::Resolved),
    /// Matrix product on the last axis; weights: kernel, then bias.
    Dense,
    /// Matrix product of two operands, and of a third one added to it.
    MatMul(matmul::Resolved),
    /// An element-wise activation.
    Activation(Activation),
    /// Batch normalisation; weights: scale and bias where there are any, mean, variance.
    BatchNormalization(batch_normalization::Resolved),
    /// Softmax over one axis.
    Softmax(softmax::Softmax),
    /// An element-wise function of two operands.
    Binary(BinaryOp),
    /// Log-softmax over one axis.
    LogSoftmax(softmax::LogSoftmax),
    /// Hardmax over one axis.
    Hardmax(softmax::Hardmax),
    /// Local response normalisation.
    Lrn(lrn::Resolved),
    /// Mean and inverse deviation of each row.
    Moments(moments::Resolved),
    /// Normalisation; operands: x and its moments; weights: scale and bias where there are any.
    Normalization(normalization::normalization::Resolved),
    /// One number for each row that the reduced axes span.
    Reduce(reduce::Resolved),
    /// A kernel of the user's own, with the values of its parameters.
    Own(crate::own::Bound),
    /// The same elements in another shape; moves nothing.
    Reshape,
    /// Where a condition is not zero one value, else another one.
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
    /// A part of the operand, in steps; how many steps stands in the node's shape.
    Slice(slice::Resolved),
    /// Blocks of pixels gathered in the channels.
    SpaceToDepth(depth_to_space::SpaceToDepth),
    /// The operand repeated as a whole along each axis.
    Tile(tile::Resolved),
    /// The axes in another order.
    Transpose(transpose::Resolved),
}

impl Op {
    /// Returns what is known of the operator.
    pub(crate) fn operator(&self) -> Option<&dyn Operator> {
        match self {
            Op::BatchNormalization(operator) => Some(operator),
            Op::Concat(operator) => Some(operator),
            Op::Constant => Some(&constant::Constant),
            Op::Conv2d(operator) => Some(operator),
            Op::Conv2dTranspose(operator) => Some(operator),
            Op::Dense => Some(&dense::Rule),
            Op::DepthToSpace(operator) => Some(operator),
            Op::Expand => Some(&movement::expand::Expand),
            Op::Gather(operator) => Some(operator),
            Op::GridSample(operator) => Some(operator),
            Op::Hardmax(operator) => Some(operator),
            Op::Input => Some(&input::Input),
            Op::LogSoftmax(operator) => Some(operator),
            Op::Lrn(operator) => Some(operator),
            Op::MatMul(operator) => Some(operator),
            Op::Moments(operator) => Some(operator),
            Op::Normalization(operator) => Some(operator),
            Op::Own(operator) => Some(operator),
            Op::Pad(operator) => Some(operator),
            Op::Pool2d(operator) => Some(operator),
            Op::Reduce(operator) => Some(operator),
            Op::Reshape => Some(&movement::reshape::View),
            Op::Resize2d(operator) => Some(operator),
            Op::Slice(operator) => Some(operator),
            Op::Softmax(operator) => Some(operator),
            Op::SpaceToDepth(operator) => Some(operator),
            Op::Tile(operator) => Some(operator),
            Op::Transpose(operator) => Some(operator),
            _ => None,
        }
    }

    /// Checks operands and weights, and returns the shape of the value.
    pub(crate) fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        match self.operator() {
            Some(operator) => operator.infer(of),
            None => Err(of.count("rules", 0, "1")),
        }
    }

    /// Describes the steps of a node; see [`Operator::steps`].
    pub(crate) fn steps(&self, at: &Shapes) -> Option<Vec<(Work, Vec<usize>)>> {
        self.operator()?.steps(at)
    }

    /// Returns the operator over operands in another order of axes; see [`Operator::reordered`].
    pub(crate) fn reordered(&self, node: &Node, perm: &[usize]) -> Option<Op> {
        self.operator()?.reordered(node, perm)
    }

    /// Tells whether items of a batch are computed apart; see [`Operator::splits_along_batch`].
    pub(crate) fn splits_along_batch(&self) -> bool {
        self.operator().is_none_or(Operator::splits_along_batch)
    }

    pub(crate) fn is_moved(&self) -> bool {
        self.operator().is_some()
    }

    /// Returns the operation's name, as messages and plans print it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if let Some(operator) = self.operator() {
            return operator.name();
        }
        match self {
            Op::Activation(activation) => activation.name(),
            Op::Binary(operation) => operation.name(),
            Op::Select => "where",
            _ => "",
        }
    }
}
