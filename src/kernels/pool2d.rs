//! 2-D pooling: the largest, the average or the norm of a window.

use super::{Launch, Shader, count, narrow, numbered, shader};
use crate::error::Result;
use crate::ops::PoolMode;
pub use crate::ops::pooling::pool2d::Geometry;

/// The family's WGSL.
pub static SHADER: Shader = shader!("pool2d");

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
    let g = geometry;
    count(node, "the input", &g.input)?;
    let elements = count(node, "the output", &g.output)?;
    let [padded_height, padded_width] = padded(node, g)?;
    let [_, input_height, input_width, input_channels] = narrow(node, "the input", g.input)?;
    let [_, output_height, output_width, _] = narrow(node, "the output", g.output)?;
    let [kernel_height, kernel_width] = narrow(node, "the kernel", g.kernel)?;
    let [stride_height, stride_width] = narrow(node, "the strides", g.strides)?;
    let [dilation_height, dilation_width] = narrow(node, "the dilation", g.dilation)?;
    let [pad_top, pad_left] = narrow(node, "the padding", g.before)?;
    let is_wide = elements > 0 && input_channels.is_multiple_of(4);
    let (entry, width) = if is_wide { ("channels4", 4) } else { ("general", 1) };
    let (mode, p): (u32, u32) = match g.mode {
        PoolMode::Max => (0, 0),
        PoolMode::Average => (1, 0),
        PoolMode::Lp(p) => (2, p.into()),
    };
    let count_padding = g.count_include_pad && g.mode == PoolMode::Average;
    SHADER
        .launch(node, entry, elements / width)
        .set("input_height", input_height)
        .set("input_width", input_width)
        .set("channels", input_channels / width)
        .set("output_height", output_height)
        .set("output_width", output_width)
        .set("kernel_height", kernel_height)
        .set("kernel_width", kernel_width)
        .set("stride_height", stride_height)
        .set("stride_width", stride_width)
        .set("dilation_height", dilation_height)
        .set("dilation_width", dilation_width)
        .set("pad_top", pad_top)
        .set("pad_left", pad_left)
        .set("padded_height", padded_height)
        .set("padded_width", padded_width)
        .set("mode", mode)
        .set("count_padding", u32::from(count_padding))
        .set("p", p)
        .set("nothing", g.nothing())
        .epilogue(&g.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, _entry: &str) -> u64 {
    let tap = match g.mode {
        // One loop for the largest magnitude, and one of powers by squaring.
        PoolMode::Lp(p) => 3 + u64::from(u32::BITS - u32::from(p).leading_zeros()),
        // Those loops are skipped, which takes a trip.
        PoolMode::Average => 2,
        PoolMode::Max => 1,
    };
    let row = (g.kernel[1] as u64).saturating_mul(tap).saturating_add(4);
    row.saturating_mul(g.kernel[0] as u64)
}

/// Returns the padded image's height and width, and checks that every position that a
/// window can have stays within 32 bits.
fn padded(node: &str, g: &Geometry) -> Result<[u32; 2]> {
    let length = |axis: usize| {
        let padding = (g.before[axis] as u64).saturating_add(g.after[axis] as u64);
        let padded = (g.input[axis + 1] as u64).saturating_add(padding);
        let origin = (g.output[axis + 1] as u64).saturating_mul(g.strides[axis] as u64);
        let taps =
            (g.kernel[axis] as u64).saturating_add(1).saturating_mul(g.dilation[axis] as u64);
        let last = origin.saturating_add(taps).saturating_add(padded);
        numbered(node, "the padded input", last, "rows or columns")?;
        numbered(node, "the padded input", padded, "rows or columns")
    };
    Ok([length(0)?, length(1)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::ops::Epilogue;

    fn geometry(channels: usize) -> Geometry {
        Geometry {
            input: [1, 5, 6, channels],
            output: [1, 4, 5, channels],
            kernel: [2, 2],
            strides: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
            after: [0, 0],
            mode: PoolMode::Max,
            count_include_pad: false,
            epilogue: Epilogue::default(),
        }
    }

    #[test]
    fn the_entry_follows_the_channels() {
        let entry = |channels| launch("p", &geometry(channels), 65_535).unwrap().kernel.entry;
        assert_eq!((entry(4), entry(8)), ("channels4", "channels4"));
        assert_eq!((entry(1), entry(6), entry(0)), ("general", "general", "general"));
    }

    #[test]
    fn sizes_beyond_32_bits_are_refused() {
        for change in [
            (|g| g.strides = [1 << 31, 1]) as fn(&mut Geometry),
            |g| g.dilation[1] = usize::MAX,
            |g| g.before[0] = usize::MAX,
            |g| g.after[1] = 1 << 32,
            |g| g.input[1] = 1 << 31,
        ] {
            let mut too_large = geometry(1);
            change(&mut too_large);
            assert!(matches!(launch("p", &too_large, 65_535), Err(Error::Limit { .. })));
        }
    }
}
