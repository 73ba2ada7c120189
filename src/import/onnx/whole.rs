//! Values of whole numbers and truth values that a network computes.
//!
//! On the device they are f32, which holds whole numbers up to 2^24. An operator that rounds its
//! results to whole numbers would give others there, so it is refused.

use super::importer::Importer;
use super::node::Node;
use super::ops::Inputs;
use super::value::{Kind, Value};
use crate::error::Result;

impl Importer<'_> {
    /// Remembers which outputs of a node hold no floats.
    pub(super) fn mark_whole(&mut self, node: &Node<'_>, inputs: &Inputs) {
        let is_whole = match node.op() {
            "And" | "ArgMax" | "ArgMin" | "Equal" | "Greater" | "GreaterOrEqual" | "IsInf"
            | "IsNaN" | "Less" | "LessOrEqual" | "Not" | "Or" | "Xor" => true,
            "Cast" | "CastLike" => false,
            "Where" => self.is_whole(node, inputs, 1),
            _ => self.is_whole(node, inputs, 0),
        };
        let first = match (is_whole, node.op()) {
            (true, _) => 0,
            // Behind its values are indices.
            (false, "TopK") => 1,
            (false, _) => return,
        };
        let names = node.outputs().iter().skip(first).filter(|name| !name.is_empty());
        self.whole.extend(names.map(|name| (*name).to_owned()));
    }

    /// Refuses an operator that rounds whole numbers.
    pub(super) fn check_whole(&self, node: &Node<'_>, inputs: &Inputs) -> Result<()> {
        let operands = match node.op() {
            "Div" => 0..2,
            "ReduceL2" | "ReduceLogSum" | "ReduceLogSumExp" | "ReduceMean" => 0..1,
            // The largest of nothing is infinite for floats alone.
            "ReduceMax" | "ReduceMin" if self.is_empty(inputs) => 0..1,
            "Resize" | "Upsample" if node.text("mode", "nearest")? != "nearest" => 0..1,
            _ => return Ok(()),
        };
        if operands.into_iter().any(|number| self.is_whole(node, inputs, number)) {
            return Err(node.unsupported("a result in whole numbers"));
        }
        Ok(())
    }

    fn is_whole(&self, node: &Node<'_>, inputs: &Inputs, number: usize) -> bool {
        match inputs.get(number) {
            Some(Some(Value::Known(known))) => known.kind != Kind::Float,
            Some(Some(Value::Symbol(_))) => {
                node.input(number).is_some_and(|name| self.whole.contains(name))
            }
            _ => false,
        }
    }

    fn is_empty(&self, inputs: &Inputs) -> bool {
        match inputs.first() {
            Some(Some(Value::Symbol(symbol))) => self.shape(*symbol).contains(&0),
            _ => false,
        }
    }
}
