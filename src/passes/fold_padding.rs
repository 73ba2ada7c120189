//! Padding folded into the windows that go over it.

use super::rewrite::Rewrite;
use super::{PassReport, alone};
use crate::error::Result;
use crate::graph::{Graph, Parts};
use crate::ops::movement::pad;
use crate::ops::{Op, PadMode, Pads, PoolMode};

/// The pass's name.
pub const NAME: &str = "fold_padding";

/// Lets a convolution or pooling pad in place of a node that puts something around its image:
/// zeros, or -infinity for a maximum.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn fold_padding(graph: &Graph) -> Result<(Graph, PassReport)> {
    alone(graph, apply)
}

/// As [`fold_padding`], over a graph taken apart.
#[expect(clippy::unnecessary_wraps, reason = "a pass may fail")]
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    for index in 0..rewrite.len() {
        let node = rewrite.node(index);
        let Some(&x) = node.operands.first() else { continue };
        let Op::Pad(padding) = &rewrite.node(x).op else { continue };
        let Some((value, pads)) = around_images(padding) else { continue };
        let Some(op) = padded(&node.op, value, pads) else { continue };
        let line = format!("{} into {}", rewrite.node(x).title(), node.title());
        let mut folded = node.clone();
        folded.op = op;
        folded.operands[0] = rewrite.node(x).operands[0];
        rewrite.replace(index, folded);
        rewrite.report.did(line);
    }
    rewrite.sweep();
    Ok(rewrite.finish())
}

/// Returns what a padding of height and width alone puts there, and how much.
fn around_images(padding: &pad::Resolved) -> Option<(f32, Pads)> {
    let PadMode::Constant(value) = padding.mode else { return None };
    let &[[0, 0], vertical, horizontal, [0, 0]] = padding.pads.as_slice() else { return None };
    let length = |pad: isize| usize::try_from(pad).ok();
    let pads = Pads {
        top: length(vertical[0])?,
        bottom: length(vertical[1])?,
        left: length(horizontal[0])?,
        right: length(horizontal[1])?,
    };
    Some((value, pads))
}

/// Returns the operation over the image without its padding, if there is one that gives the same.
fn padded(op: &Op, value: f32, pads: Pads) -> Option<Op> {
    // A convolution's own padding is zeros.
    if let (Op::Conv2d(layer), true) = (op, value == 0.0) {
        let mut layer = *layer;
        layer.pads = sum(layer.pads, pads)?;
        return Some(Op::Conv2d(layer));
    }
    let Op::Pool2d(layer) = op else { return None };
    let none = Pads { top: 0, bottom: 0, left: 0, right: 0 };
    let mut layer = *layer;
    let fits = match layer.mode {
        PoolMode::Max => value == f32::NEG_INFINITY,
        // Zeros count as pixels.
        PoolMode::Average => value == 0.0 && (layer.count_include_pad || layer.pads == none),
        PoolMode::Lp(_) => value == 0.0,
    };
    layer.count_include_pad |= layer.mode == PoolMode::Average;
    layer.pads = sum(layer.pads, pads)?;
    // A window of padding alone is no pooling's.
    let reach = |taps: usize, dilation: usize| taps.saturating_sub(1).saturating_mul(dilation);
    let (taps, dilation) = (layer.kernel_size, layer.dilation);
    let rows = reach(taps.height, dilation.height);
    let columns = reach(taps.width, dilation.width);
    let Pads { top, bottom, left, right } = layer.pads;
    let within = top.max(bottom) <= rows && left.max(right) <= columns;
    (fits && within).then_some(Op::Pool2d(layer))
}

fn sum(one: Pads, other: Pads) -> Option<Pads> {
    Some(Pads {
        top: one.top.checked_add(other.top)?,
        bottom: one.bottom.checked_add(other.bottom)?,
        left: one.left.checked_add(other.left)?,
        right: one.right.checked_add(other.right)?,
    })
}
