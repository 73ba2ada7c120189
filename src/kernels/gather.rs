//! Picking entries along one axis by constant indices.

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
pub use crate::ops::movement::gather::Geometry;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/gather.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    length: u32,
    count: u32,
    inner: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "gather",
    source: SOURCE,
    entries: &["gather", "gather4"],
    bindings: &[Binding::Params, Binding::Table, Binding::Read, Binding::Write],
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
    let Geometry { outer, length, inner, ref indices } = *geometry;
    count(node, "the input", &[outer, length, inner])?;
    let elements = count(node, "the result", &[outer, indices.len(), inner])?;
    let four = elements > 0 && inner.is_multiple_of(4);
    let (entry, inner, threads) =
        if four { ("gather4", inner / 4, elements / 4) } else { ("gather", inner, elements) };
    let [length, number, inner] = narrow(node, "the axis", [length, indices.len(), inner])?;
    let params = Params { threads, length, count: number, inner };
    let mut table = Vec::with_capacity(indices.len().saturating_mul(4));
    for &index in indices {
        let [index] = narrow(node, "an index", [index])?;
        table.extend_from_slice(&index.to_le_bytes());
    }
    Ok(Launch {
        kernel: Kernel { family: Family::Gather, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table,
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
