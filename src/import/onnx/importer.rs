//! The walk over a model's nodes, from inputs and initialisers to a graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fold::fold;
use super::model::{OnnxDim, OnnxModel, OnnxPort};
use super::node::{Node, label};
use super::ops;
use super::options::{ImportOptions, Imported};
use super::tensor::{self, Origin};
use super::value::{Kind, Known, SMALL, Value, kind_of};
use crate::array::HostArray;
use crate::error::{Error, Result};
use crate::graph::{Graph, Reshape, Symbol, Weight};
use crate::shape::Dim;

impl OnnxModel {
    /// Makes a graph of the model.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] that lists every node whose operator is not there, or names an
    /// attribute; [`Error::Name`] for options that name nothing of the model;
    /// [`Error::Import`] for what a node refuses.
    pub fn import(&self, options: &ImportOptions) -> Result<Imported> {
        self.check_operators()?;
        let mut importer = Importer {
            model: self,
            graph: Graph::new(),
            values: BTreeMap::new(),
            constants: BTreeMap::new(),
        };
        let inputs = importer.inputs(options)?;
        importer.initializers()?;
        let mut kept: Vec<&str> = options.keep.iter().map(String::as_str).collect();
        let mut outputs = self.outputs().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let used = self.used(&options.keep);
        for proto in &self.graph.node {
            let node = Node::new(proto, self.opset, &used);
            importer.node(&node).map_err(|error| self.at(&node.title, error))?;
            let names = proto.output.iter().map(String::as_str).chain([label(proto)]);
            for name in names {
                if let Some(found) = kept.iter().position(|kept| *kept == name) {
                    kept.swap_remove(found);
                    let is_value = proto.output.iter().any(|output| output == name);
                    let first = proto.output.first().map_or("", String::as_str);
                    let value = if is_value { name } else { first }.to_owned();
                    if !outputs.contains(&value) {
                        outputs.push(value);
                    }
                }
            }
        }
        if let Some(name) = kept.first() {
            return Err(self.unknown(
                "keep",
                "there is no node or value named",
                name,
                "inspect it",
            ));
        }
        for name in &outputs {
            importer.output(name)?;
        }
        Ok(Imported { graph: importer.graph, inputs, outputs })
    }

    fn at(&self, node: &str, error: Error) -> Error {
        Error::Import {
            file: self.origin.file.clone(),
            node: node.to_owned(),
            source: Box::new(error),
        }
    }

    pub(super) fn unknown(&self, node: &str, problem: &str, name: &str, remedy: &str) -> Error {
        let inputs: Vec<&str> = self.graph.input.iter().map(|input| input.name.as_str()).collect();
        Error::Name {
            node: format!("{}: {node}", self.origin.file),
            problem: problem.to_owned(),
            name: name.to_owned(),
            known: inputs.join(", "),
            remedy: remedy.to_owned(),
        }
    }
}

/// A graph in the making, and what each name of the model stands for.
pub(super) struct Importer<'a> {
    model: &'a OnnxModel,
    pub graph: Graph,
    values: BTreeMap<String, Value>,
    /// The nodes of constants that were wanted as symbols, by the model's names.
    constants: BTreeMap<String, Symbol>,
}

impl Importer<'_> {
    /// Declares the inputs, with every dimension bound.
    fn inputs(&mut self, options: &ImportOptions) -> Result<Vec<(String, Vec<usize>)>> {
        let ports = self.model.inputs()?;
        let has_port = |name: &String| ports.iter().any(|port| port.name == *name);
        let mut named = options.shapes.keys().chain(options.values.keys());
        if let Some(name) = named.find(|name| !has_port(name)) {
            let remedy = "use the name of an input without a value";
            return Err(self.model.unknown("import", "there is no open input named", name, remedy));
        }
        self.model.check_dims(&ports, options.dims.keys())?;
        let mut dims = options.dims.clone();
        for port in &ports {
            let value = options.values.get(&port.name).map(HostArray::shape);
            if let Some(shape) = options.shapes.get(&port.name).map(Vec::as_slice).or(value) {
                self.unify(port, shape, &mut dims)?;
            }
        }
        let mut declared = Vec::new();
        for port in &ports {
            if let Some(array) = options.values.get(&port.name) {
                let array = array.clone().with_name(port.name.clone());
                self.values.insert(port.name.clone(), constant(array));
                continue;
            }
            let shape = match options.shapes.get(&port.name) {
                Some(shape) => shape.clone(),
                None => self.bound(port, &dims)?,
            };
            let lengths = shape.iter().copied().map(Dim::Fixed);
            let symbol = self.graph.input(port.name.clone(), lengths);
            self.values.insert(port.name.clone(), Value::Symbol(symbol));
            declared.push((port.name.clone(), shape));
        }
        Ok(declared)
    }

    /// Checks a given shape against what the model declares, and binds the names in it.
    fn unify(
        &self,
        port: &OnnxPort,
        shape: &[usize],
        dims: &mut BTreeMap<String, usize>,
    ) -> Result<()> {
        let Some(declared) = &port.dims else { return Ok(()) };
        let refuse = |got: String| Error::Operand {
            node: self.model.origin.file.clone(),
            operand: format!("input \"{}\"", port.name),
            got,
            expected: format!("the model declares {}", list(declared)),
            shapes: format!("{} {shape:?}", port.name),
            remedy: "bring an array of that shape".to_owned(),
        };
        if declared.len() != shape.len() {
            return Err(refuse(format!("has {} dimensions", shape.len())));
        }
        for (dim, &length) in declared.iter().zip(shape) {
            match dim {
                OnnxDim::Fixed(fixed) if *fixed != length => {
                    return Err(refuse(format!("has shape {shape:?}")));
                }
                OnnxDim::Named(name) => match dims.insert(name.clone(), length) {
                    Some(other) if other != length => {
                        return Err(refuse(format!("has {name} = {length}, which is {other} too")));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn bound(&self, port: &OnnxPort, dims: &BTreeMap<String, usize>) -> Result<Vec<usize>> {
        let declared = port.dims.as_deref();
        let bound = declared.and_then(|declared| {
            let length = |dim: &OnnxDim| match dim {
                OnnxDim::Fixed(length) => Some(*length),
                OnnxDim::Named(name) => dims.get(name).copied(),
                OnnxDim::Open => None,
            };
            declared.iter().map(length).collect::<Option<Vec<usize>>>()
        });
        bound.ok_or_else(|| Error::Operand {
            node: self.model.origin.file.clone(),
            operand: format!("input \"{}\"", port.name),
            got: format!("has shape {}", declared.map_or("unknown".to_owned(), list)),
            expected: "every length must be known to plan".to_owned(),
            shapes: format!("bound so far: {dims:?}"),
            remedy: "bind it with ImportOptions::dim or shape (--dim NAME=N)".to_owned(),
        })
    }

    fn initializers(&mut self) -> Result<()> {
        for proto in &self.model.graph.initializer {
            // A value that the caller gives stands before the model's default.
            if !self.values.contains_key(&proto.name) {
                let array = tensor::read(&self.model.origin, proto)?;
                self.values.insert(proto.name.clone(), constant(array));
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &Node<'_>) -> Result<()> {
        let inputs = (0..node.input_count()).map(|number| self.value(node, number));
        let inputs = inputs.collect::<Result<Vec<Option<Value>>>>()?;
        let known: Option<Vec<Option<Known>>> =
            inputs.iter().map(|input| known_of(input.as_ref())).collect();
        let folded = match known {
            Some(known) => {
                let known: Vec<Option<&Known>> = known.iter().map(Option::as_ref).collect();
                fold(node, &known)?
            }
            None => None,
        };
        let results = match folded {
            Some(known) => known.into_iter().map(Value::from).collect(),
            None => ops::translate(self, node, &inputs)?,
        };
        node.check_all_read()?;
        if results.len() < node.outputs().iter().filter(|name| !name.is_empty()).count() {
            return Err(node.unsupported("a further output"));
        }
        for (name, value) in node.outputs().iter().zip(results) {
            if name.is_empty() {
                continue;
            }
            if let Value::Symbol(symbol) = value {
                self.name(node, name, symbol);
            }
            if self.values.insert((*name).to_owned(), value).is_some() {
                let expected = "each value is made once".to_owned();
                return Err(node.refuse(name, "is made twice".to_owned(), expected));
            }
        }
        Ok(())
    }

    /// Names the graph's node after the model's value, unless the name is taken.
    fn name(&mut self, node: &Node<'_>, value: &str, symbol: Symbol) {
        let is_own = self
            .values
            .values()
            .all(|known| !matches!(known, Value::Symbol(earlier) if *earlier == symbol));
        let label = if node.outputs().len() == 1 { node.label() } else { value };
        for name in [label, value] {
            if is_own && self.graph.symbol(name).is_none() {
                // Only a taken name is refused, and this one is free.
                let _ = self.graph.rename(symbol, name);
                return;
            }
        }
    }

    /// Looks an input up; none for one that is left out.
    fn value(&self, node: &Node<'_>, number: usize) -> Result<Option<Value>> {
        let Some(name) = node.input(number) else { return Ok(None) };
        match self.values.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(node.refuse(
                &format!("input \"{name}\""),
                "is made by no node before this one".to_owned(),
                "nodes stand in the order they are computed".to_owned(),
            )),
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.model.origin
    }

    /// Returns a value's shape; an import binds every length.
    pub(super) fn shape(&self, symbol: Symbol) -> Vec<usize> {
        self.graph.shape(symbol).map(|shape| shape.resolve(1)).unwrap_or_default()
    }

    /// Gives a value another shape of as many elements.
    pub(super) fn reshape(&mut self, x: Symbol, shape: &[usize]) -> Result<Symbol> {
        let lengths = shape.iter().map(|&length| isize::try_from(length).unwrap_or(isize::MAX));
        self.graph.reshape_to(x, Reshape::new(lengths).allow_zero())
    }

    /// Returns a value as a symbol; constants become nodes, once each.
    pub(super) fn symbol(&mut self, value: &Value, name: &str) -> Result<Symbol> {
        match value {
            Value::Symbol(symbol) => Ok(*symbol),
            Value::Weight(weight) => self.constant(name, weight.clone()),
            Value::Known(known) => {
                let array = HostArray::from(known.to_floats()).with_name(name.to_owned());
                self.constant(name, Weight::from(array))
            }
        }
    }

    /// Adds a constant, or finds the one that was added for this value before.
    fn constant(&mut self, name: &str, weight: Weight) -> Result<Symbol> {
        if let Some(symbol) = self.constants.get(name) {
            return Ok(*symbol);
        }
        // A node may have the name that the model gives to a value.
        let free = if name.is_empty() || self.graph.symbol(name).is_some() {
            format!("{name}/constant_{}", self.constants.len())
        } else {
            name.to_owned()
        };
        let symbol = self.graph.constant(free, weight)?;
        self.constants.insert(name.to_owned(), symbol);
        Ok(symbol)
    }

    fn output(&mut self, name: &str) -> Result<()> {
        let Some(value) = self.values.get(name).cloned() else {
            let problem = "no node makes the output";
            return Err(self.model.unknown("outputs", problem, name, "export the model again"));
        };
        let symbol = self.symbol(&value, name)?;
        self.graph.output(name, symbol);
        Ok(())
    }
}

/// Decides what an array stands for: floats go to the device, other numbers shape the network.
pub(super) fn constant(array: HostArray<'static>) -> Value {
    if kind_of(array.dtype()) == Kind::Float {
        return Value::Weight(Weight::from(array));
    }
    Value::Known(Arc::new(Known::read(&array)))
}

/// Returns what is known of an input; none, wrapped, for one that is left out.
#[expect(clippy::option_option, reason = "left out, and not known, are two things")]
fn known_of(value: Option<&Value>) -> Option<Option<Known>> {
    match value {
        None => Some(None),
        Some(Value::Known(known)) => Some(Some((**known).clone())),
        Some(Value::Weight(weight)) => {
            let array = weight.host().filter(|array| array.len() <= SMALL)?;
            Some(Some(Known::read(array)))
        }
        Some(Value::Symbol(_)) => None,
    }
}

fn list(dims: &[OnnxDim]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("[{}]", dims.join(", "))
}
