//! Padding folded into the windows that go over it.

use super::PassReport;
use super::rewrite::Rewrite;
use crate::error::Result;
use crate::graph::{Graph, Op, PadMode, Pads, pad};

/// The pass's name.
pub const NAME: &str = "fold_padding";

/// Lets a convolution pad in place of a node that puts zeros around its image.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn fold_padding(graph: &Graph) -> Result<(Graph, PassReport)> {
    graph.check()?;
    let mut rewrite = Rewrite::new(graph, NAME);
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
    match op {
        // A convolution's own padding is zeros.
        Op::Conv2d(layer) if value == 0.0 => {
            let mut layer = *layer;
            layer.pads = sum(layer.pads, pads)?;
            Some(Op::Conv2d(layer))
        }
        _ => None,
    }
}

fn sum(one: Pads, other: Pads) -> Option<Pads> {
    Some(Pads {
        top: one.top.checked_add(other.top)?,
        bottom: one.bottom.checked_add(other.bottom)?,
        left: one.left.checked_add(other.left)?,
        right: one.right.checked_add(other.right)?,
    })
}
