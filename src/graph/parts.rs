//! A graph taken apart and put together, for what rewrites graphs.

use std::collections::BTreeMap;

use super::{Graph, Node, Weight};

/// What a graph is made of; nodes and outputs name nodes and weights by number.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// Operands stand before the nodes that use them.
    pub nodes: Vec<Node>,
    pub weights: Vec<Weight>,
    pub outputs: Vec<(String, usize)>,
    /// What inputs of whole numbers take, by name.
    pub whole: BTreeMap<String, [i64; 2]>,
}

impl Parts {
    pub(crate) fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }
}

impl Graph {
    /// Copies what the graph is made of; weights are shared, not copied.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            nodes: self.nodes.clone(),
            weights: self.weights.clone(),
            outputs: self.outputs.clone(),
            whole: self.whole.clone(),
        }
    }

    /// Makes a graph of nodes in order; a weight that no node uses is left out.
    pub(crate) fn from_parts(parts: Parts) -> Graph {
        let mut graph = Graph::new();
        let mut known = vec![None; parts.weights.len()];
        for (index, mut node) in parts.nodes.into_iter().enumerate() {
            for weight in &mut node.weights {
                let old = *weight;
                *weight = known[old].unwrap_or_else(|| graph.intern(parts.weights[old].clone()));
                known[old] = Some(*weight);
            }
            graph.names.entry(node.name.clone()).or_insert(index);
            graph.nodes.push(node);
        }
        graph.outputs = parts.outputs;
        graph.whole = parts.whole;
        graph
    }
}
