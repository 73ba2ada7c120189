//! Reshapes that split and merge axes, while a transpose is kept back.

use std::ops::Range;

use super::{Pending, Value, Walk, view};
use crate::graph::Node;
use crate::passes::axes::permute;
use crate::shape::{Dim, Shape};

/// A reshape as one of a value whose axes are in another order.
struct Regrouped {
    /// The order to bring the axes in first, where merged ones are apart.
    order: Option<Vec<usize>>,
    /// The shape of the result, whose axis `perm[k]` is axis `k` of the value.
    shape: Shape,
    perm: Vec<usize>,
}

/// Finds what a reshape from one shape to another is where axis `k` is held as axis `perm[k]`.
fn regroup(from: &[Dim], to: &[Dim], perm: &[usize]) -> Option<Regrouped> {
    let groups = groups(from, to)?;
    let is_long = |axis: &usize| from.get(*axis) != Some(&Dim::Fixed(1));
    let mut held = vec![0; perm.len()];
    for (axis, &place) in perm.iter().enumerate() {
        *held.get_mut(place)? = axis;
    }
    // The groups in the order in which they are held; where axes of length 1 stand is no matter.
    let mut sequence: Vec<usize> = Vec::with_capacity(groups.len());
    for axis in &held {
        let group = groups.iter().position(|(axes, _)| axes.contains(axis))?;
        let counts = is_long(axis) || !groups.get(group)?.0.clone().any(|axis| is_long(&axis));
        if counts && !sequence.contains(&group) {
            sequence.push(group);
        }
    }
    let groups = permute(&groups.iter().collect::<Vec<_>>(), &sequence)?;
    let wanted: Vec<usize> = groups.iter().flat_map(|(axes, _)| axes.clone()).collect();
    let is_in_place =
        held.iter().filter(|axis| is_long(axis)).eq(wanted.iter().filter(|axis| is_long(axis)));
    let order = if is_in_place { None } else { Some(permute(perm, &wanted)?) };
    let made: Vec<usize> = groups.iter().flat_map(|(_, axes)| axes.clone()).collect();
    let mut places = vec![0; made.len()];
    for (place, &axis) in made.iter().enumerate() {
        *places.get_mut(axis)? = place;
    }
    Some(Regrouped { order, shape: Shape::new(permute(to, &made)?), perm: places })
}

/// Pairs runs of axes that hold the same elements before and after a reshape.
pub(super) fn groups(from: &[Dim], to: &[Dim]) -> Option<Vec<(Range<usize>, Range<usize>)>> {
    if from.iter().chain(to).any(|dim| *dim == Dim::Fixed(0)) {
        return None;
    }
    let fixed = |dim: Option<&Dim>| match dim {
        Some(Dim::Fixed(length)) => Some(*length),
        _ => None,
    };
    let mut groups: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    let (mut old, mut new) = (0, 0);
    while let (Some(first), Some(second)) = (from.get(old), to.get(new)) {
        let start = (old, new);
        (old, new) = (old + 1, new + 1);
        if first != second {
            let (mut before, mut after) = (fixed(Some(first))?, fixed(Some(second))?);
            while before != after {
                if before < after {
                    before = before.checked_mul(fixed(from.get(old))?)?;
                    old += 1;
                } else {
                    after = after.checked_mul(fixed(to.get(new))?)?;
                    new += 1;
                }
            }
        }
        groups.push((start.0..old, start.1..new));
    }
    // Both have as many elements, so that what is left are axes of length 1.
    let last = groups.last_mut()?;
    (last.0.end, last.1.end) = (from.len(), to.len());
    Some(groups)
}

impl Walk<'_> {
    /// Lets a reshape split and merge axes where they are held.
    ///
    /// Axes that it merges and that are apart are brought together by a transpose, which a walk
    /// that does not gather leaves to the value itself.
    pub(super) fn regrouped(&mut self, node: &Node) -> Option<Value> {
        let operand = *node.operands.first()?;
        let from = self.values.get(operand)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let found = regroup(self.old.node(operand).shape.dims(), node.shape.dims(), perm)?;
        let mut source = from.node;
        if let Some(order) = &found.order {
            // Where the value itself is what is wanted, others may share it.
            if order == perm || from.plain.is_some() {
                return None;
            }
            self.could_gather = true;
            if !self.gathers {
                return None;
            }
            let dims = permute(self.parts.nodes.get(source)?.shape.dims(), order)?;
            let name = self.fresh(&node.name);
            source = self.transposed(name, source, order, Shape::new(dims));
        }
        let is_at_rest = found.perm.iter().copied().eq(0..found.perm.len());
        let name = if is_at_rest { node.name.clone() } else { self.fresh(&node.name) };
        let made = self.push(view(name, source, found.shape));
        let pending = if is_at_rest { Pending::Nothing } else { Pending::Axes(found.perm) };
        Some(Value { node: made, pending, plain: is_at_rest.then_some(made) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Dim, regroup};

    type Found = (Option<Vec<usize>>, Vec<usize>, Vec<usize>);

    /// Regroups shapes of fixed lengths: the order, the shape and the permutation.
    fn found(from: &[usize], to: &[usize], perm: &[usize]) -> Option<Found> {
        let dims =
            |lengths: &[usize]| -> Vec<Dim> { lengths.iter().copied().map(Dim::Fixed).collect() };
        let found = regroup(&dims(from), &dims(to), perm)?;
        Some((found.order, found.shape.resolve(1), found.perm))
    }

    #[test]
    fn a_split_stays_where_the_axis_is() {
        let perm = [0, 3, 1, 2];
        let expected = (None, vec![2, 5, 7, 3, 4], vec![0, 3, 4, 1, 2]);
        assert_eq!(found(&[2, 12, 5, 7], &[2, 3, 4, 5, 7], &perm), Some(expected));
    }

    #[test]
    fn neighbors_in_order_merge_and_others_are_brought_together() {
        let from = [2, 12, 5, 7];
        let merged = (None, vec![2, 35, 12], vec![0, 2, 1]);
        assert_eq!(found(&from, &[2, 12, 35], &[0, 3, 1, 2]), Some(merged));
        // Height follows the channels, and stands first where it was; so does the width.
        let apart = (Some(vec![0, 3, 1, 2]), vec![2, 60, 7], vec![0, 1, 2]);
        assert_eq!(found(&from, &[2, 60, 7], &[0, 3, 1, 2]), Some(apart));
        let shuffled = (Some(vec![0, 1, 2, 4, 3]), vec![2, 5, 7, 12], vec![0, 3, 1, 2]);
        let perm = [0, 4, 3, 1, 2];
        assert_eq!(found(&[2, 4, 3, 5, 7], &[2, 12, 5, 7], &perm), Some(shuffled));
    }

    #[test]
    fn axes_of_length_one_may_stand_anywhere() {
        let dropped = (None, vec![2, 12], vec![0, 1]);
        assert_eq!(found(&[2, 12, 1, 1], &[2, 12], &[0, 3, 1, 2]), Some(dropped));
    }

    #[test]
    fn the_batch_stays_an_axis_of_its_own() {
        let from = [Dim::Batch, Dim::Fixed(4), Dim::Fixed(3)];
        assert!(regroup(&from, &[Dim::Fixed(12), Dim::Batch], &[0, 2, 1]).is_none());
        assert!(regroup(&from, &[Dim::Batch, Dim::Fixed(12)], &[0, 2, 1]).is_some());
    }
}
