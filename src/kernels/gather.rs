//! Picking entries along one axis by constant indices.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::movement::gather::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("gather");

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::Error::Limit) when a size exceeds what the kernel or the device
/// can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { outer, length, inner, ref indices } = *geometry;
    count(node, "the input", &[outer, length, inner])?;
    let elements = count(node, "the result", &[outer, indices.len(), inner])?;
    let four = elements > 0 && inner.is_multiple_of(4);
    let (entry, inner, threads) =
        if four { ("gather4", inner / 4, elements / 4) } else { ("gather", inner, elements) };
    let [length, number, inner] = narrow(node, "the axis", [length, indices.len(), inner])?;
    let mut table = Vec::with_capacity(indices.len().saturating_mul(4));
    for &index in indices {
        let [index] = narrow(node, "an index", [index])?;
        table.extend_from_slice(&index.to_le_bytes());
    }
    SHADER
        .launch(node, entry, threads)
        .set("length", length)
        .set("count", number)
        .set("inner", inner)
        .table(table)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
