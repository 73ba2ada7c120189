//! Values in a given order of axes, made where they are needed.

use super::{Pending, Value, Walk, view};
use crate::graph::{Node, Op};
use crate::passes::axes::{is_view, permute};
use crate::passes::values;
use crate::shape::{Dim, Shape};

impl Walk<'_> {
    /// Returns a node of which the old value is a given transpose, if that takes no step.
    pub(super) fn convert(&mut self, operand: usize, perm: &[usize]) -> Option<usize> {
        let (value, old) = (self.values.get(operand)?, self.old.node(operand));
        let real = value.node;
        let (shape, held) = match &value.pending {
            Pending::Axes(held) if held == perm => return Some(real),
            Pending::Nothing if perm.iter().copied().eq(0..old.shape.rank()) => return Some(real),
            Pending::Axes(held) => (self.parts.nodes.get(real)?.shape.clone(), held.clone()),
            Pending::Nothing => {
                // NumPy's broadcasting: axes of length 1 stand in front.
                let missing = perm.len().checked_sub(old.shape.rank())?;
                let ones = std::iter::repeat_n(Dim::Fixed(1), missing);
                let shape = Shape::new(ones.chain(old.shape.dims().iter().copied()));
                (shape, (0..perm.len()).collect())
            }
            Pending::Flat { .. } => return None,
        };
        let mut inverse = vec![0; perm.len()];
        for (to, &axis) in perm.iter().enumerate() {
            *inverse.get_mut(axis)? = to;
        }
        let order = permute(&held, &inverse)?;
        let dims = permute(shape.dims(), &order)?;
        let name = self.parts.nodes.get(real)?.name.clone();
        let name = self.fresh(&name);
        self.reordered(name, real, &shape, &order, Shape::new(dims))
    }

    /// Transposes where that is a reshape, or a constant that the host can read.
    fn reordered(
        &mut self,
        name: String,
        node: usize,
        shape: &Shape,
        order: &[usize],
        result: Shape,
    ) -> Option<usize> {
        let source = self.parts.nodes.get(node)?;
        if is_view(shape, order) {
            if source.shape == result {
                return Some(node);
            }
            return Some(self.push(view(name, node, result)));
        }
        let weight = self.parts.weights.get(*source.weights.first()?)?;
        let values = (source.op == Op::Constant).then(|| values::read(weight)).flatten()?;
        let values = values.into_shape_with_order(shape.resolve(1)).ok()?;
        let values = values.permuted_axes(order).as_standard_layout().into_owned();
        let weight = values::make(weight.label(), values)?;
        let weights = vec![self.add_weight(weight)];
        let (op, operands, stages) = (Op::Constant, Vec::new(), Vec::new());
        Some(self.push(Node { name, op, operands, weights, stages, shape: result }))
    }

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
        let op = Op::Transpose { perm };
        let line = format!("a transpose of {}, as \"{name}\"", self.parts.nodes[node].title());
        self.report.did(line);
        self.push(Node { name, op, operands: vec![node], weights, stages, shape })
    }
}
