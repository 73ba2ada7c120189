//! Sampling of images at places that a grid gives.

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
pub use crate::ops::resampling::grid_sample::Geometry;
use crate::ops::{GridPadding, GridSampleMode};

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/grid_sample.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    points: u32,
    channels: u32,
    depth: u32,
    height: u32,
    width: u32,
    axes: u32,
    mode: u32,
    padding: u32,
    align_corners: u32,
    not_a_number: f32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "grid_sample",
    source: SOURCE,
    entries: &["general", "channels4"],
    bindings: &[Binding::Params, Binding::Read, Binding::Read, Binding::Write],
    fields: FIELDS,
};

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
    let threads = elements / four;
    let params = Params {
        threads,
        points,
        channels: input_channels / four,
        depth,
        height,
        width,
        axes,
        mode: match g.mode {
            GridSampleMode::Nearest => 0,
            GridSampleMode::Linear => 1,
            GridSampleMode::Cubic => 2,
        },
        padding: match g.padding {
            GridPadding::Zeros => 0,
            GridPadding::Border => 1,
            GridPadding::Reflection => 2,
        },
        align_corners: g.align_corners.into(),
        not_a_number: f32::NAN,
    };
    Ok(Launch {
        kernel: Kernel { family: Family::GridSample, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
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
