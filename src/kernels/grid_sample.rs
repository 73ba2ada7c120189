//! Sampling of images at places that a grid gives.

use super::{Launch, Shader, count, narrow, shader};
use crate::error::Result;
pub use crate::ops::resampling::grid_sample::Geometry;
use crate::ops::{GridPadding, GridSampleMode};

/// The family's WGSL.
pub static SHADER: Shader = shader!("grid_sample");

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
    let g = geometry;
    count(node, "the input", &g.input)?;
    count(node, "the grid", &g.grid())?;
    let elements = count(node, "the output", &g.output())?;
    // Kernels number pixels with a sign, and reach a few beyond the ends.
    let [_, depth, height, width, input_channels] = narrow(node, "the input", g.input)?;
    for length in [depth, height, width] {
        count(node, "an axis, folded", &[length as usize, 32])?;
    }
    let [points, axes] = narrow(node, "the grid", [g.points, g.axes])?;
    let is_wide = elements > 0 && input_channels.is_multiple_of(4);
    let (entry, four) = if is_wide { ("channels4", 4) } else { ("general", 1) };
    let mode: u32 = match g.mode {
        GridSampleMode::Nearest => 0,
        GridSampleMode::Linear => 1,
        GridSampleMode::Cubic => 2,
    };
    let padding: u32 = match g.padding {
        GridPadding::Zeros => 0,
        GridPadding::Border => 1,
        GridPadding::Reflection => 2,
    };
    SHADER
        .launch(node, entry, elements / four)
        .set("points", points)
        .set("channels", input_channels / four)
        .set("depth", depth)
        .set("height", height)
        .set("width", width)
        .set("axes", axes)
        .set("mode", mode)
        .set("padding", padding)
        .set("align_corners", u32::from(g.align_corners))
        .set("not_a_number", f32::NAN)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: they are short whatever the lengths.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn geometry(width: usize, channels: usize) -> Geometry {
        Geometry {
            input: [1, 1, 1, width, channels],
            points: 3,
            axes: 1,
            mode: GridSampleMode::Linear,
            padding: GridPadding::Zeros,
            align_corners: false,
        }
    }

    #[test]
    fn the_entry_follows_the_channels() {
        let entry = |channels| launch("g", &geometry(5, channels), 65_535).unwrap().kernel.entry;
        assert_eq!((entry(4), entry(8)), ("channels4", "channels4"));
        assert_eq!((entry(1), entry(6), entry(0)), ("general", "general", "general"));
    }

    #[test]
    fn axes_that_cannot_be_folded_in_32_bits_are_refused() {
        assert!(launch("g", &geometry((1 << 27) - 1, 1), 65_535).is_ok());
        let error = launch("g", &geometry(1 << 27, 1), 65_535).unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error}");
    }
}
