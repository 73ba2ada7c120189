//! Element-wise functions of one operand, applied alone: they are the stages of an epilogue.

use super::{Launch, Shader, count, in_fours, shader};
use crate::error::Result;
use crate::ops::Epilogue;

/// The family's WGSL.
pub static SHADER: Shader = shader!("activation");

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The shape of input and output.
    pub shape: Vec<usize>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::Error::Limit) when a size exceeds what the kernel or the device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let elements = count(node, "the output", &geometry.shape)?;
    let (entry, threads) = in_fours(elements, "general", "elements4");
    SHADER
        .launch(node, entry, threads)
        .epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: they are short whatever the lengths.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
