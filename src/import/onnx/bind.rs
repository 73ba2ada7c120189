//! The model's inputs: what a run brings, with every length bound.

use std::collections::BTreeMap;

use super::importer::{Importer, constant};
use super::model::{OnnxDim, OnnxPort};
use super::options::ImportOptions;
use super::value::{Kind, Value, kind_of};
use crate::array::HostArray;
use crate::error::{Error, Result};
use crate::shape::Dim;

impl Importer<'_> {
    /// Declares the inputs, with every dimension bound.
    pub(super) fn inputs(&mut self, options: &ImportOptions) -> Result<Vec<(String, Vec<usize>)>> {
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
                self.declare(&port.name, constant(array))?;
                continue;
            }
            let shape = match options.shapes.get(&port.name) {
                Some(shape) => shape.clone(),
                None => self.bound(port, &dims)?,
            };
            self.check_rank(&port.name, shape.len())?;
            let lengths = shape.iter().copied().map(Dim::Fixed);
            let symbol = self.graph.input(port.name.clone(), lengths);
            self.declare(&port.name, Value::Symbol(symbol))?;
            if kind_of(port.dtype) != Kind::Float {
                self.whole.insert(port.name.clone());
            }
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
}

fn list(dims: &[OnnxDim]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    format!("[{}]", dims.join(", "))
}
