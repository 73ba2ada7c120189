//! Reductions: one number for each row that the reduced axes span.

use super::rows::{Kind, rows};
use super::{Binding, Definition, Family, Kernel, Launch, fold};
use crate::error::Result;
use crate::ops::ReduceOp;
use crate::ops::reduction::reduce::Operation;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/reduce.wgsl"),
    include_str!("../../shaders/shared/rows.wgsl"),
    include_str!("../../shaders/shared/group.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    terms: u32,
    before: u32,
    before_identity: f32,
    kind: u32,
    identity: f32,
    finish: u32,
    kept1: u32,
    kept2: u32,
    kept_stride0: u32,
    kept_stride1: u32,
    kept_stride2: u32,
    run1: u32,
    run2: u32,
    run_stride0: u32,
    run_stride1: u32,
    run_stride2: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "reduce",
    source: SOURCE,
    entries: &["general", "shared_row"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Which axes are reduced, one for each of the input's.
    pub reduced: Vec<bool>,
    /// What becomes of a row; positions take one reduced axis.
    pub operation: Operation,
}

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
    let [kept1, kept2] = rows.kept;
    let [kept_stride0, kept_stride1, kept_stride2] = rows.kept_strides;
    let [run1, run2] = rows.runs;
    let [run_stride0, run_stride1, run_stride2] = rows.run_strides;
    let params = Params {
        threads: rows.threads(),
        terms: rows.terms,
        before: before.map_or(NOTHING, |(kind, _)| kind as u32),
        before_identity: before.map_or(0.0, |(_, identity)| identity),
        kind: kind as u32,
        identity,
        finish: finish as u32,
        kept1,
        kept2,
        kept_stride0,
        kept_stride1,
        kept_stride2,
        run1,
        run2,
        run_stride0,
        run_stride1,
        run_stride2,
    };
    Ok(Launch {
        kernel: Kernel { family: Family::Reduce, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, rows.threads().into(), max_workgroups_per_dimension)?,
    })
}
