//! Values in a given order of axes, made where they are needed.

use super::convert::view;
use super::{Pending, Value, Walk};
use crate::graph::Node;
use crate::ops::Op;
use crate::ops::movement::transpose;
use crate::passes::axes::permute;
use crate::shape::Shape;

impl Walk<'_> {
    /// Returns the node that is an old value itself, and makes it where there is none.
    pub(super) fn plain(&mut self, operand: usize) -> usize {
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

    pub(super) fn transposed(
        &mut self,
        name: String,
        node: usize,
        perm: &[usize],
        shape: Shape,
    ) -> usize {
        let from = &self.parts.nodes[node].shape.clone();
        if let Some(made) = self.reordered(name.clone(), node, from, perm, shape.clone()) {
            return made;
        }
        let (weights, stages, perm) = (Vec::new(), Vec::new(), perm.to_vec());
        let op = Op::Transpose(transpose::Resolved { perm });
        let line = format!("a transpose of {}, as \"{name}\"", self.parts.nodes[node].title());
        self.report.did(line);
        self.push(Node { name, op, operands: vec![node], weights, stages, shape })
    }
}
