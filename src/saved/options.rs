//! The options of operations as a description writes them.
//!
//! Each type stands for one of the graph's and has the same members, so that one that is added
//! there does not compile here until it has a name in the format.

use serde::{Deserialize, Serialize};

use crate::ops::BinaryOp;
use crate::ops::normalization::batch_normalization;
use crate::ops::normalization::moments;
use crate::ops::normalization::moments::Part;
use crate::ops::normalization::normalization;
use crate::serial::{length, number, shape};
use crate::shape::Shape;

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
