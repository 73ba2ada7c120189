//! 2-D convolution with groups, so also the depthwise one.

use super::trips::{in_fours, nested, windows};
use super::{Launch, Shader, count, narrow, numbered, shader};
use crate::error::Result;
pub use crate::ops::convolution::conv2d::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("conv2d");

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
    count(node, "the kernel", &[g.kernel[0], g.kernel[1], group[0], g.output[3]])?;
    let elements = count(node, "the output", &g.output)?;
    check_reach(node, g)?;
    let [_, input_height, input_width, input_channels] = narrow(node, "the input", g.input)?;
    let output = narrow(node, "the output", g.output)?;
    let [_, output_height, output_width, output_channels] = output;
    let [kernel_height, kernel_width] = narrow(node, "the kernel", g.kernel)?;
    let [stride_height, stride_width] = narrow(node, "the strides", g.strides)?;
    let [dilation_height, dilation_width] = narrow(node, "the dilation", g.dilation)?;
    let [pad_top, pad_left] = narrow(node, "the padding", g.pads)?;
    let [group_inputs, group_outputs] = narrow(node, "a group", group)?;
    let (entry, threads) = variant(output, group_inputs, group_outputs, elements);
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
        .set("pad_top", pad_top)
        .set("pad_left", pad_left)
        .set("group_inputs", group_inputs)
        .set("group_outputs", group_outputs)
        .set("has_bias", u32::from(g.has_bias))
        .epilogue(&g.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    if entry == "depthwise4" {
        return nested(g.kernel[0] as u64, g.kernel[1] as u64);
    }
    windows(g.kernel, in_fours(g.input[3] / g.groups.max(1), entry, "blocks4"))
}

/// Chooses the entry point, and counts its threads.
fn variant(
    [n, y, x, channels]: [u32; 4],
    group_inputs: u32,
    group_outputs: u32,
    elements: u32,
) -> (&'static str, u32) {
    if elements > 0 && (group_inputs, group_outputs) == (1, 1) && channels.is_multiple_of(4) {
        return ("depthwise4", elements / 4);
    }
    // Tiles of four pixels are mostly idle on an image of one column, and vectors cannot be read
    // from operands without elements.
    if elements == 0 || group_inputs == 0 || x < 2 || !group_outputs.is_multiple_of(4) {
        return ("general", elements);
    }
    let entry = if group_inputs.is_multiple_of(4) { "blocks4" } else { "channels4" };
    (entry, n * y * x.div_ceil(4) * (channels / 4))
}

/// Checks that positions in the padded image, the four pixels of a last tile included,
/// stay within 32 bits.
fn check_reach(node: &str, g: &Geometry) -> Result<()> {
    for axis in 0..2 {
        let windows = (g.output[axis + 1] as u64).saturating_add(4);
        let origin = windows.saturating_mul(g.strides[axis] as u64);
        let taps =
            (g.kernel[axis] as u64).saturating_add(1).saturating_mul(g.dilation[axis] as u64);
        let padded = (g.input[axis + 1] as u64).saturating_add(g.pads[axis] as u64);
        let last = origin.saturating_add(taps).saturating_add(padded);
        numbered(node, "the padded input", last, "rows or columns")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::ops::Epilogue;

    fn geometry(output: [usize; 4], input_channels: usize, groups: usize) -> Geometry {
        Geometry {
            input: [output[0], output[1], output[2], input_channels],
            output,
            kernel: [3, 3],
            strides: [1, 1],
            dilation: [1, 1],
            pads: [1, 1],
            groups,
            has_bias: false,
            epilogue: Epilogue::default(),
        }
    }

    #[test]
    fn the_entry_follows_the_channels_of_a_group() {
        let entry = |output, inputs, groups| {
            launch("conv2d \"c\"", &geometry(output, inputs, groups), 65_535).unwrap().kernel.entry
        };
        assert_eq!(entry([1, 5, 5, 8], 8, 1), "blocks4");
        assert_eq!(entry([1, 5, 5, 8], 3, 1), "channels4");
        assert_eq!(entry([1, 5, 5, 8], 4, 4), "general");
        assert_eq!(entry([1, 5, 1, 8], 8, 8), "depthwise4");
        assert_eq!(entry([1, 5, 5, 6], 6, 6), "general");
        assert_eq!(entry([1, 5, 5, 6], 8, 1), "general");
        assert_eq!(entry([1, 5, 1, 8], 8, 1), "general");
        assert_eq!(entry([0, 5, 5, 8], 8, 1), "general");
        assert_eq!(entry([1, 5, 5, 8], 0, 1), "general");
    }

    #[test]
    fn sizes_beyond_32_bits_are_refused() {
        let mut too_large = geometry([1, 1 << 16, 1 << 16, 1], 1, 1);
        assert!(matches!(launch("c", &too_large, 65_535), Err(Error::Limit { .. })));
        too_large = geometry([1, 2, 2, 1], 1, 1);
        too_large.strides = [1 << 31, 1];
        assert!(matches!(launch("c", &too_large, 65_535), Err(Error::Limit { .. })));
    }
}
