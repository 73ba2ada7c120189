//! Fusion: element-wise nodes become epilogue stages of the node that makes their operand.

use super::rewrite::Rewrite;
use super::{PassReport, alone};
use crate::error::Result;
use crate::graph::{Graph, Node, Parts};
use crate::ops::epilogue::{MAX_STAGES, own_stages, repeats_over};
use crate::ops::{Op, Stage, UnaryOp};

/// The pass's name.
pub const NAME: &str = "fuse_epilogues";

/// Lets a kernel apply the element-wise nodes that follow it, in chains of up to
/// [`MAX_STAGES`] stages with at most one further operand.
///
/// A value that something else uses, or that is an output, is not fused away. A function of two
/// operands is fused when the other one has the result's shape, that of its last axes, or one
/// element; of two producers the later one takes it, so that the other operand stands before it.
/// The fused node has the name of the last node in the chain, whose value it is.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn fuse_epilogues(graph: &Graph) -> Result<(Graph, PassReport)> {
    alone(graph, apply)
}

/// As [`fuse_epilogues`], over a graph taken apart.
#[expect(clippy::unnecessary_wraps, reason = "a pass may fail")]
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    for index in 0..rewrite.len() {
        let Some((producer, fused)) = fuse(&rewrite, index) else { continue };
        let line = describe(&rewrite, producer, index);
        // The fused node stands where the consumer stood, behind all operands of both.
        rewrite.replace(index, fused);
        rewrite.remove(producer);
        rewrite.report.did(line);
    }
    Ok(rewrite.finish())
}

/// Splits a node's operands into its own and its epilogue's.
fn split_extra(node: &Node) -> (&[usize], Option<usize>) {
    match node.operands.split_last() {
        Some((&extra, own)) if node.stages.iter().any(Stage::reads_extra) => (own, Some(extra)),
        _ => (&node.operands, None),
    }
}

/// Returns the producer that takes a node in, and the node that both become.
fn fuse(rewrite: &Rewrite, index: usize) -> Option<(usize, Node)> {
    let node = rewrite.node(index);
    let (own, extra) = split_extra(node);
    // Which operand a producer may make, the operand beside it, and the stage.
    let choices = if let (Op::Activation(function), &[x]) = (&node.op, own) {
        let is_stage = *function != UnaryOp::Linear;
        vec![(x, None, is_stage.then_some(Stage::Unary(*function)))]
    } else if let (Op::Binary(operation), &[left, right]) = (&node.op, own) {
        let stage = |swapped| Some(Stage::Binary { operation: *operation, swapped });
        let mut both = vec![(left, Some(right), stage(false)), (right, Some(left), stage(true))];
        both.sort_by_key(|(producer, ..)| std::cmp::Reverse(*producer));
        both
    } else {
        return None;
    };
    choices.into_iter().find_map(|(producer, beside, stage)| {
        let extras: Vec<usize> = beside.into_iter().chain(extra).collect();
        let fused = fused(rewrite, (producer, index), stage, &extras)?;
        Some((producer, fused))
    })
}

/// Makes the node of a producer and its one user, if they fit together.
fn fused(
    rewrite: &Rewrite,
    (producer, user): (usize, usize),
    stage: Option<Stage>,
    extras: &[usize],
) -> Option<Node> {
    let (from, to) = (rewrite.node(producer), rewrite.node(user));
    if rewrite.uses(producer) != 1 || !from.op.operator().has_epilogue() || from.shape != to.shape {
        return None;
    }
    let (own, extra) = split_extra(from);
    let mut extras = extra.iter().chain(extras);
    let extra = extras.next().copied();
    if extras.any(|other| Some(*other) != extra) {
        return None;
    }
    if extra.is_some_and(|extra| !repeats_over(&rewrite.node(extra).shape, &to.shape)) {
        return None;
    }
    let stages: Vec<Stage> =
        from.stages.iter().copied().chain(stage).chain(to.stages.iter().copied()).collect();
    if own_stages(&from.op) + stages.len() > MAX_STAGES {
        return None;
    }
    Some(Node {
        name: to.name.clone(),
        op: from.op.clone(),
        operands: own.iter().copied().chain(extra).collect(),
        weights: from.weights.clone(),
        stages,
        shape: to.shape.clone(),
    })
}

fn describe(rewrite: &Rewrite, producer: usize, user: usize) -> String {
    let (from, to) = (rewrite.node(producer), rewrite.node(user));
    let (own, _) = split_extra(to);
    let beside = own.iter().find(|&&operand| operand != producer);
    let beside = beside
        .map(|&operand| format!(" with \"{}\"", rewrite.node(operand).name))
        .unwrap_or_default();
    format!("{}{beside} into {}", to.title(), from.title())
}
