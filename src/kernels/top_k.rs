//! The largest or smallest elements along one axis, and where they are.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::reduction::top_k::{Geometry, Part};

/// The family's WGSL.
pub static SHADER: Shader = shader!("top_k");

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
    let Geometry { outer, length, inner, k, largest, part } = *geometry;
    let threads = count(node, "the input", &[outer, length, inner])?;
    count(node, "the output", &[outer, k, inner])?;
    let [length, inner, k] = narrow(node, "the input", [length, inner, k])?;
    SHADER
        .launch(node, "general", threads)
        .set("length", length)
        .set("inner", inner)
        .set("k", k)
        .set("is_largest", u32::from(largest))
        .set("is_index", u32::from(part == Part::Indices))
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, _entry: &str) -> u64 {
    g.length as u64
}
