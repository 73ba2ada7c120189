//! The matrix product on the last axis, with bias and activation.

use super::trips::in_fours;
use super::{Launch, Shader, count, epilogue, narrow, shader};
use crate::error::{Error, Result};
pub use crate::ops::product::dense::{Geometry, Part};

/// The family's WGSL.
pub static SHADER: Shader = shader!("dense");

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for softmax, [`Error::Operand`] for a part that ends behind the input.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { rows, inputs, units, has_bias, .. } = *geometry;
    let part = geometry.part();
    check_part(node, part, inputs)?;
    count(node, "the input", &[rows, part.of])?;
    count(node, "the kernel", &[inputs, units])?;
    let elements = count(node, "the output", &[rows, units])?;
    let [rows, inputs, units] = narrow(node, "the input or the kernel", [rows, inputs, units])?;
    let [first, stride] = narrow(node, "the input", [part.first, part.of])?;
    let is_in_fours = [inputs, first, stride].iter().all(|length| length.is_multiple_of(4));
    let (entry, threads) = variant([rows, inputs, units], is_in_fours, elements);
    SHADER
        .launch(node, entry, threads)
        .set("rows", rows)
        .set("inputs", inputs)
        .set("units", units)
        .set("has_bias", u32::from(has_bias))
        .set("stride", stride)
        .set("first", first)
        .set("continues", u32::from(first > 0))
        .epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    in_fours(g.inputs, entry, "blocks4")
}

/// Returns over how many inputs a step may sum for its thread to take so many trips, at most.
///
/// Steps are taken to begin at multiples of 4 where all inputs are one, so that the same entry
/// serves them.
pub(crate) fn inputs_within(geometry: &Geometry, trips: u64) -> u64 {
    let trips = trips.saturating_sub(epilogue::trip_count(&geometry.epilogue));
    let is_in_fours = [geometry.inputs, geometry.units].iter().all(|n| n.is_multiple_of(4));
    if is_in_fours { trips.saturating_mul(4) } else { trips }
}

/// Checks that a part lies within the input.
fn check_part(node: &str, part: Part, inputs: usize) -> Result<()> {
    if part.first.checked_add(inputs).is_some_and(|end| end <= part.of) {
        return Ok(());
    }
    Err(Error::Operand {
        node: node.to_owned(),
        operand: "the part of the input".to_owned(),
        got: format!("has {inputs} elements from {} on", part.first),
        expected: format!("a row has {}", part.of),
        shapes: format!("{part:?}"),
        remedy: "make the geometry as Graph::plan does".to_owned(),
    })
}

/// Chooses the entry point, and counts its threads.
fn variant(
    [rows, inputs, units]: [u32; 3],
    is_in_fours: bool,
    elements: u32,
) -> (&'static str, u32) {
    let tiles = rows.div_ceil(4) * (units / 4);
    match (is_in_fours, units % 4) {
        // Vectors cannot be read from operands without elements.
        _ if inputs == 0 => ("general", elements),
        (true, 0) => ("blocks4", tiles),
        (false, 0) => ("columns4", tiles),
        _ => ("general", elements),
    }
}
