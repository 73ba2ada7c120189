//! Transposes: canceled, moved behind what does not depend on the order of axes, and folded into
//! constants and kernels.

mod convert;
mod flattened;
mod lift;
mod orders;
mod products;
mod regroup;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use convert::view;

use super::PassReport;
use super::axes::permute;
use crate::error::Result;
use crate::graph::{Graph, Node, Parts, Weight};
use crate::ops::{Op, Stage};
use crate::shape::Shape;

/// The pass's name.
pub const NAME: &str = "move_transposes";

/// Lets nodes work on the axes in the order in which their operand was made, so that a network
/// with channels first, made of layers with channels last, keeps the transposes at its ends alone.
///
/// A transpose is kept back until a node depends on the order of axes, and made there, once;
/// two that meet become one or none. Constants are transposed on the host, as is the kernel of
/// a dense layer behind a flattened image; a matrix product reads a turned operand as it lies. A
/// transpose that moves axes of length 1 alone becomes a reshape, which takes no step. A graph that would not have fewer
/// transposes, or would have more steps, stays as it is.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn move_transposes(graph: &Graph) -> Result<(Graph, PassReport)> {
    super::alone(graph, apply)
}

/// As [`move_transposes`], over a graph taken apart.
#[expect(clippy::unnecessary_wraps, reason = "a pass may fail")]
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    if transposes(&parts) == 0 {
        return Ok((parts, PassReport::new(NAME)));
    }
    let (mut after, mut report) = best_of(&parts, PassReport::new(NAME));
    if let Some((lifted, lines)) = lift::lifted(parts.clone()) {
        let (other, others) = best_of(&lifted, lines);
        if transposes(&other) < transposes(&after) {
            (after, report) = (other, others);
        }
    }
    if transposes(&after) < transposes(&parts) && steps(&after) <= steps(&parts) {
        Ok((after, report))
    } else {
        Ok((parts, PassReport::new(NAME)))
    }
}

/// Walks over a graph, and a second time where bringing axes together may leave fewer transposes.
fn best_of(parts: &Parts, report: PassReport) -> (Parts, PassReport) {
    let (after, lines, could_gather) = Walk::new(parts, false, report.clone()).all();
    if could_gather {
        let (other, others, _) = Walk::new(parts, true, report).all();
        if transposes(&other) < transposes(&after) {
            return (other, others);
        }
    }
    (after, lines)
}

fn transposes(parts: &Parts) -> usize {
    parts.nodes.iter().filter(|node| matches!(node.op, Op::Transpose(_))).count()
}

/// Counts the steps of a plan, more or less. Where a transpose moved axes of length 1 alone, one that is
/// kept back may move longer ones in the end, and an output that was one becomes a copy.
fn steps(parts: &Parts) -> usize {
    let steps = |node: &Node| {
        let is_none = matches!(node.op, Op::Input | Op::Constant | Op::Reshape);
        let pieces = if let Op::Concat(_) = node.op { node.operands.len() } else { 1 };
        if is_none { 0 } else { pieces }
    };
    parts.nodes.iter().map(steps).sum()
}

/// What stands between a node of the new graph and the value of an old one.
#[derive(Clone, PartialEq)]
enum Pending {
    Nothing,
    /// Axis `k` of the value is axis `perm[k]` of the node.
    Axes(Vec<usize>),
    /// The node's last axis holds axes of these lengths, batch included, of which the value's
    /// holds the same in another order.
    Flat {
        shape: Shape,
        perm: Vec<usize>,
    },
}

/// The value of an old node.
struct Value {
    /// The new node that holds its elements.
    node: usize,
    pending: Pending,
    /// The new node that is the value itself, once it was needed.
    plain: Option<usize>,
}

struct Walk<'a> {
    old: &'a Parts,
    values: Vec<Value>,
    parts: Parts,
    names: BTreeSet<String>,
    /// Old values in other orders of axes, which were made for one node and serve for others.
    converted: BTreeMap<(usize, Vec<usize>), usize>,
    report: PassReport,
    /// Whether axes that a reshape merges are brought together, and whether any could be.
    gathers: bool,
    could_gather: bool,
}

impl<'a> Walk<'a> {
    fn new(old: &'a Parts, gathers: bool, report: PassReport) -> Self {
        let names = old.nodes.iter().map(|node| node.name.clone()).collect();
        let weights = old.weights.clone();
        let whole = old.whole.clone();
        let parts = Parts { nodes: Vec::new(), weights, outputs: Vec::new(), whole };
        Walk {
            old,
            values: Vec::new(),
            parts,
            names,
            converted: BTreeMap::new(),
            report,
            gathers,
            could_gather: false,
        }
    }

    fn visit(&mut self, index: usize) {
        let node = self.old.node(index);
        let value = self.carried(node, index).unwrap_or_else(|| self.as_it_was(node));
        self.values.push(value);
    }

    /// Makes a node over what its operand is a transpose of; `None` where it needs the transpose.
    fn carried(&mut self, node: &Node, index: usize) -> Option<Value> {
        if let Op::Transpose(rule) = &node.op {
            return self.keep_back(node, &rule.perm);
        }
        if let Op::Reshape = &node.op {
            return self.flatten(node).or_else(|| self.regrouped(node));
        }
        if let Op::Dense = &node.op {
            return self.dense(node);
        }
        if let Op::MatMul(rule) = &node.op {
            return self.product(node, rule);
        }
        if let Op::Moments(rule) = &node.op {
            return self.moments(node, index, rule);
        }
        if let Op::Normalization(rule) = &node.op {
            return self.normalized(node, rule);
        }
        let moved = self.moved(node);
        if let (None, Op::Reduce(rule)) = (&moved, &node.op) {
            return self.reduced(node, rule);
        }
        moved
    }

    /// Copies a node over operands that are what they were.
    fn as_it_was(&mut self, node: &Node) -> Value {
        let operands = node.operands.iter().map(|&operand| self.plain(operand)).collect();
        let node = self.push(Node { operands, ..node.clone() });
        Value { node, pending: Pending::Nothing, plain: Some(node) }
    }

    /// Adds a transpose to what is pending on its operand.
    fn keep_back(&mut self, node: &Node, perm: &[usize]) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let perm = match &from.pending {
            Pending::Nothing => perm.to_vec(),
            Pending::Axes(before) => permute(before, perm)?,
            Pending::Flat { .. } => return None,
        };
        let at_rest = perm.iter().copied().eq(0..perm.len());
        let (pending, plain) =
            if at_rest { (Pending::Nothing, Some(from.node)) } else { (Pending::Axes(perm), None) };
        let from = from.node;
        self.report.did(format!("{}, kept back until it is needed", node.title()));
        Some(Value { node: from, pending, plain })
    }

    /// Lets a node work on its operands' axes in their own order.
    fn moved(&mut self, node: &Node) -> Option<Value> {
        // An epilogue's operand would have to move as well.
        if node.stages.iter().any(Stage::reads_extra) {
            return None;
        }
        let op = &node.op;
        let pending = self.choose(node)?;
        let (op, operands, shape) = match &pending {
            Pending::Nothing => return None,
            Pending::Flat { .. } => {
                let &[operand] = node.operands.as_slice() else { return None };
                if !matches!(op, Op::Activation(_)) {
                    return None;
                }
                (op.clone(), vec![self.values.get(operand)?.node], node.shape.clone())
            }
            Pending::Axes(perm) => {
                let op = node.op.operator().reordered(node, perm)?;
                let operands: Option<Vec<usize>> =
                    node.operands.iter().map(|&operand| self.convert(operand, perm)).collect();
                let mut dims = node.shape.dims().to_vec();
                for (&axis, &dim) in perm.iter().zip(node.shape.dims()) {
                    *dims.get_mut(axis)? = dim;
                }
                (op, operands?, Shape::new(dims))
            }
        };
        let name = self.fresh(&node.name);
        let node = self.push(Node { name, op, operands, shape, ..node.clone() });
        Some(Value { node, pending, plain: None })
    }

    /// Returns what a node's result would have pending: that of its longest operand that has any.
    fn choose(&self, node: &Node) -> Option<Pending> {
        let mut best: Option<(usize, &Pending)> = None;
        for &operand in &node.operands {
            let value = self.values.get(operand)?;
            let shape = &self.old.node(operand).shape;
            if value.pending == Pending::Nothing || shape.rank() != node.shape.rank() {
                continue;
            }
            // Any batch would do to compare them.
            let elements = shape.resolve(1).into_iter().fold(1, usize::saturating_mul);
            if best.is_none_or(|(most, _)| elements > most) {
                best = Some((elements, &value.pending));
            }
        }
        best.map(|(_, pending)| pending.clone())
    }

    fn push(&mut self, node: Node) -> usize {
        self.parts.nodes.push(node);
        self.parts.nodes.len() - 1
    }

    fn add_weight(&mut self, weight: Weight) -> usize {
        self.parts.weights.push(weight);
        self.parts.weights.len() - 1
    }

    /// Makes a name that no node has.
    fn fresh(&mut self, name: &str) -> String {
        let mut number = 1usize;
        loop {
            let wish = format!("{name}/moved{number}");
            if self.names.insert(wish.clone()) {
                return wish;
            }
            number += 1;
        }
    }

    /// Visits every node; returns the graph, and whether a walk that gathers differs.
    fn all(mut self) -> (Parts, PassReport, bool) {
        for index in 0..self.old.nodes.len() {
            self.visit(index);
        }
        for (name, index) in &self.old.outputs {
            let mut node = self.plain(*index);
            let was_made = !matches!(self.old.node(*index).op, Op::Input | Op::Constant);
            // An output of its own stays one: a run's outputs are the caller's.
            if was_made && matches!(self.parts.nodes[node].op, Op::Input | Op::Constant) {
                let Node { name, shape, .. } = self.old.node(*index).clone();
                let op = Op::Activation(crate::ops::UnaryOp::Linear);
                let (weights, stages) = (Vec::new(), Vec::new());
                node = self.push(Node { name, op, operands: vec![node], weights, stages, shape });
            }
            self.parts.outputs.push((name.clone(), node));
        }
        (self.parts, self.report, self.could_gather)
    }
}
