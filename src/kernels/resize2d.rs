//! Resampling of two neighboring axes through tables of taps.
//!
//! Which input pixels an output row or column takes, and with which weights, is the same for
//! every image and channel. It is computed here once, and goes to the device with the
//! parameters; see `taps`.

use super::axis::Line;
pub(crate) use super::taps::OUTSIDE;
use super::taps::{append_nearest, append_taps};
use super::trips::nested;
use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
use crate::ops::Filter;
pub use crate::ops::resampling::rule::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("resize2d");

/// Returns how many numbers an output row and an output column have in a launch's table.
pub(crate) fn entry_lengths(launch: &Launch) -> [usize; 2] {
    ["row_entry", "column_entry"]
        .map(|name| SHADER.parameter(&launch.params, name).unwrap_or_default() as usize)
}

/// Returns how many rows and columns of the input a result takes at most; none where it takes the
/// nearest pixel.
fn most_taps(geometry: &Geometry) -> [u64; 2] {
    if matches!(geometry.sampling.filter, Filter::Nearest(_)) {
        return [0; 2];
    }
    // What cannot be launched never runs.
    let launched = launch("", geometry, u32::MAX);
    launched.map_or([0; 2], |launch| {
        // An entry holds the first tap's place and their number in front of their weights.
        entry_lengths(&launch).map(|length| (length as u64).saturating_sub(2))
    })
}

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
    let Geometry { input, rows, columns, sampling, epilogue } = geometry;
    count(node, "the input", input)?;
    let elements = count(node, "the output", &geometry.output())?;
    let [_, input_height, input_width, input_channels] = narrow(node, "the input", *input)?;
    let [_, output_height, output_width, _] = narrow(node, "the output", geometry.output())?;
    let mut table = Vec::new();
    let (mut row_entry, mut column_entry) = (1, 1);
    if elements > 0 {
        let rows = Line::new(node, input[1], rows)?;
        let columns = Line::new(node, input[2], columns)?;
        if let Filter::Nearest(mode) = sampling.filter {
            append_nearest(&mut table, &rows, mode, sampling.coordinates);
            append_nearest(&mut table, &columns, mode, sampling.coordinates);
        } else {
            row_entry = append_taps(node, &mut table, &rows, sampling)?;
            column_entry = append_taps(node, &mut table, &columns, sampling)?;
        }
        count(node, "the table of taps", &[table.len()])?;
    } else {
        // A binding must not be empty.
        table.push(0);
    }
    let is_wide = elements > 0 && input_channels.is_multiple_of(4);
    let width = if is_wide { 4 } else { 1 };
    let entry = match (sampling.filter, is_wide) {
        (Filter::Nearest(_), false) => "nearest",
        (Filter::Nearest(_), true) => "nearest4",
        (_, false) => "taps",
        (_, true) => "taps4",
    };
    SHADER
        .launch(node, entry, elements / width)
        .set("input_height", input_height)
        .set("input_width", input_width)
        .set("channels", input_channels / width)
        .set("output_height", output_height)
        .set("output_width", output_width)
        .set("row_entry", row_entry)
        .set("column_entry", column_entry)
        .set("extrapolation_value", sampling.extrapolation_value)
        .table(bytemuck::cast_slice(&table).to_vec())
        .epilogue(epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, _entry: &str) -> u64 {
    let [rows, columns] = most_taps(g);
    nested(rows, columns)
}
