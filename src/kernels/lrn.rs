//! Local response normalisation across channels.

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
pub use crate::ops::normalization::lrn::Geometry;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/lrn.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    channels: u32,
    inner: u32,
    before: u32,
    after: u32,
    factor: f32,
    beta: f32,
    bias: f32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "lrn",
    source: SOURCE,
    entries: &["general"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write],
    fields: FIELDS,
};

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
    let Geometry { outer, channels, inner, beta, bias, .. } = *geometry;
    let threads = count(node, "the output", &[outer, channels, inner])?;
    let [before, after] = narrow(node, "the window", geometry.sides())?;
    let [channels, inner] = narrow(node, "the output", [channels, inner])?;
    let factor = geometry.factor();
    let params = Params { threads, channels, inner, before, after, factor, beta, bias };
    Ok(Launch {
        kernel: Kernel { family: Family::Lrn, entry: "general" },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
