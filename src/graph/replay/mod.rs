//! Nodes added again from what they hold: each by the rule of the layer that makes such nodes.
//!
//! A description of a graph that comes from outside can claim anything. No claim is believed:
//! the layer's own builder is asked for the node, and what it makes must be what is claimed,
//! shape and options alike. So a graph that was replayed is one that could have been built.

use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Site, Symbol, Weight, title};
use crate::ops::{Arguments, epilogue};
use crate::ops::{Op, Stage};
use crate::shape::Shape;

/// What a node is said to be.
pub(crate) struct Claim {
    pub name: String,
    pub op: Op,
    /// Numbers of nodes that the graph has.
    pub operands: Vec<usize>,
    pub weights: Vec<Weight>,
    pub stages: Vec<Stage>,
    pub shape: Shape,
}

impl Claim {
    fn site(&self) -> Site {
        Site::new(&title(self.op.name(), &self.name), format!("{:?}, {}", self.op, self.shape))
    }

    /// The error of a node with the wrong number of operands or weights.
    fn count(&self, what: &str, found: usize, expected: usize) -> Error {
        self.site().refuse(
            what,
            format!("are {found}"),
            format!("such a node has {expected}"),
            "name as many as it has",
        )
    }
}

/// A node on its way: a claim with its operands looked up.
struct Replay<'a> {
    claim: &'a Claim,
    /// Without an epilogue's.
    operands: Vec<Symbol>,
}

impl Replay<'_> {
    fn operands<const N: usize>(&self) -> Result<[Symbol; N]> {
        let found = self.operands.as_slice().try_into();
        found.map_err(|_| self.claim.count("operands", self.operands.len(), N))
    }

    fn no_weights(&self) -> Result<()> {
        match self.claim.weights.len() {
            0 => Ok(()),
            found => Err(self.claim.count("weights", found, 0)),
        }
    }

    /// One operand and no weight.
    fn alone(&self) -> Result<Symbol> {
        self.no_weights()?;
        let [x] = self.operands()?;
        Ok(x)
    }
}

impl Graph {
    /// Adds a node, and refuses one that no layer would have made.
    ///
    /// # Errors
    ///
    /// Those of the layer, and [`Error::Operand`] where the layer makes another node of the same
    /// operands. The graph is then to be thrown away.
    pub(crate) fn replay(&mut self, claim: Claim) -> Result<()> {
        let has_extra = claim.stages.iter().any(Stage::reads_extra);
        let symbol = |&index: &usize| Symbol { graph: self.id, index };
        let mut operands: Vec<Symbol> = claim.operands.iter().map(symbol).collect();
        let extra = if has_extra { operands.pop() } else { None };
        if has_extra && extra.is_none() {
            return Err(claim.count("operands", 0, 2));
        }
        let index = self.nodes.len();
        // Builders choose names for their nodes, and would take some that come later.
        let names = std::mem::take(&mut self.names);
        let made = self.build(&Replay { claim: &claim, operands });
        self.names = names;
        made?;
        let extra = extra.and_then(|extra| self.shape(extra)).cloned();
        let [node] = self.nodes.get(index..).unwrap_or_default() else {
            return Err(claim.site().refuse(
                "op",
                "is more than one node holds",
                "its layer makes several",
                "save the graph again",
            ));
        };
        check_same(node, &claim)?;
        let title = title(claim.op.name(), &claim.name);
        epilogue::check(&title, &claim.op, &claim.stages, extra.as_ref(), &claim.shape)?;
        self.names.entry(claim.name.clone()).or_insert(index);
        if let Some(node) = self.nodes.get_mut(index) {
            node.name = claim.name;
            node.operands = claim.operands;
            node.stages = claim.stages;
        }
        Ok(())
    }

    /// One line for each operator; what takes more has a function of its own.
    fn build(&mut self, replay: &Replay<'_>) -> Result<()> {
        let claim = replay.claim;
        if claim.op.is_moved() {
            return self.infer_claim(replay);
        }
        match &claim.op {
            Op::Activation(function) => self.activation(replay.alone()?, *function),
            Op::Binary(operation) => {
                replay.no_weights()?;
                let [left, right] = replay.operands()?;
                self.binary(*operation, left, right)
            }
            Op::Select => {
                replay.no_weights()?;
                let [condition, on_true, on_false] = replay.operands()?;
                self.select(condition, on_true, on_false)
            }
            _ => Err(claim.count("rules", 0, 1)),
        }
        .map(|_| ())
    }

    /// Adds a node by its operator's own rule.
    fn infer_claim(&mut self, replay: &Replay<'_>) -> Result<()> {
        let claim = replay.claim;
        let node = title(claim.op.name(), &claim.name);
        let operands = replay.operands.iter().enumerate();
        let operands = operands
            .map(|(number, &symbol)| self.operand(&node, &format!("operand {number}"), symbol))
            .collect::<Result<Vec<_>>>()?;
        let wanted = Some(&claim.shape);
        let of = Arguments { node: &node, operands: &operands, weights: &claim.weights, wanted };
        let shape = claim.op.infer(&of)?;
        let indices = operands.iter().map(|operand| operand.index).collect();
        self.insert(claim.name.clone(), claim.op.clone(), indices, claim.weights.clone(), shape);
        Ok(())
    }
}

/// Compares what a layer made with what was claimed.
fn check_same(node: &Node, claim: &Claim) -> Result<()> {
    if node.shape != claim.shape {
        return Err(claim.site().refuse(
            "shape",
            format!("is {}", claim.shape),
            format!("its operands give {}", node.shape),
            "save the graph again",
        ));
    }
    // NaN is no equal of itself, but is written alike.
    if node.op == claim.op || format!("{:?}", node.op) == format!("{:?}", claim.op) {
        return Ok(());
    }
    Err(claim.site().refuse(
        "op",
        format!("is {}", claim.op.name()),
        format!("its layer makes {} {:?} of this", node.op.name(), node.op),
        "save the graph again",
    ))
}
