//! Softmax over one axis, its logarithm, and hardmax.

use super::rows::rows;
use super::trips::{SHARED, merge};
use super::{Launch, Shader, shader};
use crate::error::Result;

/// The family's WGSL.
pub static SHADER: Shader = shader!("softmax");

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
