//! Normalisation by moments of the element's row, with scale and bias.

use super::epilogue::{append, staged};
use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::{Error, Result};
use crate::ops::Epilogue;

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/normalization.wgsl"),
    include_str!("../../shaders/staged/normalization.wgsl"),
    include_str!("../../shaders/shared/epilogue.wgsl"),
    include_str!("../../shaders/shared/activate.wgsl"),
    include_str!("../../shaders/shared/combine.wgsl"),
    include_str!("../../shaders/shared/exponential.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);
/// What entry points without stages need of it.
pub(super) const PLAIN: &str = concat!(
    include_str!("../../shaders/normalization.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
    include_str!("../../shaders/shared/unstaged.wgsl"),
);

/// Axes that the shader walks over.
const AXES: usize = 6;

parameters! {
    threads: u32,
    has_scale: u32,
    has_bias: u32,
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    row0: u32,
    row1: u32,
    row2: u32,
    row3: u32,
    row4: u32,
    row5: u32,
    scale0: u32,
    scale1: u32,
    scale2: u32,
    scale3: u32,
    scale4: u32,
    scale5: u32,
    bias0: u32,
    bias1: u32,
    bias2: u32,
    bias3: u32,
    bias4: u32,
    bias5: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "normalization",
    source: SOURCE,
    entries: &["general", "general_staged"],
    bindings: &[
        Binding::Params,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Read,
        Binding::Write,
        Binding::Extra,
    ],
    fields: FIELDS,
};

/// What to compute. The operands are the input, the moments (rows, 2), then scale and bias where
/// there are any.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Which axes a row spans, one for each of the input's.
    pub reduced: Vec<bool>,
    /// The shape of the scale, with a length for each of the input's axes, which broadcasts.
    pub scale: Option<Vec<usize>>,
    /// The same of the bias.
    pub bias: Option<Vec<usize>>,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// An axis of the input: its length, and how far row, scale and bias move along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub length: usize,
    /// Strides of the row, the scale and the bias.
    pub strides: [usize; 3],
}

/// Lists the axes that matter, neighbours joined where every operand walks on.
pub(crate) fn axes(geometry: &Geometry) -> Vec<Axis> {
    let kept: Vec<usize> = geometry
        .input
        .iter()
        .zip(&geometry.reduced)
        .map(|(&length, &reduced)| if reduced { 1 } else { length })
        .collect();
    let none = vec![1; geometry.input.len()];
    let shapes =
        [&kept, geometry.scale.as_ref().unwrap_or(&none), geometry.bias.as_ref().unwrap_or(&none)];
    let mut next = [1usize; 3];
    let mut axes: Vec<Axis> = Vec::new();
    for (axis, &length) in geometry.input.iter().enumerate().rev() {
        let mut strides = [0; 3];
        for ((stride, next), shape) in strides.iter_mut().zip(&mut next).zip(shapes) {
            // A missing length broadcasts.
            let own = shape.get(axis).copied().unwrap_or(1);
            if own != 1 {
                *stride = *next;
                *next = next.saturating_mul(own);
            }
        }
        if length == 1 {
            continue;
        }
        let walks_on = |inner: &Axis| {
            let both = inner.strides.iter().zip(strides);
            both.into_iter().all(|(one, other)| one.checked_mul(inner.length) == Some(other))
        };
        match axes.last_mut() {
            Some(inner) if walks_on(inner) => inner.length = inner.length.saturating_mul(length),
            _ => axes.push(Axis { length, strides }),
        }
    }
    axes.reverse();
    axes
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for more than 6 axes along which the operands differ (so never at rank 6
/// or below, the split of a channel axis included).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let threads = count(node, "the output", &geometry.input)?;
    let axes = axes(geometry);
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("a normalisation over {} runs of axes", axes.len()),
        remedy: format!("reshape the operand, {AXES} are handled"),
    })?;
    let padded = |fill: usize, pick: &dyn Fn(&Axis) -> usize| {
        let mut values = [fill; AXES];
        for (value, axis) in values.iter_mut().skip(missing).zip(&axes) {
            *value = pick(axis);
        }
        narrow(node, "the input", values)
    };
    let [_, length1, length2, length3, length4, length5] = padded(1, &|axis| axis.length)?;
    let [row0, row1, row2, row3, row4, row5] = padded(0, &|axis| axis.strides[0])?;
    let [scale0, scale1, scale2, scale3, scale4, scale5] = padded(0, &|axis| axis.strides[1])?;
    let [bias0, bias1, bias2, bias3, bias4, bias5] = padded(0, &|axis| axis.strides[2])?;
    let (has_scale, has_bias) = (geometry.scale.is_some().into(), geometry.bias.is_some().into());
    #[rustfmt::skip]
    let params = Params {
        threads, has_scale, has_bias,
        length1, length2, length3, length4, length5,
        row0, row1, row2, row3, row4, row5,
        scale0, scale1, scale2, scale3, scale4, scale5,
        bias0, bias1, bias2, bias3, bias4, bias5,
    };
    let entry = staged(&geometry.epilogue, "general", "general_staged");
    Ok(Launch {
        kernel: Kernel { family: Family::Normalization, entry },
        params: append(node, bytemuck::bytes_of(&params).to_vec(), &geometry.epilogue)?,
        table: Vec::new(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}
