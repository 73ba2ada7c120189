//! Softmax over one axis, its logarithm, and hardmax.

use super::rows::rows;
use super::trips::{SHARED, merge};
use super::{Launch, Shader, shader};
use crate::error::Result;
pub use crate::ops::reduction::softmax::{Function, Geometry};

/// The family's WGSL.
pub static SHADER: Shader = shader!("softmax");

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
    let number: u32 = match function {
        Function::Softmax => 0,
        Function::LogSoftmax => 1,
        Function::Hardmax => 2,
    };
    SHADER
        .launch(node, entry, threads)
        .rows(&rows)
        .set("function", number)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    let length = g.length as u64;
    let merges = merge(entry, &[g.outer, g.length, g.inner], &[false, true, false]);
    let both = merges.saturating_mul(2);
    if entry == SHARED {
        // The maximum, the sum, and a loop that writes 16 results of each thread's at a time.
        return both.saturating_add(length.div_ceil(1024));
    }
    match g.function {
        Function::LogSoftmax | Function::Hardmax => both.saturating_add(length),
        Function::Softmax => length.saturating_mul(3),
    }
}
