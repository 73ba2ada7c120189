//! 2-D transposed convolution.

use super::epilogue;
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow, too_many};
use crate::error::Result;
pub use crate::ops::convolution::conv2d_transpose::Geometry;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/conv2d_transpose.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    input_height: u32,
    input_width: u32,
    input_channels: u32,
    output_height: u32,
    output_width: u32,
    output_channels: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    dilation_height: u32,
    dilation_width: u32,
    crop_top: u32,
    crop_left: u32,
    group_inputs: u32,
    group_outputs: u32,
    has_bias: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "conv2d_transpose",
    source: SOURCE,
    entries: &["general", "inputs4"],
    bindings: &[
        Binding::Params,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Write,
        Binding::Extra,
    ], // input, kernel, bias, output; without a bias the kernel stands in for it
    fields: FIELDS,
};

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
    let params = Params {
        threads,
        input_height,
        input_width,
        input_channels,
        output_height,
        output_width,
        output_channels,
        kernel_height,
        kernel_width,
        stride_height,
        stride_width,
        dilation_height,
        dilation_width,
        crop_top,
        crop_left,
        group_inputs,
        group_outputs,
        has_bias: g.has_bias.into(),
    };
    let is_wide = threads > 0 && group_inputs > 0 && group_inputs.is_multiple_of(4);
    let entry = if is_wide { "inputs4" } else { "general" };
    Ok(Launch {
        kernel: Kernel { family: Family::Conv2dTranspose, entry },
        params: epilogue::append(node, bytemuck::bytes_of(&params).to_vec(), &g.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}

/// Checks that positions in the full, uncropped output stay within 32 bits.
fn check_reach(node: &str, g: &Geometry) -> Result<()> {
    let reach = |axis: usize| {
        let last = (g.output[axis + 1] as u64).checked_add(g.crop[axis] as u64)?;
        u32::try_from(last).ok()
    };
    match (reach(0), reach(1)) {
        (Some(_), Some(_)) => Ok(()),
        _ => {
            Err(too_many(node, "the full output", "a higher number of a row or column".to_owned()))
        }
    }
}
