//! Matrix products of values of which one has its last two axes in turned order.

use super::{Pending, Value, Walk};
use crate::graph::Node;
use crate::ops::Op;
use crate::ops::product::matmul;

impl Walk<'_> {
    /// Lets a product read a turned matrix where it lies.
    ///
    /// Not both sides: kernels read four numbers at a time of at least one that is not turned.
    pub(super) fn product(&mut self, node: &Node, rule: &matmul::Resolved) -> Option<Value> {
        let &[left, right, ..] = node.operands.as_slice() else { return None };
        let mut sides = [self.turned(left), self.turned(right)];
        let told = [rule.transpose_left, rule.transpose_right];
        let flags = |sides: &[Option<usize>; 2]| [0, 1].map(|at| told[at] ^ sides[at].is_some());
        if flags(&sides) == [true, true] {
            let last = usize::from(sides[0].is_none());
            sides[last] = None;
        }
        let [transpose_left, transpose_right] = flags(&sides);
        if sides == [None; 2] {
            return None;
        }
        let mut operands = Vec::with_capacity(node.operands.len());
        for (number, &operand) in node.operands.iter().enumerate() {
            let side = sides.get(number).copied().flatten();
            operands.push(side.unwrap_or_else(|| self.plain(operand)));
        }
        self.report.did(format!("a transpose into {}", node.title()));
        let rule = matmul::Resolved { transpose_left, transpose_right, ..*rule };
        let node = self.push(Node { op: Op::MatMul(rule), operands, ..node.clone() });
        Some(Value { node, pending: Pending::Nothing, plain: Some(node) })
    }

    /// Returns the node of which a value is the transpose of the last two axes.
    fn turned(&self, operand: usize) -> Option<usize> {
        let value = self.values.get(operand)?;
        let Pending::Axes(perm) = &value.pending else { return None };
        let last = perm.len().checked_sub(1)?;
        let mut turned: Vec<usize> = (0..perm.len()).collect();
        turned.swap(last.checked_sub(1)?, last);
        (*perm == turned).then_some(value.node)
    }
}
