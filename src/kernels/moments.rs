//! Mean and inverse deviation of each row.

use super::rows::rows;
use super::{Binding, Definition, Family, Kernel, Launch, count, fold};
use crate::error::Result;
use crate::ops::normalization::moments::Part;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/moments.wgsl"),
    include_str!("../../shaders/shared/rows.wgsl"),
    include_str!("../../shaders/shared/group.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    terms: u32,
    epsilon: f32,
    floor: f32,
    is_centered: u32,
    part: u32,
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
    stem: "moments",
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
    /// Which axes a row spans, one for each of the input's.
    pub reduced: Vec<bool>,
    /// Whether the mean is subtracted; otherwise it counts as 0.
    pub is_centered: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// Added to the root of the variance.
    pub floor: f32,
    /// What is written for each row.
    pub part: Part,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the device
/// can number; [`Error::Unsupported`](crate::error::Error::Unsupported) for axes that alternate
/// too often (never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let rows = rows(node, &geometry.input, &geometry.reduced)?;
    let part = match geometry.part {
        Part::Both => 0,
        Part::Mean => 1,
        Part::InverseDeviation => 2,
    };
    if geometry.part == Part::Both {
        count(node, "the output", &[rows.results as usize, 2])?;
    }
    let [kept1, kept2] = rows.kept;
    let [kept_stride0, kept_stride1, kept_stride2] = rows.kept_strides;
    let [run1, run2] = rows.runs;
    let [run_stride0, run_stride1, run_stride2] = rows.run_strides;
    let params = Params {
        threads: rows.threads(),
        terms: rows.terms,
        epsilon: geometry.epsilon,
        floor: geometry.floor,
        is_centered: geometry.is_centered.into(),
        part,
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
    let entry = if rows.is_shared { "shared_row" } else { "general" };
    Ok(Launch {
        kernel: Kernel { family: Family::Moments, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, rows.threads().into(), max_workgroups_per_dimension)?,
    })
}
