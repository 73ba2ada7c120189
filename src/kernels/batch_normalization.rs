//! Batch normalisation by known means and variances.

use super::epilogue::{append, staged};
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
use crate::ops::Epilogue;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/batch_normalization.wgsl"),
    include_str!("../../shaders/staged/batch_normalization.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);
/// What entry points without stages need of it.
pub(super) const PLAIN: &str = concat!(
    include_str!("../../shaders/batch_normalization.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
    include_str!("../../shaders/shared/unstaged.wgsl"),
);

parameters! {
    threads: u32,
    channels: u32,
    inner: u32,
    has_scale: u32,
    has_bias: u32,
    epsilon: f32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "batch_normalization",
    source: SOURCE,
    entries: &["general", "general_staged"],
    bindings: &[
        Binding::Params,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Write,
        Binding::Extra,
    ],
    fields: FIELDS,
};

/// What to compute: input and output are (outer, channels, inner). The operands are the input,
/// then scale and bias where there are any, mean and variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the channel axis.
    pub outer: usize,
    /// The number of channels.
    pub channels: usize,
    /// The product of the lengths behind the channel axis.
    pub inner: usize,
    /// Whether there is a scale.
    pub has_scale: bool,
    /// Whether there is a bias.
    pub has_bias: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
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
    let Geometry { outer, channels, inner, has_scale, has_bias, epsilon, .. } = *geometry;
    let threads = count(node, "the output", &[outer, channels, inner])?;
    let [channels, inner] = narrow(node, "the output", [channels, inner])?;
    let (has_scale, has_bias) = (has_scale.into(), has_bias.into());
    let params = Params { threads, channels, inner, has_scale, has_bias, epsilon };
    let entry = staged(&geometry.epilogue, "general", "general_staged");
    Ok(Launch {
        kernel: Kernel { family: Family::BatchNormalization, entry },
        params: append(node, bytemuck::bytes_of(&params).to_vec(), &geometry.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
