//! The matrix product on the last axis, with bias and activation.

use super::epilogue;
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
use crate::graph::Epilogue;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/dense.wgsl"),
    include_str!("../../shaders/shared/block.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    rows: u32,
    inputs: u32,
    units: u32,
    has_bias: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "dense",
    source: SOURCE,
    entries: &["general", "columns4", "blocks4"],
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

/// What to compute: (rows, inputs) times (inputs, units) gives (rows, units).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the input's lengths in front of the last.
    pub rows: usize,
    /// The input's last length.
    pub inputs: usize,
    /// The kernel's last length.
    pub units: usize,
    /// Whether a bias (units) is added; without one, bind the kernel in its place.
    pub has_bias: bool,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

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
    let Geometry { rows, inputs, units, has_bias, .. } = *geometry;
    count(node, "the input", &[rows, inputs])?;
    count(node, "the kernel", &[inputs, units])?;
    let elements = count(node, "the output", &[rows, units])?;
    let [rows, inputs, units] = narrow(node, "the input or the kernel", [rows, inputs, units])?;
    let (entry, threads) = variant([rows, inputs, units], elements);
    let has_bias = has_bias.into();
    let params = Params { threads, rows, inputs, units, has_bias };
    Ok(Launch {
        kernel: Kernel { family: Family::Dense, entry },
        params: epilogue::append(node, bytemuck::bytes_of(&params).to_vec(), &geometry.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}

/// Chooses the entry point, and counts its threads.
fn variant([rows, inputs, units]: [u32; 3], elements: u32) -> (&'static str, u32) {
    let tiles = rows.div_ceil(4) * (units / 4);
    match (inputs % 4, units % 4) {
        // Vectors cannot be read from operands without elements.
        _ if inputs == 0 => ("general", elements),
        (0, 0) => ("blocks4", tiles),
        (_, 0) => ("columns4", tiles),
        _ => ("general", elements),
    }
}
