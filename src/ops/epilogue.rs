//! Epilogues: element-wise stages that a kernel applies to each result before it is stored.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::Site;
use crate::ops::{BinaryOp, Op, UnaryOp};
use crate::shape::{Dim, Shape};

/// The most stages that a kernel applies.
pub const MAX_STAGES: usize = 4;

/// One element-wise function of a result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Stage {
    /// A function of the result alone.
    Unary(UnaryOp),
    /// A function of the result and an element of the node's extra operand.
    Binary {
        /// The function.
        operation: BinaryOp,
        /// Whether the extra operand is the left one.
        swapped: bool,
    },
}

impl Stage {
    /// Tells whether the stage reads the extra operand.
    #[must_use]
    pub fn reads_extra(&self) -> bool {
        matches!(self, Stage::Binary { .. })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Unary(function) => f.write_str(function.name()),
            Stage::Binary { operation, swapped: false } => write!(f, "{}", operation.name()),
            Stage::Binary { operation, swapped: true } => write!(f, "{} from", operation.name()),
        }
    }
}

/// Describes what happens to each result: stages in order, at most [`MAX_STAGES`].
///
/// At most one tensor takes part, the extra operand: a node's last. Result number `i` in C
/// order meets its element `i % period`, so it may have the result's shape, that of the
/// result's last axes, or one element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epilogue {
    /// The stages, the first one applied first.
    pub stages: Vec<Stage>,
    /// Elements of the extra operand; 0 without one.
    pub period: usize,
}

impl Epilogue {
    /// Tells whether the kernel has an extra operand to bind.
    #[must_use]
    pub fn has_extra(&self) -> bool {
        self.stages.iter().any(Stage::reads_extra)
    }
}

impl From<UnaryOp> for Epilogue {
    fn from(function: UnaryOp) -> Self {
        let is_stage = function != UnaryOp::Linear;
        let stages = is_stage.then_some(Stage::Unary(function)).into_iter().collect();
        Epilogue { stages, period: 0 }
    }
}

/// Writes the stages as plans print them: ` + add, relu`, or nothing.
impl fmt::Display for Epilogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, stage) in self.stages.iter().enumerate() {
            write!(f, "{}{stage}", if number == 0 { " + " } else { ", " })?;
        }
        Ok(())
    }
}

/// Returns how many of the stages a node's own operation takes.
pub(crate) fn own_stages(op: &Op) -> usize {
    usize::from(matches!(op, Op::Activation(function) if *function != UnaryOp::Linear))
}

/// Tells whether an operand, read in C order over and over, broadcasts to the shape: it has the
/// shape's last axes, or one element.
pub(crate) fn repeats_over(extra: &Shape, shape: &Shape) -> bool {
    let ones = extra.dims().iter().take_while(|&&dim| dim == Dim::Fixed(1)).count();
    let own = &extra.dims()[ones..];
    !own.contains(&Dim::Fixed(0)) && shape.dims().ends_with(own)
}

/// Checks that a node's kernel can apply these stages to a result of this shape.
pub(crate) fn check(
    node: &str,
    op: &Op,
    stages: &[Stage],
    extra: Option<&Shape>,
    shape: &Shape,
) -> Result<()> {
    let shown = extra.map_or_else(String::new, |extra| format!(", extra operand {extra}"));
    let site = Site::new(node, format!("result {shape}{shown}"));
    let refuse = |got: String, expected: &str, remedy: &str| {
        Err(site.refuse("stages", got, expected, remedy))
    };
    if stages.is_empty() {
        return Ok(());
    }
    if !op.operator().has_epilogue() {
        let got = format!("are {}", stages.len());
        return refuse(got, "its kernel applies none", "make nodes of their own of them");
    }
    let most = MAX_STAGES - own_stages(op);
    if stages.len() > most {
        let expected = format!("its kernel applies at most {most}");
        let remedy = "make nodes of their own of the others";
        return refuse(format!("are {}", stages.len()), &expected, remedy);
    }
    for stage in stages {
        if let Stage::Unary(function) = stage {
            function.check(node)?;
        }
    }
    match extra {
        Some(extra) if !repeats_over(extra, shape) => refuse(
            format!("take an operand of shape {extra}"),
            &format!("it must have the last axes of {shape}, or one element"),
            "use a node of two operands",
        ),
        _ => Ok(()),
    }
}
