//! Local response normalisation across channels.

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/lrn.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/logarithm.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    channels: u32,
    inner: u32,
    before: u32,
    after: u32,
    factor: f32,
    beta: f32,
    bias: f32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "lrn",
    source: SOURCE,
    entries: &["general"],
    bindings: &[Binding::Params, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What to compute: input and output are (outer, channels, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the channel axis.
    pub outer: usize,
    /// The number of channels.
    pub channels: usize,
    /// The product of the lengths behind the channel axis.
    pub inner: usize,
    /// Channels of a window; at least 1.
    pub size: usize,
    /// What the mean of the window's squares is multiplied by.
    pub alpha: f32,
    /// The exponent.
    pub beta: f32,
    /// What is added.
    pub bias: f32,
}

impl Geometry {
    /// Returns how many channels of the window stand before its own, and how many behind it.
    pub(crate) fn sides(&self) -> [usize; 2] {
        let others = self.size.saturating_sub(1);
        // No window reaches further than the channels do.
        [others / 2, others - others / 2].map(|side| side.min(self.channels))
    }

    /// Returns what the sum of the squares is multiplied by.
    #[expect(clippy::cast_precision_loss, reason = "a size beyond 2^24 is near enough")]
    pub(crate) fn factor(&self) -> f32 {
        self.alpha / self.size as f32
    }
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
    let Geometry { outer, channels, inner, beta, bias, .. } = *geometry;
    let threads = count(node, "the output", &[outer, channels, inner])?;
    let [before, after] = narrow(node, "the window", geometry.sides())?;
    let [channels, inner] = narrow(node, "the output", [channels, inner])?;
    let factor = geometry.factor();
    let params = Params { threads, channels, inner, before, after, factor, beta, bias };
    Ok(Launch {
        kernel: Kernel { family: Family::Lrn, entry: "general" },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
