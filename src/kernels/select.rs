//! Choosing between two values, element by element, with NumPy broadcasting.

use super::axes::{Axis, broadcast};
use super::{Launch, Shader, count, narrow, shader};
use crate::error::{Error, Result};

/// Axes that the shader walks over.
const AXES: usize = 6;

/// The family's WGSL.
pub static SHADER: Shader = shader!("select");

/// What to compute: operands of three shapes that broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The condition's shape.
    pub condition: Vec<usize>,
    /// The shape of what is taken where the condition is not zero.
    pub on_true: Vec<usize>,
    /// The shape of what is taken elsewhere.
    pub on_false: Vec<usize>,
}

impl Geometry {
    /// Returns the axes of the output that remain after merging, with the operands' strides.
    pub(crate) fn axes(&self) -> Vec<Axis<3>> {
        broadcast([&self.condition, &self.on_true, &self.on_false])
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for operands that alternate between more than 6 runs of axes that
/// broadcast and axes that do not (so never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    count(node, "the condition", &geometry.condition)?;
    count(node, "the operand for true", &geometry.on_true)?;
    count(node, "the operand for false", &geometry.on_false)?;
    let axes = geometry.axes();
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    let elements = count(node, "the output", &lengths)?;
    let is_same = matches!(axes.as_slice(), [Axis { strides: [1, 1, 1], .. }]);
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("broadcasting over {} runs of axes", axes.len()),
        remedy: format!("reshape the operands, {AXES} are handled"),
    })?;
    let mut padded = [[1, 0, 0, 0]; AXES];
    for (place, axis) in padded.iter_mut().skip(missing).zip(&axes) {
        // No stride is negative here.
        let [c, t, f] = axis.strides.map(|stride| usize::try_from(stride).unwrap_or(usize::MAX));
        *place = [axis.length, c, t, f];
    }
    let length = narrow(node, "the output", padded.map(|axis| axis[0]))?;
    let condition = narrow(node, "the condition", padded.map(|axis| axis[1]))?;
    let on_true = narrow(node, "the operand for true", padded.map(|axis| axis[2]))?;
    let on_false = narrow(node, "the operand for false", padded.map(|axis| axis[3]))?;
    let four = is_same && elements > 0 && elements.is_multiple_of(4);
    let (entry, threads) = if four { ("same4", elements / 4) } else { ("broadcast", elements) };
    SHADER
        .launch(node, entry, threads)
        .set_each("length", 1, &length[1..])
        .set_each("condition", 0, &condition)
        .set_each("true", 0, &on_true)
        .set_each("false", 0, &on_false)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
