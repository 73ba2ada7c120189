//! Padding with a constant or with the input's own elements.

use super::Step;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::pad::{Axis, Geometry};
use crate::ops::PadMode;

/// Fills the result line by line, along its last axis.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let (axes, base) = geometry.axes();
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    step.check_length("the output", &lengths, result.len())?;
    let [input] = step.operands([("input", &geometry.input)])?;
    if geometry.pads.len() != geometry.input.len() {
        let shapes = format!("{geometry:?}");
        return step.refuse(
            "has another number of pads",
            "there is one pair for each axis",
            shapes,
        );
    }
    let mode = geometry.mode;
    let constant = if let PadMode::Constant(value) = mode { value } else { 0.0 };
    let single = Axis { length: 1, before: 0, inner: 1, stride: 1 };
    let (inner, outer) = axes.split_last().unwrap_or((&single, &[]));
    for_each_run(result, inner.length, inner.length, |first, run| {
        for (number, line) in run.chunks_exact_mut(inner.length).enumerate() {
            match begin(outer, first + number, base, mode) {
                Some(from) => fill(line, *inner, input, from, mode, constant),
                None => line.fill(constant),
            }
        }
    });
    Ok(())
}

/// Returns where a line of the result begins in the input, unless it lies outside.
fn begin(outer: &[Axis], mut line: usize, base: usize, mode: PadMode) -> Option<usize> {
    let mut from = base;
    for axis in outer.iter().rev() {
        let index = line % axis.length;
        line /= axis.length;
        from += source(axis, index, mode)? * axis.stride;
    }
    Some(from)
}

/// Fills a line: what is before the input, the input, what is behind it.
fn fill(line: &mut [f32], axis: Axis, input: &[f32], from: usize, mode: PadMode, constant: f32) {
    let end = axis.before + axis.inner;
    let element = |index: usize| match source(&axis, index, mode) {
        Some(place) => input[from + place * axis.stride],
        None => constant,
    };
    for index in (0..axis.before).chain(end..axis.length) {
        line[index] = element(index);
    }
    let inside = &mut line[axis.before..end];
    if axis.stride == 1 && axis.inner > 0 {
        inside.copy_from_slice(&input[from..][..axis.inner]);
    } else {
        for (place, value) in inside.iter_mut().enumerate() {
            *value = input[from + place * axis.stride];
        }
    }
}

/// Returns which of the input's elements along an axis stands at an index of the result.
fn source(axis: &Axis, index: usize, mode: PadMode) -> Option<usize> {
    let (before, n) = (axis.before, axis.inner);
    let ahead = before.saturating_sub(index);
    if ahead == 0 && index - before < n {
        return Some(index - before);
    }
    // How far into a period: counted from the end of one where the index is ahead of the input.
    let phase = |period: usize| match ahead {
        0 => (index - before) % period,
        _ => (period - ahead % period) % period,
    };
    match mode {
        PadMode::Constant(_) => None,
        PadMode::Edge => Some(if ahead > 0 { 0 } else { n.saturating_sub(1) }),
        PadMode::Reflect => {
            let period = (2 * n).saturating_sub(2).max(1);
            let phase = phase(period);
            Some(if phase < n { phase } else { period - phase })
        }
        PadMode::Wrap => Some(phase(n.max(1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_repeat_on_both_sides() {
        let axis = Axis { length: 16, before: 6, inner: 4, stride: 1 };
        let all = |mode| -> Vec<Option<usize>> {
            (0..axis.length).map(|index| source(&axis, index, mode)).collect()
        };
        let some = |places: [usize; 16]| places.map(Some).to_vec();
        let wrapped = some([2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
        assert_eq!(all(PadMode::Wrap), wrapped);
        assert_eq!(all(PadMode::Reflect), some([0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]));
        assert_eq!(all(PadMode::Edge), some([0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3, 3, 3]));
        assert_eq!(all(PadMode::Constant(1.0)).iter().flatten().count(), 4);
    }
}
