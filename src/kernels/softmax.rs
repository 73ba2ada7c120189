//! Softmax over one axis.

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/softmax.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! { threads: u32, length: u32, inner: u32 }

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "softmax",
    source: SOURCE,
    entries: &["general"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What to compute: input and output are (outer, length, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the axis.
    pub outer: usize,
    /// The axis's length.
    pub length: usize,
    /// The product of the lengths behind the axis.
    pub inner: usize,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { outer, length, inner } = *geometry;
    let elements = count(node, "the output", &[outer, length, inner])?;
    // An axis of length 0 has rows, but nothing in them to write.
    let threads = if elements == 0 { 0 } else { count(node, "the rows", &[outer, inner])? };
    let [length, inner] = narrow(node, "the output", [length, inner])?;
    let params = Params { threads, length, inner };
    Ok(Launch {
        kernel: Kernel { family: Family::Softmax, entry: "general" },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
