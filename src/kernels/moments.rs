//! Mean and inverse deviation of each row.

use super::rows::rows;
use super::trips::merge;
use super::{Launch, Shader, count, shader};
use crate::error::Result;
pub use crate::ops::normalization::moments::Geometry;
use crate::ops::normalization::moments::Part;

/// The family's WGSL.
pub static SHADER: Shader = shader!("moments");

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
    let part: u32 = match geometry.part {
        Part::Both => 0,
        Part::Mean => 1,
        Part::InverseDeviation => 2,
    };
    if geometry.part == Part::Both {
        count(node, "the output", &[rows.results as usize, 2])?;
    }
    let entry = if rows.is_shared { "shared_row" } else { "general" };
    SHADER
        .launch(node, entry, rows.threads())
        .rows(&rows)
        .set("epsilon", geometry.epsilon)
        .set("floor", geometry.floor)
        .set("is_centered", u32::from(geometry.is_centered))
        .set("part", part)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    // The mean in a loop of two rounds, then the squares.
    let merges = if g.is_centered { 3 } else { 1 };
    merge(entry, &g.input, &g.reduced).saturating_mul(merges).saturating_add(3)
}
