//! The walk over a model's nodes, from inputs and initializers to a graph.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::budget::Budget;
use super::external::External;
use super::fold::fold;
use super::model::OnnxModel;
use super::node::{Node, label};
use super::numbers::{EXACT, Numbers};
use super::ops;
use super::options::{ImportOptions, Imported};
use super::proto::{DimensionValue, TensorProto, TensorShapeProto};
use super::tensor;
use super::value::{Kind, Known, SMALL, Value, kind_of};
use crate::array::{DType, HostArray};
use crate::error::{BUG, Error, Result, listed};
use crate::graph::{Graph, Symbol, Weight};
use crate::ops::Reshape;
use crate::shape::{MOST_AXES, Shape};

impl OnnxModel {
    /// Makes a graph of the model.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] that lists every node whose operator is not there, or names an
    /// attribute; [`Error::Name`] for options that name nothing of the model;
    /// [`Error::Import`] for what a node refuses.
    pub fn import(&self, options: ImportOptions) -> Result<Imported> {
        self.check_operators()?;
        let mut refused = None;
        for most in TAKEN {
            let mut importer = self.importer(&options, most);
            match importer.import(&options) {
                Ok((inputs, outputs)) => {
                    return Ok(Imported { graph: importer.graph, inputs, outputs });
                }
                Err(error) if importer.is_beyond.get() && importer.takes_whole => {
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        // There is one, as something was tried.
        Err(refused.unwrap_or_else(|| self.unknown("import", "nothing was tried", "", BUG)))
    }

    fn importer(&self, options: &ImportOptions, most: f64) -> Importer<'_> {
        Importer {
            model: self,
            graph: Graph::new(),
            values: BTreeMap::new(),
            named: HashSet::new(),
            constants: BTreeMap::new(),
            numbers: HashMap::new(),
            looked_through: HashMap::new(),
            most,
            made: Numbers::of(DType::F32),
            takes_whole: false,
            is_beyond: Cell::new(false),
            layouts: BTreeMap::new(),
            declared: self.declared_shapes(),
            budget: Budget::new(options.filled_bytes),
            external: External::new(options),
        }
    }

    fn at(&self, node: &str, error: Error) -> Error {
        Error::Import {
            file: self.origin.file.clone(),
            node: node.to_owned(),
            source: Box::new(error),
        }
    }

    pub(super) fn unknown(&self, node: &str, problem: &str, name: &str, remedy: &str) -> Error {
        let inputs = self.graph.input.iter().map(|input| input.name.as_str());
        Error::Name {
            node: format!("{}: {node}", self.origin.file),
            problem: problem.to_owned(),
            name: name.to_owned(),
            known: listed(inputs),
            remedy: remedy.to_owned(),
        }
    }
}

/// The inputs with their shapes, and the outputs.
type Walked = (Vec<(String, Vec<usize>)>, Vec<String>);

/// The greatest whole numbers that inputs of 32 and 64 bits are taken to bring: the first with
/// which all that is computed of them is exact. [`Graph::check_input`] holds runs to it.
const TAKEN: [f64; 9] =
    [EXACT, 8_388_608.0, 1_048_576.0, 65_536.0, 16_384.0, 4_096.0, 2_048.0, 1_024.0, 256.0];

/// A graph in the making, and what each name of the model stands for.
pub(super) struct Importer<'a> {
    pub(super) model: &'a OnnxModel,
    pub graph: Graph,
    values: BTreeMap<String, Value>,
    /// The symbols that have a name of the model's already.
    named: HashSet<Symbol>,
    /// The nodes of constants that were wanted as symbols, by the model's names.
    constants: BTreeMap<String, Symbol>,
    /// Weights in the layouts that layers want, by the model's name and what was done to them.
    layouts: BTreeMap<(String, Layout), Weight>,
    /// What is known of values' elements, by the model's names.
    pub(super) numbers: HashMap<String, Numbers>,
    /// The same of known arrays, by their addresses.
    pub(super) looked_through: HashMap<usize, Numbers>,
    /// The greatest whole number that inputs of 32 and 64 bits are taken to bring.
    pub(super) most: f64,
    /// What the node that is translated makes; translations may say it better.
    pub(super) made: Numbers,
    /// Whether there is such an input.
    pub(super) takes_whole: bool,
    /// Whether a result was refused for what the ranges of its operands allow.
    pub(super) is_beyond: Cell<bool>,
    /// The shapes that the model declares for what its nodes make.
    declared: HashMap<&'a str, &'a TensorShapeProto>,
    /// What may be made of constants yet.
    pub budget: Budget,
    /// The files beside the model.
    external: External,
}

/// What was done to a model's array to make it a layer's weight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layout {
    /// Whole numbers made floats.
    Floats,
    /// A height of 1 put in.
    WithHeight,
    /// The axes put in another order, after a height of 1 was put in or not.
    Permuted(Vec<usize>, bool),
}

impl Importer<'_> {
    /// Walks over the model; returns the inputs that runs bring, and the outputs.
    fn import(&mut self, options: &ImportOptions) -> Result<Walked> {
        let inputs = self.inputs(options)?;
        self.initializers(options)?;
        let model = self.model;
        let mut kept: BTreeSet<&str> = options.keep.iter().map(String::as_str).collect();
        let mut outputs = model.outputs().into_iter().map(str::to_owned).collect::<Vec<_>>();
        let mut seen: BTreeSet<String> = outputs.iter().cloned().collect();
        let used = model.used(&options.keep);
        for proto in &model.graph.node {
            let node = Node::new(proto, model.opset, &used);
            self.node(&node).map_err(|error| model.at(&node.title, error))?;
            let names = proto.output.iter().map(String::as_str).chain([label(proto)]);
            for name in names {
                if kept.remove(name) {
                    let is_value = proto.output.iter().any(|output| output == name);
                    let first = proto.output.first().map_or("", String::as_str);
                    let value = if is_value { name } else { first }.to_owned();
                    if seen.insert(value.clone()) {
                        outputs.push(value);
                    }
                }
            }
        }
        // What no node makes: an input, or an array of the file.
        for name in kept {
            self.check_kept(name)?;
            if seen.insert(name.to_owned()) {
                outputs.push(name.to_owned());
            }
        }
        for name in &outputs {
            self.output(name)?;
        }
        Ok((inputs, outputs))
    }

    /// Lets a name stand for an input or initializer.
    pub(super) fn declare(&mut self, name: &str, value: Value) -> Result<()> {
        if let Value::Symbol(symbol) = value {
            self.named.insert(symbol);
        }
        if self.values.insert(name.to_owned(), value).is_none() {
            return Ok(());
        }
        let problem = "two inputs or initializers are named";
        Err(self.model.unknown("the file", problem, name, "export the model again"))
    }

    /// Refuses more axes than any array has: what looks at each pair of them would take for ever.
    pub(super) fn check_rank(&self, what: &str, rank: usize) -> Result<()> {
        if rank <= MOST_AXES {
            return Ok(());
        }
        let (got, expected) = (format!("has {rank} axes"), format!("at most {MOST_AXES}"));
        Err(self.model.origin.error(&format!("\"{what}\""), &got, &expected, "reshape it"))
    }

    /// Refuses to keep what is no value of the model.
    fn check_kept(&self, name: &str) -> Result<()> {
        if self.values.contains_key(name) {
            return Ok(());
        }
        Err(Error::Name {
            node: format!("{}: keep", self.model.origin.file),
            problem: "there is no node or value named".to_owned(),
            name: name.to_owned(),
            known: listed(self.values.keys().map(String::as_str)),
            remedy: "use the name of a value or its node".to_owned(),
        })
    }

    /// Declares the arrays of the file, but for defaults in whose place something else was given.
    fn initializers(&mut self, options: &ImportOptions) -> Result<()> {
        let arrays = self.model.graph.initializer.iter();
        for proto in arrays.filter(|proto| !options.has(&proto.name)) {
            let array = self.tensor(proto)?;
            self.declare(&proto.name, constant(array))?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node<'_>) -> Result<()> {
        ops::check_input_count(node)?;
        let inputs = (0..node.input_count()).map(|number| self.value(node, number));
        let inputs = inputs.collect::<Result<Vec<Option<Value>>>>()?;
        let folded = match small(&inputs) {
            Some(known) => {
                let known: Vec<Option<&Known>> = known.iter().map(Option::as_deref).collect();
                fold(node, &known)?
            }
            None => None,
        };
        let results: Vec<Value> = if let Some(known) = folded {
            for made in &known {
                self.budget.spend(&node.title, made.values.len(), size_of::<f64>())?;
            }
            known.into_iter().map(Value::from).collect()
        } else {
            let made = self.outcome(node, &inputs)?;
            self.made = made;
            let mut results = ops::translate(self, node, &inputs)?;
            self.keep_numbers(node, &inputs, &mut results)?;
            results
        };
        node.check_all_read()?;
        if results.len() < node.outputs().iter().filter(|name| !name.is_empty()).count() {
            return Err(node.unsupported("a further output"));
        }
        for (name, value) in node.outputs().iter().zip(results) {
            if name.is_empty() {
                continue;
            }
            self.check_rank(name, self.rank(&value))?;
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

    /// Brings a node's first result into its type, and notes what its outputs hold.
    fn keep_numbers(
        &mut self,
        node: &Node<'_>,
        inputs: &ops::Inputs,
        results: &mut [Value],
    ) -> Result<()> {
        let mut made = self.made;
        if let Some(Value::Symbol(symbol)) = results.first().cloned() {
            let (fitted, numbers) = self.fit(node, symbol, made)?;
            made = numbers;
            results[0] = Value::Symbol(fitted);
        }
        for (number, (name, value)) in node.outputs().iter().zip(results).enumerate() {
            let numbers = match (node.op(), number) {
                (_, 0) | ("Split", _) => made,
                ("TopK", _) => self.position(inputs),
                _ => Numbers::of(DType::F32),
            };
            if matches!(value, Value::Symbol(_)) && !name.is_empty() {
                self.numbers.insert((*name).to_owned(), numbers);
            }
        }
        Ok(())
    }

    /// Names the graph's node after the model's value, unless the name is taken.
    fn name(&mut self, node: &Node<'_>, value: &str, symbol: Symbol) {
        let is_own = self.named.insert(symbol);
        let label = if node.outputs().len() == 1 { node.label() } else { value };
        for name in [label, value] {
            if is_own && self.graph.symbol(name).is_none() {
                // Only a taken name is refused, and this one is free.
                let _ = self.graph.rename(symbol, name);
                return;
            }
        }
    }

    fn rank(&self, value: &Value) -> usize {
        match value {
            Value::Symbol(symbol) => self.graph.shape(*symbol).map_or(0, Shape::rank),
            Value::Known(known) => known.values.ndim(),
            Value::Weight(weight) => weight.shape().len(),
        }
    }

    /// Looks an input up; none for one that is left out.
    fn value(&self, node: &Node<'_>, number: usize) -> Result<Option<Value>> {
        let Some(name) = node.input(number) else { return Ok(None) };
        match self.values.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => Err(node.refuse(
                &format!("input \"{name}\""),
                "is made by no node".to_owned(),
                "it is an input, an initializer or a node's result".to_owned(),
            )),
        }
    }

    /// Reads a tensor of the file.
    pub(super) fn tensor(&mut self, tensor: &TensorProto) -> Result<HostArray<'static>> {
        tensor::read(&self.model.origin, tensor, &mut self.external)
    }

    /// Returns a value's shape; an import binds every length.
    pub(super) fn shape(&self, symbol: Symbol) -> Vec<usize> {
        self.graph.shape(symbol).map(|shape| shape.resolve(1)).unwrap_or_default()
    }

    /// Returns the lengths that the model declares for a node's first output; none for those that
    /// it leaves open, and no lengths at all where the output has not the axes of `x`.
    pub(super) fn declared(&self, node: &Node<'_>, x: Symbol) -> Vec<Option<usize>> {
        let declared = node.outputs().first().and_then(|name| self.declared.get(name));
        let dims = declared.map(|shape| shape.dim.as_slice()).unwrap_or_default();
        if dims.len() != self.graph.shape(x).map_or(0, Shape::rank) {
            return Vec::new();
        }
        let length = |value: &Option<DimensionValue>| match value {
            // Files have 0 and -1 for what is open.
            Some(DimensionValue::Number(length)) => usize::try_from(*length).ok(),
            Some(DimensionValue::Name(_)) | None => None,
        };
        dims.iter().map(|dim| length(&dim.value).filter(|&length| length > 0)).collect()
    }

    /// Gives a value another shape of as many elements.
    pub(super) fn reshape(&mut self, x: Symbol, shape: &[usize]) -> Result<Symbol> {
        let lengths = shape.iter().map(|&length| isize::try_from(length).unwrap_or(isize::MAX));
        self.graph.reshape_to(x, Reshape::new(lengths).allow_zero())
    }

    /// Returns a value as a symbol; constants become nodes, once each.
    pub(super) fn symbol(&mut self, value: &Value, name: &str) -> Result<Symbol> {
        if !matches!(value, Value::Symbol(_))
            && let Some(symbol) = self.constants.get(name)
        {
            return Ok(*symbol);
        }
        match value {
            Value::Symbol(symbol) => Ok(*symbol),
            Value::Weight(weight) => self.constant(name, weight.clone()),
            Value::Known(known) => {
                known.check_exact(name)?;
                let array = HostArray::from(known.to_floats()).with_name(name.to_owned());
                self.constant(name, Weight::from(array))
            }
        }
    }

    /// Returns a weight in another layout; made once for each, however many layers share it.
    pub(super) fn layout(
        &mut self,
        name: &str,
        layout: Layout,
        make: impl FnOnce() -> Result<Weight>,
    ) -> Result<Weight> {
        let key = (name.to_owned(), layout);
        if let Some(made) = self.layouts.get(&key) {
            return Ok(made.clone());
        }
        let made = make()?;
        self.layouts.insert(key, made.clone());
        Ok(made)
    }

    /// Adds a constant that stands for a value.
    fn constant(&mut self, name: &str, weight: Weight) -> Result<Symbol> {
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

/// Returns what is known of a node's inputs, where that is all of them and not many elements.
fn small(inputs: &[Option<Value>]) -> Option<Vec<Option<Arc<Known>>>> {
    // Counted before anything is read: one array may be the input of a node very often.
    let mut elements = 0usize;
    for value in inputs.iter().flatten() {
        elements = elements.checked_add(value.known_len()?).filter(|&all| all <= SMALL)?;
    }
    Some(inputs.iter().map(|value| value.as_ref().and_then(Value::to_known)).collect())
}
