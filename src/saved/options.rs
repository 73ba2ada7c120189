//! The options of operations as a description writes them.
//!
//! Each type stands for one of the graph's and has the same members, so that one that is added
//! there does not compile here until it has a name in the format.

use serde::{Deserialize, Serialize};

use super::{length, number, shape};
use crate::graph::moments::Part;
use crate::graph::reduce::Operation;
use crate::graph::{
    BinaryOp, DepthMode, GridPadding, GridSampleMode, PadMode, Pads, Pair, PoolMode, ReduceOp,
    batch_normalization, conv2d, conv2d_transpose, depth_to_space, grid_sample, lrn, matmul,
    moments, normalization, pad, pool2d, reduce,
};
use crate::shape::Shape;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pair", deny_unknown_fields)]
pub(super) struct PairFormat {
    #[serde(with = "length")]
    height: usize,
    #[serde(with = "length")]
    width: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Pads", deny_unknown_fields)]
pub(super) struct PadsFormat {
    #[serde(with = "length")]
    top: usize,
    #[serde(with = "length")]
    bottom: usize,
    #[serde(with = "length")]
    left: usize,
    #[serde(with = "length")]
    right: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "conv2d::Resolved", deny_unknown_fields)]
pub(super) struct Conv2dFormat {
    #[serde(with = "PairFormat")]
    strides: Pair,
    #[serde(with = "PairFormat")]
    dilation: Pair,
    #[serde(with = "PadsFormat")]
    pads: Pads,
    #[serde(with = "PairFormat")]
    kernel_size: Pair,
    #[serde(with = "length")]
    groups: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "conv2d_transpose::Resolved", deny_unknown_fields)]
pub(super) struct Conv2dTransposeFormat {
    #[serde(with = "PairFormat")]
    strides: Pair,
    #[serde(with = "PairFormat")]
    dilation: Pair,
    #[serde(with = "PairFormat")]
    crop: Pair,
    #[serde(with = "PairFormat")]
    kernel_size: Pair,
    #[serde(with = "length")]
    groups: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "matmul::Resolved", deny_unknown_fields)]
pub(super) struct MatMulFormat {
    transpose_left: bool,
    transpose_right: bool,
    #[serde(with = "number")]
    alpha: f32,
    #[serde(with = "number")]
    beta: f32,
    has_addend: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "batch_normalization::Resolved", deny_unknown_fields)]
pub(super) struct BatchNormalizationFormat {
    #[serde(with = "length")]
    axis: usize,
    #[serde(with = "number")]
    epsilon: f32,
    center: bool,
    scale: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "lrn::Resolved", deny_unknown_fields)]
pub(super) struct LrnFormat {
    #[serde(with = "length")]
    axis: usize,
    #[serde(with = "length")]
    size: usize,
    #[serde(with = "number")]
    alpha: f32,
    #[serde(with = "number")]
    beta: f32,
    #[serde(with = "number")]
    bias: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Part", rename_all = "snake_case")]
enum PartFormat {
    Both,
    Mean,
    InverseDeviation,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "moments::Resolved", deny_unknown_fields)]
pub(super) struct MomentsFormat {
    #[serde(with = "shape")]
    split: Shape,
    reduced: Vec<bool>,
    is_centered: bool,
    #[serde(with = "number")]
    epsilon: f32,
    #[serde(with = "number")]
    floor: f32,
    #[serde(with = "PartFormat")]
    part: Part,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "normalization::Resolved", deny_unknown_fields)]
pub(super) struct NormalizationFormat {
    #[serde(with = "shape")]
    split: Shape,
    reduced: Vec<bool>,
    #[serde(with = "length::option_list")]
    scale: Option<Vec<usize>>,
    #[serde(with = "length::option_list")]
    bias: Option<Vec<usize>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ReduceOp", rename_all = "snake_case")]
enum ReduceOpFormat {
    Mean,
    Sum,
    Max,
    Min,
    Prod,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Operation", rename_all = "snake_case", deny_unknown_fields)]
enum OperationFormat {
    Value(#[serde(with = "ReduceOpFormat")] ReduceOp),
    Position { largest: bool, last: bool },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "reduce::Resolved", deny_unknown_fields)]
pub(super) struct ReduceFormat {
    #[serde(with = "OperationFormat")]
    operation: Operation,
    reduced: Vec<bool>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "DepthMode", rename_all = "snake_case")]
enum DepthModeFormat {
    Dcr,
    Crd,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "depth_to_space::Resolved", deny_unknown_fields)]
pub(super) struct DepthToSpaceFormat {
    #[serde(with = "length")]
    block_size: usize,
    #[serde(with = "DepthModeFormat")]
    mode: DepthMode,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GridSampleMode", rename_all = "snake_case")]
enum GridSampleModeFormat {
    Nearest,
    Linear,
    Cubic,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GridPadding", rename_all = "snake_case")]
enum GridPaddingFormat {
    Zeros,
    Border,
    Reflection,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "grid_sample::Resolved", deny_unknown_fields)]
pub(super) struct GridSampleFormat {
    #[serde(with = "GridSampleModeFormat")]
    mode: GridSampleMode,
    #[serde(with = "GridPaddingFormat")]
    padding_mode: GridPadding,
    align_corners: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PadMode", rename_all = "snake_case")]
enum PadModeFormat {
    Constant(#[serde(with = "number")] f32),
    Edge,
    Reflect,
    Wrap,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "pad::Resolved", deny_unknown_fields)]
pub(super) struct PadFormat {
    pads: Vec<[isize; 2]>,
    #[serde(with = "PadModeFormat")]
    mode: PadMode,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PoolMode", rename_all = "snake_case")]
enum PoolModeFormat {
    Max,
    Average,
    Lp(u16),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "pool2d::Resolved", deny_unknown_fields)]
pub(super) struct Pool2dFormat {
    #[serde(with = "PoolModeFormat")]
    mode: PoolMode,
    #[serde(with = "PairFormat")]
    kernel_size: Pair,
    #[serde(with = "PairFormat")]
    strides: Pair,
    #[serde(with = "PairFormat")]
    dilation: Pair,
    #[serde(with = "PadsFormat")]
    pads: Pads,
    count_include_pad: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "BinaryOp", rename_all = "snake_case")]
pub(super) enum BinaryOpFormat {
    Add,
    Multiply,
    Subtract,
    Divide,
    Power,
    Minimum,
    Maximum,
    PRelu,
    Fmod,
    Mod,
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
}
