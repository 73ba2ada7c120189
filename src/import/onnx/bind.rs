//! The model's inputs: what a run brings, with every length bound.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Dimension;

use super::importer::{Importer, constant};
use super::model::{OnnxDim, OnnxPort};
use super::numbers::{EXACT, Numbers, limits, narrow};
use super::options::ImportOptions;
use super::tensor;
use super::value::{Kind, Known, Value, kind_of};
use crate::array::{DType, HostArray};
use crate::error::{Error, Result};
use crate::graph::Symbol;
use crate::ops::UnaryOp;
use crate::shape::Dim;

/// What the names of dimensions stand for.
struct Lengths<'a> {
    /// What is bound by name.
    bound: &'a BTreeMap<String, usize>,
    /// The lengths that shapes have where the model has the name: several, if it uses one name for
    /// lengths that differ.
    found: BTreeMap<&'a str, BTreeSet<usize>>,
}

impl Importer<'_> {
    /// Declares the inputs, with every dimension bound.
    pub(super) fn inputs(&mut self, options: &ImportOptions) -> Result<Vec<(String, Vec<usize>)>> {
        let mut ports = self.model.inputs()?;
        let optional = self.model.optional_inputs()?;
        ports.extend(optional.into_iter().filter(|port| options.has(&port.name)));
        let known: BTreeSet<&str> = ports.iter().map(|port| port.name.as_str()).collect();
        if let Some(name) = options.inputs().find(|name| !known.contains(name)) {
            let remedy = "use the name of an input that the model's file lets a caller give";
            return Err(self.model.unknown("import", "there is no open input named", name, remedy));
        }
        self.model.check_dims(&ports, options.dims.keys())?;
        let shapes = self.shapes(&ports, options)?;
        let mut lengths = Lengths { bound: &options.dims, found: BTreeMap::new() };
        for port in &ports {
            if let Some(shape) = shapes.get(port.name.as_str()) {
                self.unify(port, shape, &mut lengths)?;
            }
        }
        let mut declared = Vec::new();
        for port in &ports {
            if let Some(array) = options.values.get(&port.name) {
                let array = array.clone().with_name(port.name.clone());
                self.declare(&port.name, typed(&port.name, port.dtype, array)?)?;
                continue;
            }
            let shape = match shapes.get(port.name.as_str()) {
                Some(shape) => shape.clone(),
                None => self.bound(port, &lengths)?,
            };
            self.check_rank(&port.name, shape.len())?;
            let dims = shape.iter().copied().map(Dim::Fixed);
            let symbol = self.graph.input(port.name.clone(), dims);
            let symbol = self.brought(port, symbol)?;
            self.declare(&port.name, Value::Symbol(symbol))?;
            declared.push((port.name.clone(), shape));
        }
        Ok(declared)
    }

    /// Says what numbers an input takes, by the type that the model declares.
    fn brought(&mut self, port: &OnnxPort, symbol: Symbol) -> Result<Symbol> {
        let mut numbers = Numbers::of(port.dtype);
        let mut symbol = symbol;
        if port.dtype == DType::Bool {
            // Whatever is not 0 is true.
            let not = self.graph.activation(symbol, UnaryOp::LogicalNot)?;
            symbol = self.graph.activation(not, UnaryOp::LogicalNot)?;
        } else if numbers.is_whole() {
            let most = if narrow(port.dtype).is_some() { EXACT } else { self.most };
            self.takes_whole |= narrow(port.dtype).is_none();
            numbers = numbers.within(numbers.low.max(-most), numbers.high.min(most));
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers up to 2^24")]
            self.graph.whole_input(symbol, numbers.low as i64..=numbers.high as i64)?;
        }
        self.numbers.insert(port.name.clone(), numbers);
        Ok(symbol)
    }

    /// Finds the shapes that are known without a name's length: given ones, values', defaults'.
    fn shapes(
        &self,
        ports: &[OnnxPort],
        options: &ImportOptions,
    ) -> Result<BTreeMap<String, Vec<usize>>> {
        let defaults = self.model.initialized();
        let mut shapes = BTreeMap::new();
        for name in ports.iter().map(|port| &port.name) {
            let value = options.values.get(name).map(HostArray::shape);
            let shape = match options.shapes.get(name).map(Vec::as_slice).or(value) {
                Some(shape) => shape.to_vec(),
                None => match defaults.get(name.as_str()) {
                    Some(default) => {
                        let part = format!("tensor \"{name}\"");
                        tensor::shape(&self.model.origin, &part, &default.dims)?
                    }
                    None => continue,
                },
            };
            shapes.insert(name.clone(), shape);
        }
        Ok(shapes)
    }

    /// Checks a given shape against what the model declares, and notes the names in it.
    fn unify<'p>(
        &self,
        port: &'p OnnxPort,
        shape: &[usize],
        lengths: &mut Lengths<'p>,
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
                OnnxDim::Named(name) => match lengths.bound.get(name) {
                    Some(other) if *other != length => {
                        return Err(refuse(format!("has {name} = {length}, which is {other} too")));
                    }
                    _ => {
                        lengths.found.entry(name).or_default().insert(length);
                    }
                },
                OnnxDim::Fixed(_) | OnnxDim::Open => {}
            }
        }
        Ok(())
    }

    fn bound(&self, port: &OnnxPort, lengths: &Lengths<'_>) -> Result<Vec<usize>> {
        let declared = port.dims.as_deref();
        let bound = declared.and_then(|declared| {
            let length = |dim: &OnnxDim| match dim {
                OnnxDim::Fixed(length) => Some(*length),
                OnnxDim::Named(name) => lengths.of(name),
                OnnxDim::Open => None,
            };
            declared.iter().map(length).collect::<Option<Vec<usize>>>()
        });
        bound.ok_or_else(|| Error::Operand {
            node: self.model.origin.file.clone(),
            operand: format!("input \"{}\"", port.name),
            got: format!("has shape {}", declared.map_or("unknown".to_owned(), list)),
            expected: "every length must be known to plan".to_owned(),
            shapes: format!("bound so far: {}", lengths.list()),
            remedy: "bind it with ImportOptions::dim or ImportOptions::shape".to_owned(),
        })
    }
}

impl Lengths<'_> {
    /// Returns what a name stands for: what it is bound to, or the one length that was found for it.
    fn of(&self, name: &str) -> Option<usize> {
        let found = || match self.found.get(name) {
            Some(found) if found.len() == 1 => found.first().copied(),
            Some(_) | None => None,
        };
        self.bound.get(name).copied().or_else(found)
    }

    fn list(&self) -> String {
        let bound = self.bound.iter().map(|(name, length)| format!("{name} = {length}"));
        let found = self.found.iter().filter(|(name, _)| !self.bound.contains_key(**name));
        let found = found.map(|(name, lengths)| {
            let lengths: Vec<String> = lengths.iter().map(ToString::to_string).collect();
            format!("{name} = {}", lengths.join(" and "))
        });
        let all: Vec<String> = bound.chain(found).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
    }
}

/// Makes a value of an array that is given now, of the type that the model declares.
fn typed(name: &str, dtype: DType, array: HostArray<'static>) -> Result<Value> {
    let (given, wanted) = (kind_of(array.dtype()), kind_of(dtype));
    let Kind::Int(_) = wanted else {
        let is_same = given == wanted;
        return Ok(if is_same { constant(array) } else { Value::known(array.to_f64(), wanted) });
    };
    let values = array.to_f64();
    let (low, high) = limits(dtype);
    let is_taken = |value: f64| (low..=high).contains(&value) && value.fract() == 0.0;
    match values.indexed_iter().find(|(_, value)| !is_taken(**value)) {
        None => Ok(Value::from(Known { values, kind: wanted })),
        Some((index, value)) => Err(Error::Operand {
            node: format!("input \"{name}\""),
            operand: format!("element {:?}", index.slice()),
            got: format!("is {value}"),
            expected: format!("the model declares {dtype}"),
            shapes: format!("{} {:?}", array.dtype(), array.shape()),
            remedy: "bring numbers of that type".to_owned(),
        }),
    }
}

fn list(dims: &[OnnxDim]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("[{}]", dims.join(", "))
}
