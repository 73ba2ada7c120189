//! Reductions: one number for each row that the reduced axes span.

use super::rows::{Kind, rows};
use super::trips::merge;
use super::{Launch, Shader, shader};
use crate::error::Result;
use crate::ops::ReduceOp;
pub use crate::ops::reduction::reduce::Geometry;
use crate::ops::reduction::reduce::Operation;

/// The family's WGSL.
pub static SHADER: Shader = shader!("reduce");

/// What a row goes through, in the shader's words.
pub(crate) struct Recipe {
    /// What finds m, and m of no terms.
    pub before: Option<(Kind, f32)>,
    pub kind: Kind,
    /// The result of no terms.
    pub identity: f32,
    pub finish: Finish,
}

/// What is done with a merged row: the numbers of `shaders/reduce.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Nothing = 0,
    Divide = 1,
    Root = 2,
    Log = 3,
}

/// What the shader takes for no first pass.
const NOTHING: u32 = 100;

impl Recipe {
    /// Returns what an operation takes; a mean of no terms is none.
    pub(crate) fn of(operation: Operation, is_empty: bool) -> Recipe {
        let maximum = (Kind::Maximum, f32::NEG_INFINITY);
        let minimum = (Kind::Minimum, f32::INFINITY);
        let (before, (kind, identity), finish) = match operation {
            Operation::Value(value) => match value {
                // 0 / 0 is NaN, but WGSL does not promise it.
                ReduceOp::Mean if is_empty => (None, (Kind::Sum, f32::NAN), Finish::Nothing),
                ReduceOp::Mean => (None, (Kind::Sum, 0.0), Finish::Divide),
                ReduceOp::Sum => (None, (Kind::Sum, 0.0), Finish::Nothing),
                ReduceOp::LogSum => (None, (Kind::Sum, 0.0), Finish::Log),
                ReduceOp::L1 => (None, (Kind::SumAbsolute, 0.0), Finish::Nothing),
                ReduceOp::SumSquare => (None, (Kind::SumSquares, 0.0), Finish::Nothing),
                ReduceOp::L2 => (None, (Kind::SumSquares, 0.0), Finish::Root),
                ReduceOp::LogSumExp => (Some(maximum), (Kind::SumExponentials, 0.0), Finish::Log),
                ReduceOp::Max => (None, maximum, Finish::Nothing),
                ReduceOp::Min => (None, minimum, Finish::Nothing),
                ReduceOp::Prod => (None, (Kind::Product, 1.0), Finish::Nothing),
            },
            Operation::Position { largest, last } => {
                let before = if largest { maximum } else { minimum };
                let found = if last { (Kind::Last, -1.0) } else { (Kind::First, f32::MAX) };
                (Some(before), found, Finish::Nothing)
            }
        };
        Recipe { before, kind, identity, finish }
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number, or a row is longer than 2^24;
/// [`Error::Unsupported`](crate::error::Error::Unsupported) for axes that alternate too often
/// (never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let rows = rows(node, &geometry.input, &geometry.reduced)?;
    let entry = if rows.is_shared { "shared_row" } else { "general" };
    let Recipe { before, kind, identity, finish } = Recipe::of(geometry.operation, rows.terms == 0);
    SHADER
        .launch(node, entry, rows.threads())
        .rows(&rows)
        .set("before", before.map_or(NOTHING, |(kind, _)| kind as u32))
        .set("before_identity", before.map_or(0.0, |(_, identity)| identity))
        .set("kind", kind as u32)
        .set("identity", identity)
        .set("finish", finish as u32)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    let first = u64::from(Recipe::of(g.operation, false).before.is_some());
    merge(entry, &g.input, &g.reduced).saturating_mul(1 + first)
}
