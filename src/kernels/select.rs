//! Choosing between two values, element by element, with NumPy broadcasting.

use super::axes::{Axis, broadcast};
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::{Error, Result};

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/select.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

/// Axes that the shader walks over.
const AXES: usize = 6;

parameters! {
    threads: u32,
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    condition0: u32,
    condition1: u32,
    condition2: u32,
    condition3: u32,
    condition4: u32,
    condition5: u32,
    true0: u32,
    true1: u32,
    true2: u32,
    true3: u32,
    true4: u32,
    true5: u32,
    false0: u32,
    false1: u32,
    false2: u32,
    false3: u32,
    false4: u32,
    false5: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "select",
    source: SOURCE,
    entries: &["same4", "broadcast"],
    bindings: &[Binding::Params, Binding::Read, Binding::Read, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What to compute: operands of three shapes that broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The condition's shape.
    pub condition: Vec<usize>,
    /// The shape of what is taken where the condition is not zero.
    pub on_true: Vec<usize>,
    /// The shape of what is taken elsewhere.
    pub on_false: Vec<usize>,
}

impl Geometry {
    /// Returns the axes of the output that remain after merging, with the operands' strides.
    pub(crate) fn axes(&self) -> Vec<Axis<3>> {
        broadcast([&self.condition, &self.on_true, &self.on_false])
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for operands that alternate between more than 6 runs of axes that
/// broadcast and axes that do not (so never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    count(node, "the condition", &geometry.condition)?;
    count(node, "the operand for true", &geometry.on_true)?;
    count(node, "the operand for false", &geometry.on_false)?;
    let axes = geometry.axes();
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    let elements = count(node, "the output", &lengths)?;
    let is_same = matches!(axes.as_slice(), [Axis { strides: [1, 1, 1], .. }]);
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("broadcasting over {} runs of axes", axes.len()),
        remedy: format!("reshape the operands, {AXES} are handled"),
    })?;
    let mut padded = [[1, 0, 0, 0]; AXES];
    for (place, axis) in padded.iter_mut().skip(missing).zip(&axes) {
        // No stride is negative here.
        let [c, t, f] = axis.strides.map(|stride| usize::try_from(stride).unwrap_or(usize::MAX));
        *place = [axis.length, c, t, f];
    }
    let [_, length1, length2, length3, length4, length5] =
        narrow(node, "the output", padded.map(|axis| axis[0]))?;
    let [condition0, condition1, condition2, condition3, condition4, condition5] =
        narrow(node, "the condition", padded.map(|axis| axis[1]))?;
    let [true0, true1, true2, true3, true4, true5] =
        narrow(node, "the operand for true", padded.map(|axis| axis[2]))?;
    let [false0, false1, false2, false3, false4, false5] =
        narrow(node, "the operand for false", padded.map(|axis| axis[3]))?;
    let four = is_same && elements > 0 && elements.is_multiple_of(4);
    let (entry, threads) = if four { ("same4", elements / 4) } else { ("broadcast", elements) };
    #[rustfmt::skip]
    let params = Params {
        threads,
        length1, length2, length3, length4, length5,
        condition0, condition1, condition2, condition3, condition4, condition5,
        true0, true1, true2, true3, true4, true5,
        false0, false1, false2, false3, false4, false5,
    };
    Ok(Launch {
        kernel: Kernel { family: Family::Select, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
