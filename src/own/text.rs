//! Own kernels in a description: the name, the source and the values of the parameters.
//!
//! The rules that are Rust code (the shape, the threads, the twin for the host) cannot be
//! written, so whoever loads such a graph brings the kernel, and it must be the one that was
//! saved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{Bound, OwnCall, OwnKernel, Scalar, Value};
use crate::error::{Error, Result};
use crate::serial::number;

/// One use of a kernel.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnText {
    kernel: String,
    entry: String,
    per_item: bool,
    params: BTreeMap<String, ValueText>,
    source: String,
}

/// A parameter: one number, or two to four of a vector.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ValueText {
    F32(Vec<Float>),
    I32(Vec<i32>),
    U32(Vec<u32>),
}

#[derive(Serialize, Deserialize)]
struct Float(#[serde(with = "number")] f32);

impl From<&Bound> for OwnText {
    fn from(bound: &Bound) -> Self {
        let kernel = bound.kernel();
        let params = bound.values().into_iter().map(|(name, value)| (name, value_text(value)));
        OwnText {
            kernel: kernel.name().to_owned(),
            entry: kernel.interface().entry.clone(),
            per_item: kernel.is_per_item(),
            params: params.collect(),
            source: kernel.source().to_owned(),
        }
    }
}

/// Written in full; read by `OwnText`, as it needs the kernel.
impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        OwnText::from(self).serialize(serializer)
    }
}

impl OwnText {
    /// Binds the values to one of the kernels that were brought.
    pub(crate) fn bind(&self, node: &str, kernels: &[OwnKernel]) -> Result<Bound> {
        let mut named = kernels.iter().filter(|kernel| kernel.name() == self.kernel);
        let first = named.clone().next().ok_or_else(|| self.missing(node, kernels))?;
        let kernel = named.find(|kernel| self.difference(kernel).is_none()).unwrap_or(first);
        if let Some(what) = self.difference(kernel) {
            return Err(Error::Operand {
                node: node.to_owned(),
                operand: format!("kernel \"{}\"", self.kernel),
                got: format!("has another {what}"),
                expected: "it must be the kernel that was saved".to_owned(),
                shapes: format!("entry point {}, per_item {}", self.entry, self.per_item),
                remedy: "bring that kernel, or save the graph again".to_owned(),
            });
        }
        let mut call = OwnCall::new();
        for (name, value) in &self.params {
            call = call.param(name, self.value(node, name, value)?);
        }
        Bound::new(node, kernel, &call)
    }

    /// Says in what a kernel is not the saved one.
    fn difference(&self, kernel: &OwnKernel) -> Option<&'static str> {
        if kernel.source() != self.source {
            Some("source")
        } else if kernel.interface().entry != self.entry {
            Some("entry point")
        } else if kernel.is_per_item() != self.per_item {
            Some("per_item")
        } else {
            None
        }
    }

    fn missing(&self, node: &str, kernels: &[OwnKernel]) -> Error {
        let known: Vec<&str> = kernels.iter().map(OwnKernel::name).collect();
        Error::Name {
            node: node.to_owned(),
            problem: "no kernel is given that is named".to_owned(),
            name: self.kernel.clone(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            remedy: "register it and load with Graph::load_with, as its rules are Rust code"
                .to_owned(),
        }
    }

    fn value(&self, node: &str, name: &str, text: &ValueText) -> Result<Value> {
        let (scalar, words): (Scalar, Vec<u32>) = match text {
            ValueText::F32(values) => {
                (Scalar::F32, values.iter().map(|Float(value)| value.to_bits()).collect())
            }
            ValueText::I32(values) => {
                (Scalar::I32, values.iter().map(|value| value.cast_unsigned()).collect())
            }
            ValueText::U32(values) => (Scalar::U32, values.clone()),
        };
        Value::from_words(scalar, &words).ok_or_else(|| Error::Operand {
            node: node.to_owned(),
            operand: format!("parameter \"{name}\""),
            got: format!("has {} numbers", words.len()),
            expected: "a parameter has 1 to 4".to_owned(),
            shapes: format!("kernel \"{}\"", self.kernel),
            remedy: "save the graph again".to_owned(),
        })
    }
}

fn value_text(value: Value) -> ValueText {
    let words = value.words();
    match value.kind().scalar {
        Scalar::F32 => ValueText::F32(words.map(|word| Float(f32::from_bits(word))).collect()),
        Scalar::I32 => ValueText::I32(words.map(u32::cast_signed).collect()),
        Scalar::U32 => ValueText::U32(words.collect()),
    }
}
