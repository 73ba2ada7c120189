//! Constant folding: what depends on constants alone is computed once, on the host.

use std::collections::BTreeMap;

use super::PassReport;
use super::evaluate::evaluate;
use super::rewrite::Rewrite;
use super::values;
use crate::error::Result;
use crate::graph::{Graph, Node, Parts};
use crate::host::AVAILABLE;
use crate::ops::Op;
use crate::shape::byte_count;

/// The pass's name.
pub const NAME: &str = "fold_constants";

/// How many bytes one folded node may add to the weights.
pub const MOST_ADDED_BYTES: u64 = 64 << 10;

/// How many bytes all folded nodes may add to the weights.
pub const MOST_ADDED_IN_ALL: u64 = 64 << 20;

/// Replaces nodes whose operands are all constants by constants.
///
/// A node stays where its result would make the weights larger by more than
/// [`MOST_ADDED_BYTES`]: a value that is expanded or tiled far is cheaper to compute than to
/// upload; or where all have added [`MOST_ADDED_IN_ALL`]. It stays too where a weight is a tensor that is staged already, whose numbers the host
/// does not have, and where the result is not finite, as an upload would refuse it.
///
/// # Errors
///
/// What [`Graph::check`] reports, and what planning reports for a node of constants.
pub fn fold_constants(graph: &Graph) -> Result<(Graph, PassReport)> {
    super::alone(graph, apply)
}

/// As [`fold_constants`], over a graph taken apart.
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    let mut left = MOST_ADDED_IN_ALL;
    for index in 0..rewrite.len() {
        if !is_of_constants(&rewrite, index) {
            continue;
        }
        if !AVAILABLE {
            let title = rewrite.node(index).title();
            rewrite.report.left_alone(format!("{title}, as longshore lacks its feature `host`"));
            continue;
        }
        match fold(&mut rewrite, index, &mut left)? {
            Ok(line) => rewrite.report.did(line),
            Err(reason) => {
                let title = rewrite.node(index).title();
                rewrite.report.left_alone(format!("{title}, {reason}"));
            }
        }
    }
    // Constants that only the folded nodes needed go with them.
    rewrite.sweep();
    Ok(rewrite.finish())
}

fn is_of_constants(rewrite: &Rewrite, index: usize) -> bool {
    let node = rewrite.node(index);
    let is_constant = |&operand: &usize| rewrite.node(operand).op == Op::Constant;
    !node.operands.is_empty() && node.operands.iter().all(is_constant) && !node.shape.has_batch()
}

/// Folds one node, or says why it stays.
fn fold(
    rewrite: &mut Rewrite,
    index: usize,
    left: &mut u64,
) -> Result<Result<String, &'static str>> {
    let node = rewrite.node(index);
    let weights: Vec<usize> = node
        .weights
        .iter()
        .copied()
        .chain(
            node.operands.iter().flat_map(|&operand| rewrite.node(operand).weights.iter().copied()),
        )
        .collect();
    if weights.iter().any(|&weight| values::is_staged(rewrite.weight(weight))) {
        return Ok(Err("whose constants are staged tensors"));
    }
    let result = byte_count(&node.title(), &node.shape.resolve(1))?;
    let mut replaced = 0u64;
    for &operand in node.operands.iter().filter(|&&operand| rewrite.uses(operand) == 1) {
        let constant = rewrite.node(operand);
        let bytes = byte_count(&constant.title(), &constant.shape.resolve(1))?;
        replaced = replaced.saturating_add(bytes);
    }
    let added = result.saturating_sub(replaced);
    if added > MOST_ADDED_BYTES {
        return Ok(Err("which would make the weights larger by more than 64 KiB"));
    }
    let Some(rest) = left.checked_sub(added) else {
        return Ok(Err("as folding has made the weights larger by 64 MiB already"));
    };
    let (title, name) = (node.title(), node.name.clone());
    let Some(value) = evaluate(&alone(rewrite, index))? else {
        return Ok(Err("whose constants the host cannot read"));
    };
    let Some(weight) = values::make(&name, value) else {
        return Ok(Err("whose result is not finite"));
    };
    *left = rest;
    let shape = rewrite.node(index).shape.clone();
    let weight = rewrite.add_weight(weight);
    let op = Op::Constant;
    let constant =
        Node { name, op, operands: Vec::new(), weights: vec![weight], stages: Vec::new(), shape };
    rewrite.replace(index, constant);
    Ok(Ok(title))
}

/// Makes a graph of a node and its operands, which are constants.
fn alone(rewrite: &Rewrite, index: usize) -> Graph {
    let mut nodes: Vec<Node> = Vec::new();
    // Its own weights alone: the graph may have very many.
    let mut weights = Vec::new();
    let mut take = |mut node: Node| {
        for weight in &mut node.weights {
            weights.push(rewrite.weight(*weight).clone());
            *weight = weights.len() - 1;
        }
        node
    };
    let mut node = take(rewrite.node(index).clone());
    for operand in &mut node.operands {
        nodes.push(take(rewrite.node(*operand).clone()));
        *operand = nodes.len() - 1;
    }
    // A name of its own for each copy is not needed: nothing looks them up.
    nodes.push(node);
    let outputs = vec![("value".to_owned(), nodes.len() - 1)];
    Graph::from_parts(Parts { nodes, weights, outputs, whole: BTreeMap::new() })
}
