//! Batch normalization by known means and variances.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::normalization::batch_normalization::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("batch_normalization");

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
    let Geometry { outer, channels, inner, has_scale, has_bias, epsilon, .. } = *geometry;
    let threads = count(node, "the output", &[outer, channels, inner])?;
    let [channels, inner] = narrow(node, "the output", [channels, inner])?;
    SHADER
        .launch(node, "general", threads)
        .set("channels", channels)
        .set("inner", inner)
        .set("has_scale", u32::from(has_scale))
        .set("has_bias", u32::from(has_bias))
        .set("epsilon", epsilon)
        .epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
