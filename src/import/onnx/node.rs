//! One node of a model: its attributes, each read once and none ignored.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::proto::{AttributeProto, NodeProto, TensorProto};
use crate::error::{Error, Result, listed};

/// ONNX's numbers for the kinds of attributes that operators here have.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// A node with the operator set that its defaults come from.
pub(super) struct Node<'a> {
    proto: &'a NodeProto,
    outputs: Vec<&'a str>,
    /// Operator and name, as messages print them: `Conv "conv1"`.
    pub title: String,
    /// The version of the operator set.
    pub opset: i64,
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Node<'a> {
    /// Wraps a node; an output behind the first that nobody reads is not wanted.
    pub(super) fn new(proto: &'a NodeProto, opset: i64, used: &BTreeSet<&str>) -> Self {
        let title = format!("{} \"{}\"", proto.op_type, label(proto));
        let names = proto.output.iter().map(String::as_str).enumerate();
        let outputs = names
            .map(|(number, name)| if number == 0 || used.contains(name) { name } else { "" })
            .collect();
        Node { proto, outputs, title, opset, read: RefCell::default() }
    }

    /// Returns what people call the node: its name, or its first output's.
    pub(super) fn label(&self) -> &'a str {
        label(self.proto)
    }

    pub(super) fn op(&self) -> &'a str {
        &self.proto.op_type
    }

    /// Returns the name of an input; none for one that is left out.
    pub(super) fn input(&self, number: usize) -> Option<&'a str> {
        self.proto.input.get(number).map(String::as_str).filter(|name| !name.is_empty())
    }

    pub(super) fn input_count(&self) -> usize {
        self.proto.input.len()
    }

    /// Returns the names of the outputs; an empty one is not wanted.
    pub(super) fn outputs(&self) -> &[&'a str] {
        &self.outputs
    }

    /// Tells whether somebody may use an output.
    pub(super) fn wants(&self, number: usize) -> bool {
        self.outputs.get(number).is_some_and(|name| !name.is_empty())
    }

    fn attribute(&self, name: &'static str, kind: i32) -> Result<Option<&'a AttributeProto>> {
        self.read.borrow_mut().insert(name);
        let found = self.proto.attribute.iter().find(|attribute| attribute.name == name);
        match found {
            // Files of the first versions leave the kind out.
            Some(attribute) if attribute.kind != kind && attribute.kind != 0 => Err(self.refuse(
                &format!("attribute {name}"),
                format!("is of kind {}", attribute.kind),
                format!("kind {kind} is ONNX's for it"),
            )),
            other => Ok(other),
        }
    }

    pub(super) fn int(&self, name: &'static str, default: i64) -> Result<i64> {
        Ok(self.attribute(name, INT)?.map_or(default, |attribute| attribute.i))
    }

    pub(super) fn optional_int(&self, name: &'static str) -> Result<Option<i64>> {
        Ok(self.attribute(name, INT)?.map(|attribute| attribute.i))
    }

    /// Reads a switch: 0 or 1.
    pub(super) fn flag(&self, name: &'static str, default: bool) -> Result<bool> {
        match self.int(name, i64::from(default))? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.refuse(name, format!("is {other}"), "0 or 1 is".to_owned())),
        }
    }

    pub(super) fn float(&self, name: &'static str, default: f32) -> Result<f32> {
        Ok(self.attribute(name, FLOAT)?.map_or(default, |attribute| attribute.f))
    }

    pub(super) fn optional_float(&self, name: &'static str) -> Result<Option<f32>> {
        Ok(self.attribute(name, FLOAT)?.map(|attribute| attribute.f))
    }

    pub(super) fn ints(&self, name: &'static str) -> Result<Option<Vec<i64>>> {
        Ok(self.attribute(name, INTS)?.map(|attribute| attribute.ints.clone()))
    }

    pub(super) fn floats(&self, name: &'static str) -> Result<Option<Vec<f32>>> {
        Ok(self.attribute(name, FLOATS)?.map(|attribute| attribute.floats.clone()))
    }

    pub(super) fn text(&self, name: &'static str, default: &str) -> Result<String> {
        let found = self.attribute(name, STRING)?;
        Ok(found.map_or_else(
            || default.to_owned(),
            |attribute| String::from_utf8_lossy(&attribute.s).into_owned(),
        ))
    }

    pub(super) fn tensor(&self, name: &'static str) -> Result<Option<&'a TensorProto>> {
        Ok(self.attribute(name, TENSOR)?.and_then(|attribute| attribute.t.as_deref()))
    }

    /// Refuses attributes that no translation has read: an ignored option would be a wrong result.
    pub(super) fn check_all_read(&self) -> Result<()> {
        let read = self.read.borrow();
        let left = self.proto.attribute.iter().find(|attribute| !read.contains(&*attribute.name));
        match left {
            Some(attribute) => Err(self.unsupported(&format!("attribute {}", attribute.name))),
            None => Ok(()),
        }
    }

    /// Makes the error of something that ONNX has and this importer does not.
    pub(super) fn unsupported(&self, what: &str) -> Error {
        Error::Unsupported {
            node: self.title.clone(),
            what: what.to_owned(),
            remedy: "export the model without it".to_owned(),
        }
    }

    /// Makes the error of an operand or attribute that ONNX does not allow.
    pub(super) fn refuse(&self, operand: &str, got: String, expected: String) -> Error {
        Error::Operand {
            node: self.title.clone(),
            operand: operand.to_owned(),
            got,
            expected,
            shapes: format!("inputs {}", listed(self.proto.input.iter().map(String::as_str))),
            remedy: "export the model again".to_owned(),
        }
    }
}

/// Returns what people call a node: its name, or its first output's.
pub(super) fn label(proto: &NodeProto) -> &str {
    if proto.name.is_empty() {
        proto.output.first().map_or("", String::as_str)
    } else {
        &proto.name
    }
}
