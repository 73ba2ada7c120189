//! Padding: an input in the middle, and around it a constant or more of the input.

use super::axes::dense_strides;
use super::{Launch, Shader, count, narrow, shader};
use crate::error::{Error, Result};
use crate::ops::PadMode;

/// Axes that the shader walks over.
const AXES: usize = 6;

/// The family's WGSL.
pub static SHADER: Shader = shader!("pad");

/// What to compute: an input of a shape, with some elements put before and behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape.
    pub input: Vec<usize>,
    /// Elements before and behind each axis; negative ones take away, before any are added.
    pub pads: Vec<[isize; 2]>,
    /// What is put there.
    pub mode: PadMode,
}

/// An axis of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// The output's length.
    pub length: usize,
    /// What is put before the input.
    pub before: usize,
    /// The input's length, after cropping.
    pub inner: usize,
    /// How far the input moves along it.
    pub stride: usize,
}

impl Geometry {
    /// Returns the axes of the output, outermost first and merged where nothing is padded,
    /// and where the cropped input begins.
    pub(crate) fn axes(&self) -> (Vec<Axis>, usize) {
        let strides = dense_strides(&self.input);
        let (mut axes, mut base) = (Vec::<Axis>::new(), 0usize);
        let sizes = self.input.iter().zip(&self.pads).zip(strides);
        for ((&length, &[front, back]), stride) in sizes.rev() {
            let stride = usize::try_from(stride).unwrap_or(usize::MAX);
            let cropped = |pad: isize| if pad < 0 { pad.unsigned_abs() } else { 0 };
            let added = |pad: isize| usize::try_from(pad).unwrap_or(0);
            let inner = length.saturating_sub(cropped(front)).saturating_sub(cropped(back));
            let before = added(front);
            let whole = before.saturating_add(inner).saturating_add(added(back));
            base = base.saturating_add(cropped(front).saturating_mul(stride));
            let outer = Axis { length: whole, before, inner, stride };
            match axes.last_mut() {
                Some(last) if walks_on(last, &outer) => {
                    last.length = last.length.saturating_mul(whole);
                    last.inner = last.length;
                }
                // An axis of one element that stays is no axis.
                _ if outer.length == 1 && outer.inner == 1 => {}
                _ => axes.push(outer),
            }
        }
        axes.reverse();
        (axes, base)
    }
}

/// Tells whether a step along `outer` is what a walk along `inner` is, and neither is padded.
fn walks_on(inner: &Axis, outer: &Axis) -> bool {
    let plain = inner.length == inner.inner && outer.length == outer.inner;
    plain && inner.stride.checked_mul(inner.length) == Some(outer.stride)
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for more than 6 axes that do not merge.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    count(node, "the input", &geometry.input)?;
    let (axes, base) = geometry.axes();
    let (entry, axes, base) = match in_fours(&axes, base) {
        Some((axes, base)) => ("pad4", axes, base),
        None => ("pad", axes, base),
    };
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    let threads = count(node, "the result", &lengths)?;
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("padding of {} axes", axes.len()),
        remedy: format!("merge dimensions by a reshape, {AXES} are handled"),
    })?;
    let filled = |fill: usize, pick: fn(&Axis) -> usize| {
        let mut values = [fill; AXES];
        for (value, axis) in values.iter_mut().skip(missing).zip(&axes) {
            *value = pick(axis);
        }
        values
    };
    let length = narrow(node, "the result", filled(1, |axis| axis.length))?;
    let before = narrow(node, "the pads", filled(0, |axis| axis.before))?;
    let inner = narrow(node, "the input", filled(1, |axis| axis.inner))?;
    let stride = narrow(node, "the input", filled(0, |axis| axis.stride))?;
    let [base] = narrow(node, "the input", [base])?;
    for axis in axes.iter().filter(|axis| axis.length != axis.inner) {
        // The largest number on the way to an index: as far before the input, and a period of it.
        narrow(node, "the pads", [axis.before.saturating_add(axis.inner.saturating_mul(2))])?;
    }
    let (mode, value): (u32, u32) = match geometry.mode {
        PadMode::Constant(value) => (0, value.to_bits()),
        PadMode::Edge => (1, 0),
        PadMode::Reflect => (2, 0),
        PadMode::Wrap => (3, 0),
    };
    SHADER
        .launch(node, entry, threads)
        .set("mode", mode)
        .set("value", value)
        .set("base", base)
        .set_each("length", 1, &length[1..])
        .set_each("before", 0, &before)
        .set_each("inner", 0, &inner)
        .set_each("stride", 0, &stride)
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}

/// Counts in vectors of four, where the last axis stays and everything lies in whole ones.
fn in_fours(axes: &[Axis], base: usize) -> Option<(Vec<Axis>, usize)> {
    let (last, rest) = axes.split_last()?;
    let stays = last.stride == 1 && last.length == last.inner;
    let whole = last.length > 0 && last.length.is_multiple_of(4) && base.is_multiple_of(4);
    if !stays || !whole || !rest.iter().all(|axis| axis.stride.is_multiple_of(4)) {
        return None;
    }
    let mut axes: Vec<Axis> =
        rest.iter().map(|axis| Axis { stride: axis.stride / 4, ..*axis }).collect();
    let quarter = last.length / 4;
    axes.push(Axis { length: quarter, inner: quarter, ..*last });
    Some((axes, base / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_merge_where_nothing_is_padded() {
        let axes = |input: &[usize], pads: &[[isize; 2]]| {
            let mode = PadMode::Edge;
            Geometry { input: input.to_vec(), pads: pads.to_vec(), mode }.axes()
        };
        let axis = |length, before, inner, stride| Axis { length, before, inner, stride };
        assert_eq!(axes(&[2, 3, 5], &[[0, 0]; 3]), (vec![axis(30, 0, 30, 1)], 0));
        assert_eq!(
            axes(&[2, 3, 5], &[[0, 0], [1, 0], [0, 0]]),
            (vec![axis(2, 0, 2, 15), axis(4, 1, 3, 5), axis(5, 0, 5, 1)], 0)
        );
        // Cropping moves the base and breaks the walk outside, not inside.
        assert_eq!(
            axes(&[2, 4, 5], &[[0, 0], [-1, -1], [0, 0]]),
            (vec![axis(2, 0, 2, 20), axis(10, 0, 10, 1)], 5)
        );
        assert_eq!(axes(&[1, 1], &[[0, 0]; 2]), (vec![], 0));
        // An axis of one element that is cropped on one side and filled on the other.
        assert_eq!(axes(&[1, 2], &[[-1, 1], [0, 0]]).0[0], axis(1, 0, 0, 2));
    }
}
