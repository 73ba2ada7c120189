//! Reductions: one number for each row that the reduced axes span.

use super::walk::walk;
use super::{Binding, Definition, Family, Kernel, Launch, fold};
use crate::error::{Error, Result};
use crate::graph::ReduceOp;
use crate::graph::reduce::Operation;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/reduce.wgsl"),
    include_str!("../../shaders/shared/walk.wgsl"),
    include_str!("../../shaders/shared/merge.wgsl"),
    include_str!("../../shaders/shared/group.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

/// The longest axis whose positions are all whole numbers of f32.
pub const MOST_POSITIONS: u32 = 1 << 24;

parameters! {
    threads: u32,
    terms: u32,
    kind: u32,
    finish: u32,
    identity: f32,
    kept1: u32,
    kept2: u32,
    kept_stride0: u32,
    kept_stride1: u32,
    kept_stride2: u32,
    run1: u32,
    run2: u32,
    run_stride: u32,
    run_carry1: u32,
    run_carry0: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "reduce",
    source: SOURCE,
    entries: &["general", "shared_row", "position"],
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

/// The shader's numbers: how terms are merged, what is done at the end, and what no terms give.
fn codes(operation: Operation, is_empty: bool) -> (u32, u32, f32) {
    match operation {
        // 0 / 0 is NaN, but WGSL does not promise it.
        Operation::Value(ReduceOp::Mean) => (0, 1, if is_empty { f32::NAN } else { 0.0 }),
        Operation::Value(ReduceOp::Sum) => (0, 0, 0.0),
        Operation::Value(ReduceOp::LogSum) => (0, 3, 0.0),
        Operation::Value(ReduceOp::L1) => (1, 0, 0.0),
        Operation::Value(ReduceOp::SumSquare) => (2, 0, 0.0),
        Operation::Value(ReduceOp::L2) => (2, 2, 0.0),
        Operation::Value(ReduceOp::LogSumExp) => (3, 3, 0.0),
        Operation::Value(ReduceOp::Max) => (4, 0, f32::NEG_INFINITY),
        Operation::Value(ReduceOp::Min) => (5, 0, f32::INFINITY),
        Operation::Value(ReduceOp::Prod) => (6, 0, 1.0),
        Operation::Position { largest, last } => {
            (u32::from(!largest) + 2 * u32::from(last), 0, 0.0)
        }
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number or, for a
/// position, 2^24; [`Error::Unsupported`] for axes that alternate too often (never at rank 6 or
/// below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let walk = walk(node, &geometry.input, &geometry.reduced)?;
    let is_position = matches!(geometry.operation, Operation::Position { .. });
    if is_position && walk.terms > MOST_POSITIONS {
        return Err(Error::Limit {
            node: node.to_owned(),
            tensor: "the axis".to_owned(),
            bytes: format!("{} positions", walk.terms),
            limit_name: "the largest whole number that f32 counts to".to_owned(),
            limit: MOST_POSITIONS.to_string(),
            remedy: "reduce a shorter axis".to_owned(),
        });
    }
    let (entry, threads) = match (is_position, walk.is_shared) {
        (true, _) => ("position", walk.results),
        // `walk` shares no more rows than have numbers for 64 threads each.
        (false, true) => ("shared_row", walk.results.saturating_mul(super::WORKGROUP_SIZE)),
        (false, false) => ("general", walk.results),
    };
    let (kind, finish, identity) = codes(geometry.operation, walk.terms == 0);
    let [kept1, kept2] = walk.kept;
    let [kept_stride0, kept_stride1, kept_stride2] = walk.kept_strides;
    let [run1, run2] = walk.runs;
    let [run_carry1, run_carry0] = walk.run_carries;
    #[rustfmt::skip]
    let params = Params {
        threads, terms: walk.terms, kind, finish, identity,
        kept1, kept2, kept_stride0, kept_stride1, kept_stride2,
        run1, run2, run_stride: walk.run_stride, run_carry1, run_carry0,
    };
    Ok(Launch {
        kernel: Kernel { family: Family::Reduce, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
