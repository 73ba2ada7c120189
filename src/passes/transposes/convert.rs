//! Old values in other orders of axes, where that takes no step.

use super::{Pending, Walk};
use crate::graph::Node;
use crate::ops::Op;
use crate::passes::axes::{is_view, permute};
use crate::passes::values;
use crate::shape::{Dim, Shape};

impl Walk<'_> {
    /// Returns a node of which the old value is a given transpose, if that takes no step.
    pub(super) fn convert(&mut self, operand: usize, perm: &[usize]) -> Option<usize> {
        let key = (operand, perm.to_vec());
        if let Some(made) = self.converted.get(&key) {
            return Some(*made);
        }
        let made = self.converted_anew(operand, perm)?;
        self.converted.insert(key, made);
        Some(made)
    }

    fn converted_anew(&mut self, operand: usize, perm: &[usize]) -> Option<usize> {
        let (value, old) = (self.values.get(operand)?, self.old.node(operand));
        let real = value.node;
        let (shape, held) = match &value.pending {
            Pending::Axes(held) if held == perm => return Some(real),
            Pending::Nothing if perm.iter().copied().eq(0..old.shape.rank()) => return Some(real),
            Pending::Axes(held) => (self.parts.nodes.get(real)?.shape.clone(), held.clone()),
            Pending::Nothing => {
                // NumPy's broadcasting: axes of length 1 come first.
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
    pub(super) fn reordered(
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
}

pub(super) fn view(name: String, node: usize, shape: Shape) -> Node {
    let (weights, stages) = (Vec::new(), Vec::new());
    Node { name, op: Op::Reshape, operands: vec![node], weights, stages, shape }
}
