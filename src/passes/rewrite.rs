//! Rewriting: a graph taken apart, changed by numbers of nodes, and put together in order.

use super::PassReport;
use crate::graph::{Node, Parts, Weight};
use crate::ops::Op;

/// A graph under a pass.
///
/// Numbers of nodes stay what they are until [`Rewrite::finish`]; nodes that are added come
/// behind the others, and finishing puts them before what uses them.
pub(super) struct Rewrite {
    parts: Parts,
    kept: Vec<bool>,
    /// Whether a node had no use from the start: it is for dead code to remove.
    unused: Vec<bool>,
    /// How often each node is an operand or an output.
    uses: Vec<usize>,
    pub report: PassReport,
}

impl Rewrite {
    pub(super) fn new(parts: Parts, pass: &'static str) -> Self {
        let mut uses = vec![0; parts.nodes.len()];
        let operands = parts.nodes.iter().flat_map(|node| &node.operands);
        operands.chain(parts.outputs.iter().map(|(_, index)| index)).for_each(|&i| uses[i] += 1);
        Rewrite {
            kept: vec![true; parts.nodes.len()],
            unused: uses.iter().map(|&uses| uses == 0).collect(),
            parts,
            uses,
            report: PassReport::new(pass),
        }
    }

    /// Returns how many nodes there are, removed and added ones included.
    pub(super) fn len(&self) -> usize {
        self.parts.nodes.len()
    }

    pub(super) fn node(&self, index: usize) -> &Node {
        &self.parts.nodes[index]
    }

    pub(super) fn weight(&self, number: usize) -> &Weight {
        &self.parts.weights[number]
    }

    pub(super) fn outputs(&self) -> &[(String, usize)] {
        &self.parts.outputs
    }

    /// Counts how often a node is an operand or an output.
    pub(super) fn uses(&self, index: usize) -> usize {
        self.uses[index]
    }

    /// Puts a node in the place of another, whose name and value it takes over.
    pub(super) fn replace(&mut self, index: usize, node: Node) {
        node.operands.iter().for_each(|&operand| self.uses[operand] += 1);
        let old = std::mem::replace(&mut self.parts.nodes[index], node);
        old.operands.iter().for_each(|&operand| self.uses[operand] -= 1);
    }

    /// Adds a node and returns its number.
    pub(super) fn add(&mut self, node: Node) -> usize {
        node.operands.iter().for_each(|&operand| self.uses[operand] += 1);
        self.parts.nodes.push(node);
        self.kept.push(true);
        self.unused.push(false);
        self.uses.push(0);
        self.parts.nodes.len() - 1
    }

    /// Removes a node that nothing uses any more.
    pub(super) fn remove(&mut self, index: usize) {
        if std::mem::replace(&mut self.kept[index], false) {
            let operands = std::mem::take(&mut self.parts.nodes[index].operands);
            for operand in operands {
                self.uses[operand] -= 1;
            }
        }
    }

    /// Lets a node use, in place of each operand, the equal value that `stands` has for it.
    pub(super) fn redirect(&mut self, index: usize, stands: &[usize]) {
        let operands = self.parts.nodes[index].operands.iter_mut();
        replace_all(operands, stands, &mut self.uses);
    }

    /// Lets the outputs be the equal values that `stands` has for them.
    pub(super) fn redirect_outputs(&mut self, stands: &[usize]) {
        let outputs = self.parts.outputs.iter_mut().map(|(_, index)| index);
        replace_all(outputs, stands, &mut self.uses);
    }

    /// Adds a weight and returns its number.
    pub(super) fn add_weight(&mut self, weight: Weight) -> usize {
        self.parts.weights.push(weight);
        self.parts.weights.len() - 1
    }

    /// Removes what no output needs, but for inputs, which each run brings.
    pub(super) fn remove_dead(&mut self) -> Vec<usize> {
        self.unused.fill(false);
        self.sweep()
    }

    /// Removes what a pass has left without a use, but for inputs.
    pub(super) fn sweep(&mut self) -> Vec<usize> {
        let mut removed = Vec::new();
        let dead = |rewrite: &Self, index: usize| {
            let goes = rewrite.kept[index] && !rewrite.unused[index] && rewrite.uses[index] == 0;
            goes && rewrite.node(index).op != Op::Input
        };
        let mut pending: Vec<usize> = (0..self.len()).filter(|&i| dead(self, i)).collect();
        let mut is_pending = vec![false; self.len()];
        for &index in &pending {
            is_pending[index] = true;
        }
        while let Some(index) = pending.pop() {
            let operands = self.node(index).operands.clone();
            self.remove(index);
            removed.push(index);
            for operand in operands {
                if dead(self, operand) && !is_pending[operand] {
                    is_pending[operand] = true;
                    pending.push(operand);
                }
            }
        }
        removed.sort_unstable();
        removed
    }

    /// Puts the parts together: nodes in their old order, except that operands come first.
    pub(super) fn finish(self) -> (Parts, PassReport) {
        let Rewrite { parts, kept, report, .. } = self;
        let mut numbers: Vec<Option<usize>> = vec![None; parts.nodes.len()];
        let mut order = Vec::with_capacity(parts.nodes.len());
        // A stack in place of recursion: a chain may be as long as memory allows.
        let mut stack: Vec<usize> = (0..parts.nodes.len()).rev().filter(|&i| kept[i]).collect();
        while let Some(&index) = stack.last() {
            if numbers[index].is_some() {
                stack.pop();
                continue;
            }
            let operands = &parts.nodes[index].operands;
            let before = stack.len();
            stack.extend(operands.iter().rev().filter(|&&operand| numbers[operand].is_none()));
            if stack.len() == before {
                numbers[index] = Some(order.len());
                order.push(index);
                stack.pop();
            }
        }
        // Every operand and output has been numbered, as it stands among the nodes.
        let number = |index: usize| numbers[index].unwrap_or(usize::MAX);
        let mut nodes: Vec<Option<Node>> = parts.nodes.into_iter().map(Some).collect();
        let ordered = order.iter().filter_map(|&index| {
            let mut node = nodes[index].take()?;
            node.operands.iter_mut().for_each(|operand| *operand = number(*operand));
            Some(node)
        });
        let nodes = ordered.collect();
        let outputs =
            parts.outputs.into_iter().map(|(name, index)| (name, number(index))).collect();
        (Parts { nodes, weights: parts.weights, outputs, whole: parts.whole }, report)
    }
}

fn replace_all<'a>(
    operands: impl Iterator<Item = &'a mut usize>,
    stands: &[usize],
    uses: &mut [usize],
) {
    for operand in operands.filter(|operand| stands[**operand] != **operand) {
        uses[*operand] -= 1;
        *operand = stands[*operand];
        uses[*operand] += 1;
    }
}
