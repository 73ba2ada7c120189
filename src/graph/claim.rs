//! Nodes as a file describes them. Nothing that it says is believed: a node's shape is what its
//! operator's own rule gives, so a graph that was loaded is one that could have been built.

use super::{Graph, Operand, Site, Symbol, Weight, title};
use crate::error::{Error, Result};
use crate::ops::{Arguments, Op, Stage, epilogue};
use crate::shape::Shape;

/// What a node is said to be.
pub(crate) struct Claim {
    pub name: String,
    pub op: Op,
    /// Numbers of nodes that the graph has; the last is an epilogue's where a stage reads one.
    pub operands: Vec<usize>,
    pub weights: Vec<Weight>,
    pub stages: Vec<Stage>,
    pub shape: Shape,
}

impl Graph {
    /// Adds a node by its operator's own rule, and refuses one of another shape.
    ///
    /// # Errors
    ///
    /// Those of the operator, and [`Error::Operand`] where its rule gives another shape or its
    /// kernel does not apply the stages. The graph is then to be thrown away.
    pub(crate) fn claim(&mut self, claim: Claim) -> Result<()> {
        let Claim { name, op, operands, weights, stages, shape } = claim;
        let node = title(op.name(), &name);
        let site = || Site::new(&node, format!("{op:?}, {shape}"));
        let symbols = operands.iter().map(|&index| Symbol { graph: self.id, index }).enumerate();
        let found = symbols
            .map(|(number, symbol)| self.operand(&node, &format!("operand {number}"), symbol))
            .collect::<Result<Vec<Operand>>>()?;
        let (own, extra) = match found.split_last() {
            Some((extra, own)) if stages.iter().any(Stage::reads_extra) => (own, Some(extra)),
            None if stages.iter().any(Stage::reads_extra) => return Err(no_extra(&site())),
            _ => (found.as_slice(), None),
        };
        let wanted = Some(&shape);
        let of = Arguments { node: &node, operands: own, weights: &weights, wanted };
        let inferred = op.operator().infer(&of)?;
        if inferred != shape {
            return Err(site().refuse(
                "shape",
                format!("is {shape}"),
                format!("its operands give {inferred}"),
                "save the graph again",
            ));
        }
        epilogue::check(&node, &op, &stages, extra.map(|extra| &extra.shape), &shape)?;
        let symbol = self.insert(name, op, operands, weights, shape);
        self.nodes[symbol.index].stages = stages;
        Ok(())
    }
}

fn no_extra(site: &Site) -> Error {
    site.refuse("operands", "are 0", "a stage reads one", "name as many as it has")
}
