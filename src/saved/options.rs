//! The options of operations as a description writes them.
//!
//! Each type stands for one of the graph's and has the same members, so that one that is added
//! there does not compile here until it has a name in the format.

use serde::{Deserialize, Serialize};

use crate::ops::BinaryOp;

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
