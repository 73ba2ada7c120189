//! Normalization by moments of the element's row, with scale and bias.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::{Error, Result};
pub use crate::ops::normalization::normalization::Geometry;

/// Axes that the shader walks over.
const AXES: usize = 6;

/// The family's WGSL.
pub static SHADER: Shader = shader!("normalization");

/// An axis of the input: its length, and how far row, scale and bias move along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub length: usize,
    /// Strides of the row, the scale and the bias.
    pub strides: [usize; 3],
}

/// Lists the axes that matter, neighbors joined where every operand walks on.
pub(crate) fn axes(geometry: &Geometry) -> Vec<Axis> {
    let kept: Vec<usize> = geometry
        .input
        .iter()
        .zip(&geometry.reduced)
        .map(|(&length, &reduced)| if reduced { 1 } else { length })
        .collect();
    let none = vec![1; geometry.input.len()];
    let shapes =
        [&kept, geometry.scale.as_ref().unwrap_or(&none), geometry.bias.as_ref().unwrap_or(&none)];
    let mut next = [1usize; 3];
    let mut axes: Vec<Axis> = Vec::new();
    for (axis, &length) in geometry.input.iter().enumerate().rev() {
        let mut strides = [0; 3];
        for ((stride, next), shape) in strides.iter_mut().zip(&mut next).zip(shapes) {
            // A missing length broadcasts.
            let own = shape.get(axis).copied().unwrap_or(1);
            if own != 1 {
                *stride = *next;
                *next = next.saturating_mul(own);
            }
        }
        if length == 1 {
            continue;
        }
        let walks_on = |inner: &Axis| {
            let both = inner.strides.iter().zip(strides);
            both.into_iter().all(|(one, other)| one.checked_mul(inner.length) == Some(other))
        };
        match axes.last_mut() {
            Some(inner) if walks_on(inner) => inner.length = inner.length.saturating_mul(length),
            _ => axes.push(Axis { length, strides }),
        }
    }
    axes.reverse();
    axes
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for more than 6 axes along which the operands differ (so never at rank 6
/// or below, the split of a channel axis included).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let threads = count(node, "the output", &geometry.input)?;
    let axes = axes(geometry);
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("a normalization over {} runs of axes", axes.len()),
        remedy: format!("reshape the operand, {AXES} are handled"),
    })?;
    let padded = |fill: usize, pick: &dyn Fn(&Axis) -> usize| {
        let mut values = [fill; AXES];
        for (value, axis) in values.iter_mut().skip(missing).zip(&axes) {
            *value = pick(axis);
        }
        narrow(node, "the input", values)
    };
    let lengths = padded(1, &|axis| axis.length)?;
    let row = padded(0, &|axis| axis.strides[0])?;
    let scale = padded(0, &|axis| axis.strides[1])?;
    let bias = padded(0, &|axis| axis.strides[2])?;
    SHADER
        .launch(node, "general", threads)
        .set("has_scale", u32::from(geometry.scale.is_some()))
        .set("has_bias", u32::from(geometry.bias.is_some()))
        .set_each("length", 1, &lengths[1..])
        .set_each("row", 0, &row)
        .set_each("scale", 0, &scale)
        .set_each("bias", 0, &bias)
        .epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}
