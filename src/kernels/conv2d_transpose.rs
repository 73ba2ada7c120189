//! 2-D transposed convolution.

use super::trips::{in_fours, windows};
use super::{Launch, Shader, count, narrow, numbered, shader};
use crate::error::Result;
pub use crate::ops::convolution::conv2d_transpose::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("conv2d_transpose");

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number, [`Error::Unsupported`](crate::error::Error::Unsupported) for softmax.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let g = geometry;
    let groups = g.groups.max(1);
    let group = [g.input[3] / groups, g.output[3] / groups];
    count(node, "the input", &g.input)?;
    count(node, "the kernel", &[g.kernel[0], g.kernel[1], group[1], g.input[3]])?;
    let threads = count(node, "the output", &g.output)?;
    check_reach(node, g)?;
    let [_, input_height, input_width, input_channels] = narrow(node, "the input", g.input)?;
    let [_, output_height, output_width, output_channels] = narrow(node, "the output", g.output)?;
    let [kernel_height, kernel_width] = narrow(node, "the kernel", g.kernel)?;
    let [stride_height, stride_width] = narrow(node, "the strides", g.strides)?;
    let [dilation_height, dilation_width] = narrow(node, "the dilation", g.dilation)?;
    let [crop_top, crop_left] = narrow(node, "the crop", g.crop)?;
    let [group_inputs, group_outputs] = narrow(node, "a group", group)?;
    let is_wide = threads > 0 && group_inputs > 0 && group_inputs.is_multiple_of(4);
    let entry = if is_wide { "inputs4" } else { "general" };
    SHADER
        .launch(node, entry, threads)
        .set("input_height", input_height)
        .set("input_width", input_width)
        .set("input_channels", input_channels)
        .set("output_height", output_height)
        .set("output_width", output_width)
        .set("output_channels", output_channels)
        .set("kernel_height", kernel_height)
        .set("kernel_width", kernel_width)
        .set("stride_height", stride_height)
        .set("stride_width", stride_width)
        .set("dilation_height", dilation_height)
        .set("dilation_width", dilation_width)
        .set("crop_top", crop_top)
        .set("crop_left", crop_left)
        .set("group_inputs", group_inputs)
        .set("group_outputs", group_outputs)
        .set("has_bias", u32::from(g.has_bias))
        .epilogue(&g.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    windows(g.kernel, in_fours(g.input[3] / g.groups.max(1), entry, "inputs4"))
}

/// Checks that positions in the full, uncropped output stay within 32 bits.
fn check_reach(node: &str, g: &Geometry) -> Result<()> {
    for axis in 0..2 {
        let last = (g.output[axis + 1] as u64).saturating_add(g.crop[axis] as u64);
        numbered(node, "the full output", last, "rows or columns")?;
    }
    Ok(())
}
