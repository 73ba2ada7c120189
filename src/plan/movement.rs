//! From the nodes that only move elements to their steps' work.

use crate::kernels::axes::{Axis, dense_strides};
use crate::kernels::{Work, copy, gather, pad};
use crate::ops::movement::depth_to_space::Resolved;
use crate::ops::{DepthMode, Op};

/// Describes a movement of one operand; `None` for a node that is none, or whose shapes do not
/// belong to it.
pub(super) fn work(op: &Op, input: &[usize], output: &[usize]) -> Option<Work> {
    match op {
        Op::Transpose { perm } => {
            let strides = dense_strides(input);
            let along = |&axis: &usize| strides.get(axis).copied();
            walk(output, perm.iter().map(along).collect::<Option<_>>()?, 0)
        }
        Op::Slice { starts, steps } => slice(input, output, starts, steps),
        Op::Expand => {
            let missing = output.len().checked_sub(input.len())?;
            let along = input.iter().zip(dense_strides(input));
            let strides = along.map(|(&length, stride)| if length == 1 { 0 } else { stride });
            walk(output, vec![0; missing].into_iter().chain(strides).collect(), 0)
        }
        Op::Tile { repeats } => tile(input, output, repeats),
        Op::DepthToSpace(rule) => blocks(rule, input, output, false),
        Op::SpaceToDepth(rule) => blocks(rule, output, input, true),
        Op::Pad(rule) => {
            if rule.pads.iter().flatten().any(|&pad| pad > 0) {
                let (input, pads) = (input.to_vec(), rule.pads.clone());
                return Some(Work::Pad(pad::Geometry { input, pads, mode: rule.mode }));
            }
            // Nothing is added: it is a slice.
            let starts: Vec<usize> = rule.pads.iter().map(|pads| pads[0].unsigned_abs()).collect();
            slice(input, output, &starts, &vec![1; starts.len()])
        }
        Op::Gather { axis, indices } => {
            let (before, rest) = input.split_at_checked(*axis)?;
            let (&length, after) = rest.split_first()?;
            let (outer, inner) = (before.iter().product(), after.iter().product());
            let indices = indices.clone();
            Some(Work::Gather(gather::Geometry { outer, length, inner, indices }))
        }
        _ => None,
    }
}

/// Describes a join: one step for each operand that has elements.
pub(super) fn concat(
    axis: usize,
    inputs: Vec<Vec<usize>>,
    output: &[usize],
) -> Option<Vec<(Work, Vec<usize>)>> {
    let out_strides = dense_strides(output);
    let out_stride = usize::try_from(*out_strides.get(axis)?).ok()?;
    let mut steps = Vec::with_capacity(inputs.len());
    let mut before = 0usize;
    for (number, input) in inputs.into_iter().enumerate() {
        let length = *input.get(axis)?;
        if !input.contains(&0) {
            let strides = dense_strides(&input);
            let out_base = before.checked_mul(out_stride)?;
            let axes = zip(&input, &strides, &out_strides);
            steps.push((Work::Copy(copy::Geometry { axes, base: 0, out_base }), vec![number]));
        }
        before = before.checked_add(length)?;
    }
    Some(steps)
}

/// Walks along the whole output in order, and along the input with these strides.
fn walk(output: &[usize], strides: Vec<i64>, base: usize) -> Option<Work> {
    (strides.len() == output.len()).then(|| {
        let axes = zip(output, &strides, &dense_strides(output));
        Work::Copy(copy::Geometry { axes, base, out_base: 0 })
    })
}

fn zip(lengths: &[usize], strides: &[i64], out_strides: &[i64]) -> Vec<Axis<2>> {
    let both = strides.iter().zip(out_strides);
    let axis = |(&length, (&one, &two))| Axis { length, strides: [one, two] };
    lengths.iter().zip(both).map(axis).collect()
}

fn slice(input: &[usize], output: &[usize], starts: &[usize], steps: &[isize]) -> Option<Work> {
    let (mut base, mut strides) = (0usize, Vec::with_capacity(input.len()));
    for ((stride, &start), &step) in dense_strides(input).into_iter().zip(starts).zip(steps) {
        // Steps beyond the input are taken from no more than its one element.
        strides.push(stride.saturating_mul(i64::try_from(step).ok()?));
        base = base.checked_add(start.checked_mul(usize::try_from(stride).ok()?)?)?;
    }
    walk(output, strides, base)
}

fn tile(input: &[usize], output: &[usize], repeats: &[usize]) -> Option<Work> {
    let (strides, out_strides) = (dense_strides(input), dense_strides(output));
    let mut axes = Vec::with_capacity(2 * input.len());
    for (axis, &repeat) in repeats.iter().enumerate() {
        let (length, stride) = (*input.get(axis)?, *strides.get(axis)?);
        let out = *out_strides.get(axis)?;
        let whole = out.saturating_mul(i64::try_from(length).ok()?);
        axes.push(Axis { length: repeat, strides: [0, whole] });
        axes.push(Axis { length, strides: [stride, out] });
    }
    Some(Work::Copy(copy::Geometry { axes, base: 0, out_base: 0 }))
}

/// Walks along deep pixels (batch, h, w, channels) and wide ones (batch, h * block, w * block,
/// depth); `back` from the wide ones to the deep.
fn blocks(rule: &Resolved, deep: &[usize], wide: &[usize], back: bool) -> Option<Work> {
    let &[batch, height, width, _] = deep else { return None };
    let depth = *wide.last()?;
    let block = rule.block_size;
    let dense = |shape: [usize; 6]| dense_strides(&shape);
    // Both as (batch, h, row, w, column, depth).
    let wide = dense([batch, height, block, width, block, depth]);
    let order = match rule.mode {
        DepthMode::Dcr => dense([batch, height, width, block, block, depth]),
        DepthMode::Crd => dense([batch, height, width, depth, block, block]),
    };
    let &[n, h, w, a, b, c] = order.as_slice() else { return None };
    let [row, column, channel] = match rule.mode {
        DepthMode::Dcr => [a, b, c],
        DepthMode::Crd => [b, c, a],
    };
    let deep = [n, h, row, w, column, channel];
    let lengths = [batch, height, block, width, block, depth];
    let axes = if back { zip(&lengths, &wide, &deep) } else { zip(&lengths, &deep, &wide) };
    Some(Work::Copy(copy::Geometry { axes, base: 0, out_base: 0 }))
}
