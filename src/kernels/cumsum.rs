//! Running sums along one axis.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::reduction::cumsum::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("cumsum");

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
    let Geometry { outer, length, inner, exclusive, reverse } = *geometry;
    let elements = count(node, "the output", &[outer, length, inner])?;
    // An axis of length 0 has lines, but nothing in them to write.
    let threads = if elements == 0 { 0 } else { count(node, "the output", &[outer, inner])? };
    let [length, inner] = narrow(node, "the output", [length, inner])?;
    SHADER
        .launch(node, "general", threads)
        .set("length", length)
        .set("inner", inner)
        .set("exclusive", u32::from(exclusive))
        .set("reverse", u32::from(reverse))
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, _entry: &str) -> u64 {
    g.length as u64
}
