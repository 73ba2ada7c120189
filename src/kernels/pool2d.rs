//! 2-D pooling: the largest, the average or the norm of a window.

use super::epilogue::{append, staged};
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow, too_many};
use crate::error::Result;
use crate::ops::PoolMode;
pub use crate::ops::pooling::pool2d::Geometry;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/pool2d.wgsl"),
    include_str!("../../shaders/staged/pool2d.wgsl"),
    include_str!("../../shaders/shared/window.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);
/// What entry points without stages need of it.
pub(super) const PLAIN: &str = concat!(
    include_str!("../../shaders/pool2d.wgsl"),
    include_str!("../../shaders/shared/window.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
    include_str!("../../shaders/shared/unstaged.wgsl"),
);

parameters! {
    threads: u32,
    input_height: u32,
    input_width: u32,
    channels: u32,
    output_height: u32,
    output_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    dilation_height: u32,
    dilation_width: u32,
    pad_top: u32,
    pad_left: u32,
    padded_height: u32,
    padded_width: u32,
    mode: u32,
    count_padding: u32,
    p: u32,
    nothing: f32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "pool2d",
    source: SOURCE,
    entries: &["general", "channels4", "general_staged", "channels4_staged"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write, Binding::Extra],
    fields: FIELDS,
};

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
    let (entry, width) = if is_wide {
        (staged(&g.epilogue, "channels4", "channels4_staged"), 4)
    } else {
        (staged(&g.epilogue, "general", "general_staged"), 1)
    };
    let (mode, p) = match g.mode {
        PoolMode::Max => (0, 0),
        PoolMode::Average => (1, 0),
        PoolMode::Lp(p) => (2, p.into()),
    };
    let threads = elements / width;
    let params = Params {
        threads,
        input_height,
        input_width,
        channels: input_channels / width,
        output_height,
        output_width,
        kernel_height,
        kernel_width,
        stride_height,
        stride_width,
        dilation_height,
        dilation_width,
        pad_top,
        pad_left,
        padded_height,
        padded_width,
        mode,
        count_padding: (g.count_include_pad && g.mode == PoolMode::Average).into(),
        p,
        nothing: g.nothing(),
    };
    Ok(Launch {
        kernel: Kernel { family: Family::Pool2d, entry },
        params: append(node, bytemuck::bytes_of(&params).to_vec(), &geometry.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}

/// Returns the padded image's height and width, and checks that every position that a
/// window can have stays within 32 bits.
fn padded(node: &str, g: &Geometry) -> Result<[u32; 2]> {
    let length = |axis: usize| {
        let padding = (g.before[axis] as u64).checked_add(g.after[axis] as u64)?;
        let padded = (g.input[axis + 1] as u64).checked_add(padding)?;
        let origin = (g.output[axis + 1] as u64).checked_mul(g.strides[axis] as u64)?;
        let taps = (g.kernel[axis] as u64).checked_add(1)?.checked_mul(g.dilation[axis] as u64)?;
        let last = origin.checked_add(taps)?.checked_add(padded)?;
        u32::try_from(last).ok().and_then(|_| u32::try_from(padded).ok())
    };
    match (length(0), length(1)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => {
            Err(too_many(node, "the padded input", "a higher number of a row or column".to_owned()))
        }
    }
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
