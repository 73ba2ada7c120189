//! Element-wise functions of one operand: their numbers in the shaders, and the family that
//! applies them alone.

use super::{Launch, Shader, count, in_fours, shader};
use crate::error::{Error, Result};
use crate::ops::{Epilogue, UnaryOp};

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

/// Returns a function's number in the shaders, and its two constants (0 where it has none).
///
/// # Errors
///
/// [`Error::Unsupported`] for constants that the function is not defined with.
pub fn code(node: &str, function: UnaryOp) -> Result<(u32, f32, f32)> {
    if let Some(what) = function.undefined() {
        return Err(Error::Unsupported {
            node: node.to_owned(),
            what,
            remedy: "use constants that the function is defined with".to_owned(),
        });
    }
    let [alpha, beta] = function.constants();
    Ok((function.row().number, alpha, beta))
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let elements = count(node, "the output", &geometry.shape)?;
    let (entry, threads) = if geometry.epilogue.has_rare() {
        ("rare", elements)
    } else {
        in_fours(elements, "general", "elements4")
    };
    SHADER
        .launch(node, entry, threads)
        .any_epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: they are short whatever the lengths.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
