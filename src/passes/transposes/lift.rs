//! Normalizations of a reshaped value, as group normalization is often written, made ones of the
//! value itself, so that their rows are found where it is held.

use super::NAME;
use super::regroup::groups;
use super::rows::runs;
use crate::graph::{Node, Parts};
use crate::ops::Op;
use crate::ops::normalization::moments;
use crate::ops::normalization::moments::Part;
use crate::ops::normalization::normalization;
use crate::passes::PassReport;
use crate::passes::rewrite::Rewrite;
use crate::shape::{Dim, Shape};

/// Takes the reshapes before normalizations away; `None` where there are none.
pub(super) fn lifted(parts: Parts) -> Option<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    for index in 0..rewrite.len() {
        if let Some((rows, moments, normalization)) = lift(&rewrite, index) {
            replace(&mut rewrite, index, (rows, moments), normalization);
        }
    }
    if !rewrite.report.changed() {
        return None;
    }
    rewrite.sweep();
    Some(rewrite.finish())
}

/// Makes the moments and the normalization of what a normalized value is a reshape of, if rows
/// can be told from its axes; returns the number of the moments as well.
fn lift(rewrite: &Rewrite, index: usize) -> Option<(usize, Node, Node)> {
    let node = rewrite.node(index);
    let Op::Normalization(rule) = &node.op else { return None };
    let &[view, rows] = node.operands.as_slice() else { return None };
    let (reshape, before) = (rewrite.node(view), rewrite.node(rows));
    let Op::Moments(moments) = &before.op else { return None };
    let is_alone = rewrite.uses(rows) == 1 && before.operands == [view];
    let are_same = moments.split == rule.split && moments.reduced == rule.reduced;
    let is_plain = node.stages.is_empty() && moments.part == Part::Both;
    if reshape.op != Op::Reshape || !is_alone || !are_same || !is_plain {
        return None;
    }
    let source = *reshape.operands.first()?;
    let shape = rewrite.node(source).shape.clone();
    let parts = parts(shape.dims(), rule.split.dims())?;
    let split = Shape::new(parts.iter().map(|(dim, _)| *dim));
    let is_reduced = |axis: usize| rule.reduced.get(axis).copied();
    let reduced: Vec<bool> =
        parts.iter().map(|(_, axis)| axis.map_or(Some(true), is_reduced)).collect::<Option<_>>()?;
    let along = |weight: &Vec<usize>| -> Vec<usize> {
        let has = |axis: usize| weight.get(axis).is_some_and(|&length| length != 1);
        let part = |(dim, axis): &(Dim, Option<usize>)| match (dim, axis) {
            (Dim::Fixed(length), Some(axis)) if has(*axis) => *length,
            _ => 1,
        };
        parts.iter().map(part).collect()
    };
    // What is made is what a layer over the value would be.
    runs(&shape, &split, &reduced)?;
    let is_along_rows = |weight: &Vec<usize>| {
        let both = weight.iter().zip(&rule.reduced);
        both.into_iter().any(|(&length, &reduced)| length != 1 && reduced == (split != shape))
    };
    if rule.scale.iter().chain(&rule.bias).any(is_along_rows) {
        return None;
    }
    let kept = parts.iter().zip(&reduced).filter(|(_, gone)| !**gone).map(|((dim, _), _)| *dim);
    let moments = Node {
        op: Op::Moments(moments::Resolved {
            split: split.clone(),
            reduced: reduced.clone(),
            ..moments.clone()
        }),
        operands: vec![source],
        shape: Shape::new(kept.chain([Dim::Fixed(2)])),
        ..before.clone()
    };
    let (scale, bias) = (rule.scale.as_ref().map(along), rule.bias.as_ref().map(along));
    let op = Op::Normalization(normalization::Resolved { split, reduced, scale, bias });
    let operands = vec![source, rows];
    Some((rows, moments, Node { op, operands, shape, ..node.clone() }))
}

/// Puts both nodes in the place of the old ones, and a reshape behind them for those that need it.
fn replace(rewrite: &mut Rewrite, index: usize, rows: (usize, Node), mut made: Node) {
    let old = rewrite.node(index).clone();
    rewrite.report.did(format!("{} over what its operand is a reshape of", old.title()));
    let is_taken = |name: &str| (0..rewrite.len()).any(|other| rewrite.node(other).name == name);
    made.name.push_str("/lifted");
    while is_taken(&made.name) {
        made.name.push('_');
    }
    let shape = made.shape.clone();
    rewrite.replace(rows.0, rows.1);
    let made = rewrite.add(made);
    let (op, operands, weights) = (Op::Reshape, vec![made], Vec::new());
    rewrite.replace(index, Node { op, operands, weights, ..old });
    for other in 0..rewrite.len() {
        let user = rewrite.node(other);
        if user.op != Op::Reshape || user.operands != [index] {
            continue;
        }
        if user.shape == shape {
            stand_in(rewrite, other, made);
        } else {
            let user = Node { operands: vec![made], ..user.clone() };
            rewrite.replace(other, user);
        }
    }
}

/// Lets everything that uses one value use another, an equal one.
fn stand_in(rewrite: &mut Rewrite, from: usize, to: usize) {
    let mut stands: Vec<usize> = (0..rewrite.len()).collect();
    stands[from] = to;
    for index in 0..rewrite.len() {
        rewrite.redirect(index, &stands);
    }
    rewrite.redirect_outputs(&stands);
}

/// Splits the axes of two shapes of one value until each part belongs to one axis of both; tells
/// the parts' lengths and the second shape's axes. `None` where lengths do not divide each other.
fn parts(from: &[Dim], to: &[Dim]) -> Option<Vec<(Dim, Option<usize>)>> {
    let length = |dims: &[Dim], axis: usize| match dims.get(axis) {
        Some(Dim::Fixed(length)) => *length,
        _ => 1,
    };
    let mut parts = Vec::new();
    for (olds, news) in groups(from, to)? {
        let (mut old, mut new) = (olds.start, news.start);
        if from.get(old) == Some(&Dim::Batch) {
            parts.push((Dim::Batch, Some(new)));
            (old, new) = (old + 1, new + 1);
        }
        let (mut before, mut after) = (length(from, old), length(to, new));
        while old < olds.end && new < news.end {
            // Neither is 0: shapes without elements have no groups.
            let part = if before % after == 0 { after } else { before };
            if after % part != 0 {
                return None;
            }
            // What only the second shape has is left out.
            if part > 1 || before == 1 {
                parts.push((Dim::Fixed(part), Some(new)));
            }
            (before, after) = (before / part, after / part);
            if before == 1 {
                old += 1;
                before = length(from, old);
            }
            if after == 1 {
                new += 1;
                after = length(to, new);
            }
        }
        parts.extend((old..olds.end).map(|_| (Dim::Fixed(1), None)));
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::{Dim, parts};

    /// The parts of shapes of fixed lengths.
    fn found(from: &[usize], to: &[usize]) -> Option<Vec<(usize, Option<usize>)>> {
        let dims =
            |lengths: &[usize]| -> Vec<Dim> { lengths.iter().copied().map(Dim::Fixed).collect() };
        let parts = parts(&dims(from), &dims(to))?;
        Some(parts.into_iter().map(|(dim, axis)| (dim.resolve(1), axis)).collect())
    }

    #[test]
    fn groups_of_channels_and_what_is_behind_them() {
        let wanted = vec![(2, Some(0)), (3, Some(1)), (4, Some(2)), (5, Some(2)), (7, Some(2))];
        assert_eq!(found(&[2, 12, 5, 7], &[2, 3, 140]), Some(wanted));
        let wanted = vec![(2, Some(0)), (12, Some(2)), (5, Some(2))];
        assert_eq!(found(&[2, 12, 5], &[2, 1, 60]), Some(wanted));
        // Three channels to a part of two axes: no axis holds either.
        assert_eq!(found(&[2, 6, 4], &[2, 4, 6]), None);
    }

    #[test]
    fn axes_of_length_one_are_parts_of_their_own() {
        let wanted = vec![(2, Some(0)), (6, Some(1)), (1, None), (1, None)];
        assert_eq!(found(&[2, 6, 1, 1], &[2, 6]), Some(wanted));
        let wanted = vec![(2, Some(0)), (6, Some(2))];
        assert_eq!(found(&[2, 6], &[2, 1, 6]), Some(wanted));
        let wanted = vec![(2, Some(0)), (1, Some(1)), (6, Some(1))];
        assert_eq!(found(&[2, 1, 6], &[2, 6]), Some(wanted));
        assert_eq!(found(&[2, 0], &[2, 0]), None);
    }

    #[test]
    fn the_batch_is_a_part() {
        let from = [Dim::Batch, Dim::Fixed(4), Dim::Fixed(3)];
        let wanted =
            vec![(Dim::Batch, Some(0)), (Dim::Fixed(4), Some(1)), (Dim::Fixed(3), Some(1))];
        assert_eq!(parts(&from, &[Dim::Batch, Dim::Fixed(12)]), Some(wanted));
    }
}
