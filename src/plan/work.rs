//! From a node to its step's work.

use super::inner::Task;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node};
use crate::ops::{Epilogue, Shapes, Stage};

/// Describes the steps of a node for a number of items of the batch; together they write the
/// node's value.
pub(super) fn tasks(graph: &Graph, node: &Node, items: usize) -> Result<Vec<Task>> {
    let site = Site { graph, node, items };
    let steps = node.op.operator().steps(&site.shapes()?).ok_or_else(|| site.defect())?;
    Ok(steps.into_iter().map(|(work, reads)| Task::whole(work, reads)).collect())
}

/// A node, with the number of items for which its steps are described.
struct Site<'a> {
    graph: &'a Graph,
    node: &'a Node,
    items: usize,
}

impl Site<'_> {
    /// The shapes that the operator describes its steps by.
    fn shapes(&self) -> Result<Shapes> {
        let operands = (0..self.node.operands.len()).map(|number| self.operand(number));
        Ok(Shapes {
            operands: operands.collect::<Result<_>>()?,
            result: self.shape(),
            weights: self.node.weights.len(),
            items: self.items,
            epilogue: self.epilogue()?,
        })
    }

    /// The shape of the node's value.
    fn shape(&self) -> Vec<usize> {
        self.node.shape.resolve(self.items)
    }

    /// The shape of one operand.
    fn operand(&self, number: usize) -> Result<Vec<usize>> {
        let index = self.node.operands.get(number).ok_or_else(|| self.defect())?;
        Ok(self.graph.node(*index).shape.resolve(self.items))
    }

    fn epilogue(&self) -> Result<Epilogue> {
        let stages = self.node.stages.clone();
        let period = if stages.iter().any(Stage::reads_extra) {
            // The extra operand was checked to fit when the graph was made.
            self.operand(self.node.operands.len().saturating_sub(1))?.iter().product()
        } else {
            0
        };
        Ok(Epilogue { stages, period })
    }

    fn defect(&self) -> Error {
        Error::Unsupported {
            node: self.node.title(),
            what: "a node without a kernel".to_owned(),
            remedy: crate::error::BUG.to_owned(),
        }
    }
}
