//! Flattened images, and the dense layers behind them.

use super::{Pending, Value, Walk};
use crate::graph::Node;
use crate::passes::axes::{in_order_of, is_view};
use crate::passes::values;
use crate::shape::Dim;

impl Walk<'_> {
    /// Lets a reshape that merges all axes behind the first keep a transpose back.
    pub(super) fn flatten(&mut self, node: &Node) -> Option<Value> {
        let from = self.values.get(*node.operands.first()?)?;
        let Pending::Axes(perm) = &from.pending else { return None };
        let shape = self.parts.nodes.get(from.node)?.shape.clone();
        let [first, Dim::Fixed(_)] = node.shape.dims() else { return None };
        let keeps_first = perm.first() == Some(&0) && shape.dims().first() == Some(first);
        // Where the value itself is made already, its view is as good.
        if !keeps_first || is_view(&shape, perm) || from.plain.is_some() {
            return None;
        }
        let (perm, operand) = (perm.clone(), from.node);
        let name = self.fresh(&node.name);
        let node = self.push(Node { name, operands: vec![operand], ..node.clone() });
        Some(Value { node, pending: Pending::Flat { shape, perm }, plain: None })
    }

    /// Permutes the rows of a dense layer's kernel as its flattened operand's.
    pub(super) fn dense(&mut self, node: &Node) -> Option<Value> {
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
}
