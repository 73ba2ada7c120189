//! Graphs: symbols and the operations between them, with every shape rule.
//!
//! Pure data. A [`Symbol`] has a shape and no elements; building a graph checks
//! every shape, before any device exists.

mod claim;
mod names;
mod node;
mod parts;
mod print;
mod weights;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use claim::Claim;
pub use node::Node;
pub(crate) use node::{BUG, Draft, Operand, Pending, Site, title};
pub(crate) use parts::Parts;
pub use weights::{LayerWeights, Weight, Weights};
pub(crate) use weights::{Source, StagedArray};

use crate::error::{Error, Result};
use crate::ops::reduction::softmax;
use crate::ops::{Activation, Arguments, Epilogue, Op};
use crate::shape::{Dim, Shape, element_count};

/// A value in a [`Graph`]: a name and a shape, no data.
///
/// It is a small handle, free to copy, and belongs to the graph that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Symbol {
    graph: u64,
    pub(crate) index: usize,
}

/// A network: symbols, the operations between them, and its named outputs.
///
/// ```
/// use longshore::{Activation, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let image = g.input("image", Shape::batch([4, 6, 3]));
/// let flat = g.flatten(image)?;
/// assert_eq!(g.shape(flat), Some(&Shape::batch([72])));
/// let positive = g.activation(flat, Activation::Relu)?;
/// g.output("positive", positive);
///
/// // Shapes are checked while it is built, and no device is needed for that or for a plan.
/// let other = g.input("other", Shape::batch([71]));
/// let error = g.add(flat, other).unwrap_err();
/// assert!(error.to_string().contains("[batch, 72]"));
/// assert_eq!(g.plan(8)?.outputs()[0].shape, [8, 72]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    id: u64,
    nodes: Vec<Node>,
    weights: Vec<Weight>,
    outputs: Vec<(String, usize)>,
    foreign_outputs: BTreeSet<String>,
    names: BTreeMap<String, usize>,
    /// For each kind, a number below which all names with one are taken.
    numbers: BTreeMap<String, usize>,
    /// Where in `weights` each array stands, by its address.
    interned: BTreeMap<usize, usize>,
    /// The least and greatest whole number of inputs that take whole numbers alone.
    whole: BTreeMap<String, [i64; 2]>,
}

static NEXT_GRAPH: AtomicU64 = AtomicU64::new(0);

impl Default for Graph {
    fn default() -> Self {
        Graph::new()
    }
}

impl Graph {
    /// Makes an empty graph.
    #[must_use]
    pub fn new() -> Self {
        Graph {
            id: NEXT_GRAPH.fetch_add(1, Ordering::Relaxed),
            nodes: Vec::new(),
            weights: Vec::new(),
            outputs: Vec::new(),
            foreign_outputs: BTreeSet::new(),
            names: BTreeMap::new(),
            numbers: BTreeMap::new(),
            interned: BTreeMap::new(),
            whole: BTreeMap::new(),
        }
    }

    /// Declares a value that each run brings.
    ///
    /// The first dimension may be [`Dim::Batch`]. A name used twice and a batch
    /// elsewhere are reported by [`Graph::check`], so by planning at the latest.
    pub fn input<D: Into<Dim>>(
        &mut self,
        name: impl Into<String>,
        dims: impl IntoIterator<Item = D>,
    ) -> Symbol {
        self.insert(name.into(), Op::Input, Vec::new(), Vec::new(), Shape::new(dims))
    }

    /// Names a symbol as an output; any symbol may be one, under several names too.
    ///
    /// A name used twice and a symbol of another graph are reported by [`Graph::check`].
    pub fn output(&mut self, name: impl Into<String>, symbol: Symbol) {
        let name = name.into();
        if symbol.graph == self.id {
            self.outputs.push((name, symbol.index));
        } else {
            self.foreign_outputs.insert(name);
        }
    }

    /// Returns the shape of a symbol, or `None` for a symbol of another graph.
    #[must_use]
    pub fn shape(&self, symbol: Symbol) -> Option<&Shape> {
        (symbol.graph == self.id).then(|| &self.nodes[symbol.index].shape)
    }

    /// Returns the symbol of the node with this name.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.names.get(name).map(|&index| Symbol { graph: self.id, index })
    }

    /// Returns the nodes in the order they were added.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Returns the names of the outputs in the order they were given.
    pub fn output_names(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|(name, _)| name.as_str())
    }

    /// Checks what single operations cannot see: names, outputs, the batch's place.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for a name used twice and for an output of another graph;
    /// [`Error::Operand`] for a graph without outputs and for a batch that is not the
    /// first dimension.
    pub fn check(&self) -> Result<()> {
        let mut inputs = BTreeSet::new();
        for node in &self.nodes {
            if node.op == Op::Input {
                if !inputs.insert(node.name.as_str()) {
                    return Err(self.name_error("graph", "two inputs are named", &node.name));
                }
                check_input(node)?;
            }
        }
        if let Some(name) = self.foreign_outputs.first() {
            return Err(self.name_error("graph", "another graph made the symbol of output", name));
        }
        let mut outputs = BTreeSet::new();
        for (name, _) in &self.outputs {
            if !outputs.insert(name.as_str()) {
                return Err(self.name_error("graph", "two outputs are named", name));
            }
        }
        if outputs.is_empty() {
            let site = Site::new("graph", format!("{} nodes", self.nodes.len()));
            return Err(site.refuse(
                "outputs",
                "are empty",
                "a graph needs at least one",
                "name a symbol with Graph::output",
            ));
        }
        Ok(())
    }

    /// Names a node, by its number, as an output.
    pub(crate) fn output_at(&mut self, name: String, index: usize) {
        self.outputs.push((name, index));
    }

    pub(crate) fn weights(&self) -> &[Weight] {
        &self.weights
    }

    pub(crate) fn outputs(&self) -> &[(String, usize)] {
        &self.outputs
    }

    /// Resolves an operand and its shape; an input's shape is checked here, as
    /// [`Graph::input`] cannot fail.
    pub(crate) fn operand(&self, node: &str, name: &str, symbol: Symbol) -> Result<Operand> {
        let index = self.index_of(node, name, symbol)?;
        let found = &self.nodes[index];
        if found.op == Op::Input {
            check_input(found)?;
        }
        Ok(Operand { index, name: found.name.clone(), shape: found.shape.clone() })
    }

    /// Resolves a symbol, or says that another graph made it.
    fn index_of(&self, node: &str, operand: &str, symbol: Symbol) -> Result<usize> {
        if symbol.graph == self.id {
            return Ok(symbol.index);
        }
        Err(Error::Operand {
            node: node.to_owned(),
            operand: operand.to_owned(),
            got: "is a symbol of another graph".to_owned(),
            expected: "a node takes symbols of its own graph".to_owned(),
            shapes: format!("this graph has {} nodes", self.nodes.len()),
            remedy: "build both nodes in one graph".to_owned(),
        })
    }

    pub(crate) fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// Adds a layer's node and, for softmax, which is no function of single elements, the second
    /// node that applies it.
    ///
    /// The node that carries the layer's name is the one whose value has the
    /// activation applied; without it, the first half is named `NAME/linear`.
    pub(crate) fn insert_activated(
        &mut self,
        draft: Draft,
        activation: Activation,
        op: Op,
    ) -> Result<Symbol> {
        let Draft { title: node, name, operands, weights, shape } = draft;
        element_count(&node, &shape.resolve(1))?;
        if let Some(function) = activation.function() {
            function.check(&node)?;
            let symbol = self.insert(name, op, operands, weights, shape);
            self.nodes[symbol.index].stages = Epilogue::from(function).stages;
            return Ok(symbol);
        }
        let axis = shape.rank().checked_sub(1).ok_or_else(|| softmax::no_axis(&node))?;
        let second = Op::Softmax(softmax::Softmax { axis });
        let half = self.name_for(second.name(), Some(&format!("{name}/linear")))?;
        let before = self.insert(half, op, operands, weights, shape.clone());
        Ok(self.insert(name, second, vec![before.index], Vec::new(), shape))
    }

    /// Takes back the nodes added last, for a layer of several nodes that failed.
    pub(crate) fn truncate(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        self.names.retain(|_, index| *index < nodes);
        self.numbers.clear();
    }

    /// Chooses a node's name and looks its operands up.
    pub(crate) fn begin<const N: usize>(
        &mut self,
        kind: &str,
        name: Option<&str>,
        operands: [(&str, Symbol); N],
    ) -> Result<Pending<N>> {
        let name = self.name_for(kind, name)?;
        let node = title(kind, &name);
        let mut found = Vec::with_capacity(N);
        for (operand, symbol) in operands {
            found.push(self.operand(&node, operand, symbol)?);
        }
        // As many as were asked for.
        let count = |found: Vec<Operand>| Site::new(&node, format!("{} operands", found.len()));
        let operands = found.try_into().map_err(|found| {
            count(found).refuse("operands", "are lost", format!("there are {N}"), BUG)
        })?;
        Ok(Pending { name, node, operands })
    }

    /// Adds a node by its operator's own rule.
    pub(crate) fn add_node<const N: usize>(
        &mut self,
        pending: Pending<N>,
        op: Op,
        weights: Vec<Weight>,
    ) -> Result<Symbol> {
        self.add_activated_node(pending, op, weights, Activation::Linear)
    }

    /// As [`Graph::add_node`], where the shape is an option of the operator's.
    pub(crate) fn add_shaped_node<const N: usize>(
        &mut self,
        pending: Pending<N>,
        op: Op,
        wanted: &Shape,
    ) -> Result<Symbol> {
        let Pending { name, node, operands } = pending;
        let wanted = Some(wanted);
        let of = Arguments { node: &node, operands: &operands, weights: &[], wanted };
        let shape = op.operator().infer(&of)?;
        let operands = operands.iter().map(|operand| operand.index).collect();
        Ok(self.insert(name, op, operands, Vec::new(), shape))
    }

    /// As [`Graph::add_node`], for a layer with an activation; see [`Graph::insert_activated`].
    pub(crate) fn add_activated_node<const N: usize>(
        &mut self,
        pending: Pending<N>,
        op: Op,
        weights: Vec<Weight>,
        activation: Activation,
    ) -> Result<Symbol> {
        self.add_resolved_node(pending, op, weights, None, activation)
    }

    /// As [`Graph::add_activated_node`], where the shape is an option of the operator's.
    pub(crate) fn add_resolved_node<const N: usize>(
        &mut self,
        pending: Pending<N>,
        op: Op,
        weights: Vec<Weight>,
        wanted: Option<&Shape>,
        activation: Activation,
    ) -> Result<Symbol> {
        let Pending { name, node, operands } = pending;
        let of = Arguments { node: &node, operands: &operands, weights: &weights, wanted };
        let shape = op.operator().infer(&of)?;
        let operands = operands.iter().map(|operand| operand.index).collect();
        let draft = Draft { title: node, name, operands, weights, shape };
        self.insert_activated(draft, activation, op)
    }

    /// Adds a node whose shape rule has been checked.
    pub(crate) fn insert(
        &mut self,
        name: String,
        op: Op,
        operands: Vec<usize>,
        weights: Vec<Weight>,
        shape: Shape,
    ) -> Symbol {
        let index = self.nodes.len();
        let weights = weights.into_iter().map(|weight| self.intern(weight)).collect();
        self.names.entry(name.clone()).or_insert(index);
        self.nodes.push(Node { name, op, operands, weights, stages: Vec::new(), shape });
        Symbol { graph: self.id, index }
    }

    /// Keeps one copy of a weight that several layers share, so it is uploaded once.
    fn intern(&mut self, weight: Weight) -> usize {
        // While a weight is in the graph, nothing else has its address.
        let number = *self.interned.entry(weight.address()).or_insert(self.weights.len());
        if number == self.weights.len() {
            self.weights.push(weight);
        }
        number
    }
}

fn check_input(node: &Node) -> Result<()> {
    let dims = node.shape.dims();
    if dims.iter().skip(1).any(|&dim| dim == Dim::Batch) {
        return Err(Error::Operand {
            node: node.title(),
            operand: "shape".to_owned(),
            got: format!("is {}", node.shape),
            expected: "only the first dimension may be the batch".to_owned(),
            shapes: format!("{} {}", node.name, node.shape),
            remedy: "give the other dimensions fixed lengths".to_owned(),
        });
    }
    element_count(&node.title(), &node.shape.resolve(1)).map(|_| ())
}
