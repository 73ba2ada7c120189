//! Transposes: cancelled, moved behind what does not depend on the order of axes, and folded into
//! constants and kernels.

mod convert;
mod regroup;

use std::collections::{BTreeMap, BTreeSet};

use convert::view;

use super::PassReport;
use super::axes::{in_order_of, is_view, moved_op, permute};
use super::values;
use crate::error::Result;
use crate::graph::{Graph, Node, Op, Parts, Stage, Weight, reduce};
use crate::shape::{Dim, Shape};

/// The pass's name.
pub const NAME: &str = "move_transposes";

/// Lets nodes work on the axes in the order in which their operand was made, so that a network
/// with channels first, made of layers with channels last, keeps the transposes at its ends alone.
///
/// A transpose is kept back until a node depends on the order of axes, and made there, once;
/// two that meet become one or none. Constants are transposed on the host, as is the kernel of
/// a dense layer behind a flattened image. A transpose that moves axes of length 1 alone becomes
/// a reshape, which takes no step. A graph that would not have fewer transposes stays as it is.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn move_transposes(graph: &Graph) -> Result<(Graph, PassReport)> {
    graph.check()?;
    let (mut after, mut report, could_gather) = Walk::new(graph, false).all();
    if could_gather {
        let (other, others, _) = Walk::new(graph, true).all();
        if transposes(&other) < transposes(&after) {
            (after, report) = (other, others);
        }
    }
    if transposes(&after) < transposes(graph) {
        Ok((after, report))
    } else {
        Ok((graph.clone(), PassReport::new(NAME)))
    }
}

fn transposes(graph: &Graph) -> usize {
    graph.nodes().iter().filter(|node| matches!(node.op, Op::Transpose { .. })).count()
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
    old: &'a Graph,
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
    fn new(old: &'a Graph, gathers: bool) -> Self {
        let names = old.nodes().iter().map(|node| node.name.clone()).collect();
        let Parts { weights, .. } = old.parts();
        let parts = Parts { nodes: Vec::new(), weights, outputs: Vec::new() };
        let report = PassReport::new(NAME);
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
        let value = match &node.op {
            Op::Transpose { perm } => self.keep_back(node, perm),
            Op::Reshape => self.flatten(node).or_else(|| self.regrouped(node)),
            Op::Dense => self.dense(node),
            Op::Reduce(rule) => match self.moved(node) {
                Some(value) => Some(value),
                None => self.reduced(node, rule),
            },
            _ => self.moved(node),
        };
        let value = value.unwrap_or_else(|| self.as_it_was(node));
        self.values.push(value);
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

    /// Lets a reshape that merges all axes behind the first keep a transpose back.
    fn flatten(&mut self, node: &Node) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let shape = self.parts.nodes.get(from.node)?.shape.clone();
        let [first, Dim::Fixed(_)] = node.shape.dims() else { return None };
        let keeps_first = perm.first() == Some(&0) && shape.dims().first() == Some(first);
        if !keeps_first || is_view(&shape, perm) {
            return None;
        }
        let (perm, operand) = (perm.clone(), from.node);
        let name = self.fresh(&node.name);
        let node = self.push(Node { name, operands: vec![operand], ..node.clone() });
        Some(Value { node, pending: Pending::Flat { shape, perm }, plain: None })
    }

    /// Permutes the rows of a dense layer's kernel as its flattened operand's.
    fn dense(&mut self, node: &Node) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let Pending::Flat { shape, perm } = &from.pending else { return None };
        let old = self.parts.weights.get(*node.weights.first()?)?;
        let rows: Option<Vec<usize>> = shape
            .dims()
            .iter()
            .skip(1)
            .map(|dim| match dim {
                Dim::Fixed(length) => Some(*length),
                Dim::Batch => None,
            })
            .collect();
        let Some(kernel) = values::read(old) else {
            self.report.left_alone(format!("{}: its kernel cannot be read", node.title()));
            return None;
        };
        // Without its first axis, which stays.
        let perm: Vec<usize> = perm.iter().skip(1).filter_map(|axis| axis.checked_sub(1)).collect();
        let kernel = in_order_of(kernel, &rows?, &perm)?;
        let label = old.label().to_owned();
        let operand = from.node;
        let mut weights = node.weights.clone();
        let weight = self.add_weight(values::make(&label, kernel)?);
        *weights.first_mut()? = weight;
        let mut operands = node.operands.clone();
        *operands.first_mut()? = operand;
        for other in operands.iter_mut().skip(1) {
            *other = self.plain(*other);
        }
        self.report.did(format!("a transpose into the kernel of {}", node.title()));
        let node = self.push(Node { operands, weights, ..node.clone() });
        Some(Value { node, pending: Pending::Nothing, plain: Some(node) })
    }

    /// Lets a reduction that drops axes keep a transpose of the others back.
    fn reduced(&mut self, node: &Node, rule: &reduce::Resolved) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let (operand, dims) = (from.node, self.parts.nodes.get(from.node)?.shape.dims().to_vec());
        let mut reduced = vec![false; perm.len()];
        for (&axis, &is_reduced) in perm.iter().zip(&rule.reduced) {
            *reduced.get_mut(axis)? = is_reduced;
        }
        let left: Vec<usize> = (0..dims.len()).filter(|&axis| !reduced[axis]).collect();
        let shape = Shape::new(permute(&dims, &left)?);
        if shape.rank() != node.shape.rank() {
            return None;
        }
        let kept = perm.iter().zip(&rule.reduced).filter(|(_, is_reduced)| !**is_reduced);
        let place = |(axis, _): (&usize, &bool)| left.iter().position(|left| left == axis);
        let order: Vec<usize> = kept.map(place).collect::<Option<_>>()?;
        let at_rest = order.iter().copied().eq(0..order.len());
        let op = Op::Reduce(reduce::Resolved { reduced, ..rule.clone() });
        let name = if at_rest { node.name.clone() } else { self.fresh(&node.name) };
        let made = self.push(Node { name, op, operands: vec![operand], shape, ..node.clone() });
        let pending = if at_rest { Pending::Nothing } else { Pending::Axes(order) };
        Some(Value { node: made, pending, plain: at_rest.then_some(made) })
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
                let op = moved_op(node, perm)?;
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

    /// Returns the node that is an old value itself, and makes it where there is none.
    fn plain(&mut self, operand: usize) -> usize {
        let Value { node, pending, plain } = &self.values[operand];
        if let Some(plain) = plain {
            return *plain;
        }
        let (old, node) = (self.old.node(operand), *node);
        let (name, shape) = (old.name.clone(), old.shape.clone());
        let made = match pending.clone() {
            Pending::Nothing => node,
            Pending::Axes(perm) => self.transposed(name, node, &perm, shape),
            Pending::Flat { shape: held, perm } => {
                let unflattened = self.fresh(&name);
                let image = self.push(view(unflattened, node, held.clone()));
                // Both are as long: the axes were checked to be a permutation.
                let dims = permute(held.dims(), &perm).unwrap_or_default();
                let moved = self.fresh(&name);
                let moved = self.transposed(moved, image, &perm, Shape::new(dims));
                self.push(view(name, moved, shape))
            }
        };
        self.values[operand].plain = Some(made);
        made
    }

    fn transposed(&mut self, name: String, node: usize, perm: &[usize], shape: Shape) -> usize {
        let from = &self.parts.nodes[node].shape.clone();
        if let Some(made) = self.reordered(name.clone(), node, from, perm, shape.clone()) {
            return made;
        }
        let (weights, stages, perm) = (Vec::new(), Vec::new(), perm.to_vec());
        let op = Op::Transpose { perm };
        let line = format!("a transpose of {}, as \"{name}\"", self.parts.nodes[node].title());
        self.report.did(line);
        self.push(Node { name, op, operands: vec![node], weights, stages, shape })
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
    fn all(mut self) -> (Graph, PassReport, bool) {
        for index in 0..self.old.nodes().len() {
            self.visit(index);
        }
        for (name, index) in self.old.outputs() {
            let mut node = self.plain(*index);
            let was_made = !matches!(self.old.node(*index).op, Op::Input | Op::Constant);
            // An output of its own stays one: a run's outputs are the caller's.
            if was_made && matches!(self.parts.nodes[node].op, Op::Input | Op::Constant) {
                let Node { name, shape, .. } = self.old.node(*index).clone();
                let op = Op::Activation(crate::graph::Activation::Linear);
                let (weights, stages) = (Vec::new(), Vec::new());
                node = self.push(Node { name, op, operands: vec![node], weights, stages, shape });
            }
            self.parts.outputs.push((name.clone(), node));
        }
        (Graph::from_parts(self.parts), self.report, self.could_gather)
    }
}
