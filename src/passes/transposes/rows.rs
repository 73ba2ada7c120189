//! Rows of axes that are held in another order: reductions that drop axes, moments, and the
//! normalizations that take them.

use std::ops::Range;

use super::{Pending, Value, Walk};
use crate::graph::{Node, Weight};
use crate::ops::normalization::moments::{self, Part};
use crate::ops::normalization::normalization;
use crate::ops::reduction::reduce::{self, MOST_AXES};
use crate::ops::{Op, Stage};
use crate::passes::axes::{is_view, permute};
use crate::passes::values;
use crate::shape::{Dim, Shape};

/// Tells which axes of a split shape each axis has become, as layers split them: none, or the one
/// of groups into two, of which rows span the second. `None` for what no layer makes.
pub(super) fn runs(shape: &Shape, split: &Shape, reduced: &[bool]) -> Option<Vec<Range<usize>>> {
    if split == shape {
        return Some((0..shape.rank()).map(|axis| axis..axis + 1).collect());
    }
    let mut kept = (0..reduced.len()).filter(|&axis| reduced.get(axis) == Some(&false));
    let (Some(0), Some(axis), None) = (kept.next(), kept.next(), kept.next()) else { return None };
    let Some(&[Dim::Fixed(groups), Dim::Fixed(each)]) = split.dims().get(axis..axis + 2) else {
        return None;
    };
    let mut dims = split.dims().to_vec();
    dims.splice(axis..axis + 2, [Dim::Fixed(groups.checked_mul(each)?)]);
    let behind = |place: usize| usize::from(place > axis);
    let run = |place: usize| {
        let first = place + behind(place);
        first..first + 1 + usize::from(place == axis)
    };
    (dims == shape.dims()).then(|| (0..dims.len()).map(run).collect())
}

/// Lists the axes of a split shape as they are held, where axis `k` of what it splits is held as
/// axis `perm[k]`.
fn held(shape: &Shape, split: &Shape, reduced: &[bool], perm: &[usize]) -> Option<Vec<usize>> {
    let runs = runs(shape, split, reduced)?;
    let keeps_items = perm.first() == Some(&0) || split == shape;
    if split.rank() > MOST_AXES || !keeps_items {
        return None;
    }
    let mut order = vec![0; perm.len()];
    for (axis, &place) in perm.iter().enumerate() {
        *order.get_mut(place)? = axis;
    }
    let runs: Option<Vec<_>> = order.iter().map(|&axis| runs.get(axis)).collect();
    Some(runs?.into_iter().flat_map(Clone::clone).collect())
}

/// Returns where each row's moments are held: the place of every axis that rows do not span, and
/// of the last one, of mean and deviation.
fn places_of_rows(reduced: &[bool], held: &[usize]) -> Vec<usize> {
    let is_kept = |axis: &usize| reduced.get(*axis) == Some(&false);
    let kept: Vec<usize> = held.iter().copied().filter(is_kept).collect();
    let axes = (0..reduced.len()).filter(is_kept);
    let places = axes.filter_map(|axis| kept.iter().position(|held| *held == axis));
    places.chain([kept.len()]).collect()
}

/// A weight along held axes: a new one where its numbers had to be moved, and its shape.
type Moved = (Option<Weight>, Vec<usize>);

impl Walk<'_> {
    /// Lets a reduction that drops axes keep a transpose of the others back.
    pub(super) fn reduced(&mut self, node: &Node, rule: &reduce::Resolved) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        if perm.len() > MOST_AXES {
            return None;
        }
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
        let op = Op::Reduce(reduce::Resolved { reduced, ..rule.clone() });
        self.over_rows(node, op, vec![operand], order)
    }

    /// Takes the moments of rows whose axes are held in another order.
    pub(super) fn moments(
        &mut self,
        node: &Node,
        index: usize,
        rule: &moments::Resolved,
    ) -> Option<Value> {
        let operand = *node.operands.first()?;
        let from = self.values.get(operand)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let shape = &self.old.node(operand).shape;
        let held = held(shape, &rule.split, &rule.reduced, perm)?;
        let order = match rule.part {
            Part::Both => places_of_rows(&rule.reduced, &held),
            Part::Mean | Part::InverseDeviation => (0..held.len())
                .map(|axis| held.iter().position(|held| *held == axis))
                .collect::<Option<_>>()?,
        };
        // A normalization that stays where it was would need the rows in their own order.
        let users = self.old.nodes.iter().filter(|user| user.operands.get(1) == Some(&index));
        let can_follow = |user: &Node| {
            let Op::Normalization(rule) = &user.op else { return true };
            self.weights_along(user, rule, &held).is_some()
        };
        if !order.iter().copied().eq(0..order.len()) && !users.into_iter().all(can_follow) {
            return None;
        }
        let op = Op::Moments(moments::Resolved {
            split: Shape::new(permute(rule.split.dims(), &held)?),
            reduced: permute(&rule.reduced, &held)?,
            ..rule.clone()
        });
        let source = from.node;
        self.over_rows(node, op, vec![source], order)
    }

    /// Normalizes rows whose axes are held in another order, with the weights in that order.
    pub(super) fn normalized(
        &mut self,
        node: &Node,
        rule: &normalization::Resolved,
    ) -> Option<Value> {
        let &[x, rows] = node.operands.as_slice() else { return None };
        let from = self.values.get(x)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let (source, perm) = (from.node, perm.clone());
        let held = held(&self.old.node(x).shape, &rule.split, &rule.reduced, &perm)?;
        let Some(moved) = self.weights_along(node, rule, &held) else {
            self.report.left_alone(format!("{}: its weights cannot be moved", node.title()));
            return None;
        };
        let rows = self.convert(rows, &places_of_rows(&rule.reduced, &held))?;
        let mut weights = node.weights.clone();
        let mut shapes = Vec::with_capacity(moved.len());
        for (number, (weight, shape)) in weights.iter_mut().zip(moved) {
            if let Some(weight) = weight {
                self.report.did(format!("a transpose into a weight of {}", node.title()));
                *number = self.add_weight(weight);
            }
            shapes.push(shape);
        }
        let mut shapes = shapes.into_iter();
        let op = Op::Normalization(normalization::Resolved {
            split: Shape::new(permute(rule.split.dims(), &held)?),
            reduced: permute(&rule.reduced, &held)?,
            scale: rule.scale.as_ref().and_then(|_| shapes.next()),
            bias: rule.bias.as_ref().and_then(|_| shapes.next()),
        });
        let node = Node { weights, ..node.clone() };
        self.over_rows(&node, op, vec![source, rows], perm)
    }

    /// Lays the weights of a normalization along held axes; `None` where the host cannot read one
    /// whose numbers would move.
    fn weights_along(
        &self,
        node: &Node,
        rule: &normalization::Resolved,
        held: &[usize],
    ) -> Option<Vec<Moved>> {
        // An epilogue's operand would have to move as well.
        if node.stages.iter().any(Stage::reads_extra) {
            return None;
        }
        let is_split = node.shape != rule.split;
        let reduced = permute(&rule.reduced, held)?;
        let shapes = rule.scale.iter().chain(&rule.bias);
        let moved = shapes.zip(&node.weights).map(|(shape, &weight)| {
            let laid = permute(shape, held)?;
            let weight = self.parts.weights.get(weight)?;
            // A weight of rows has their lengths, the last of them at least, as it is given.
            let rows = laid.iter().zip(&reduced).filter(|(_, reduced)| **reduced);
            let lengths: Vec<usize> = rows.map(|(length, _)| *length).collect();
            let missing = lengths.len().checked_sub(weight.shape().len());
            let fits = missing.is_some_and(|missing| {
                lengths.iter().take(missing).all(|&length| length == 1)
                    && lengths.get(missing..) == Some(weight.shape())
            });
            let is_in_order = is_view(&Shape::new(shape.iter().copied().map(Dim::Fixed)), held);
            if is_in_order && (is_split || fits) {
                return Some((None, laid));
            }
            let numbers = values::read(weight)?.into_shape_with_order(shape.as_slice()).ok()?;
            let numbers = numbers.permuted_axes(held).as_standard_layout().into_owned();
            let numbers = numbers.into_shape_with_order(lengths).ok()?;
            Some((Some(values::make(weight.label(), numbers)?), laid))
        });
        moved.collect()
    }

    /// Adds a node whose value has its axis `k` at place `order[k]`.
    fn over_rows(
        &mut self,
        node: &Node,
        op: Op,
        operands: Vec<usize>,
        order: Vec<usize>,
    ) -> Option<Value> {
        let mut dims = node.shape.dims().to_vec();
        for (&place, &dim) in order.iter().zip(node.shape.dims()) {
            *dims.get_mut(place)? = dim;
        }
        let shape = Shape::new(dims);
        let at_rest = order.iter().copied().eq(0..order.len());
        let name = if at_rest { node.name.clone() } else { self.fresh(&node.name) };
        let made = self.push(Node { name, op, operands, shape, ..node.clone() });
        let pending = if at_rest { Pending::Nothing } else { Pending::Axes(order) };
        Some(Value { node: made, pending, plain: at_rest.then_some(made) })
    }
}
