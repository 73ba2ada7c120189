//! Softmax over one axis, its logarithm, and hardmax.

use super::rows::rows;
use super::{Binding, Definition, Family, Kernel, Launch, fold};
use crate::error::Result;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/softmax.wgsl"),
    include_str!("../../shaders/shared/rows.wgsl"),
    include_str!("../../shaders/shared/group.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    function: u32,
    terms: u32,
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
    stem: "softmax",
    source: SOURCE,
    entries: &["general", "others", "shared_row"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What becomes of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Function {
    /// `exp(x - max) / sum(exp(x - max))`.
    #[default]
    Softmax,
    /// Its logarithm.
    LogSoftmax,
    /// 1 where the first of the largest is, 0 elsewhere.
    Hardmax,
}

/// What to compute: input and output are (outer, length, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the axis.
    pub outer: usize,
    /// The axis's length.
    pub length: usize,
    /// The product of the lengths behind the axis.
    pub inner: usize,
    /// What becomes of a row.
    pub function: Function,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number, or a row is longer than 2^24.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { outer, length, inner, function } = *geometry;
    let rows = rows(node, &[outer, length, inner], &[false, true, false])?;
    let entry = match function {
        _ if rows.is_shared => "shared_row",
        Function::Softmax => "general",
        Function::LogSoftmax | Function::Hardmax => "others",
    };
    // An axis of length 0 has rows, but nothing in them to write.
    let threads = if rows.terms == 0 { 0 } else { rows.threads() };
    let [kept1, kept2] = rows.kept;
    let [kept_stride0, kept_stride1, kept_stride2] = rows.kept_strides;
    let [run1, run2] = rows.runs;
    let [run_stride0, run_stride1, run_stride2] = rows.run_strides;
    let params = Params {
        threads,
        function: match function {
            Function::Softmax => 0,
            Function::LogSoftmax => 1,
            Function::Hardmax => 2,
        },
        terms: rows.terms,
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
        kernel: Kernel { family: Family::Softmax, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
