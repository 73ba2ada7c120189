//! The members of a description.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ops::{Op, Stage};
use crate::serial::{length, shape};
use crate::shape::Shape;

/// What `format` says.
pub(super) const FORMAT: &str = "longshore graph";

/// What `version` says; a later one may have members that this one does not know.
pub(super) const VERSION: u64 = 1;

/// What is read first: whether the rest can be.
#[derive(Deserialize)]
pub(super) struct Head {
    pub format: String,
    pub version: u64,
}

/// A description that is written.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    pub format: &'a str,
    pub version: u64,
    pub weights: Option<&'a str>,
    pub arrays: &'a [ArrayText],
    pub nodes: Vec<NodeText<'a>>,
    pub outputs: Vec<OutputText>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub whole: &'a BTreeMap<String, [i64; 2]>,
}

/// A description that is read; its nodes are read one by one, so that errors name them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentRead<'a> {
    #[serde(rename = "format")]
    pub _format: String,
    #[serde(rename = "version")]
    pub _version: u64,
    pub weights: Option<String>,
    pub arrays: Vec<ArrayText>,
    #[serde(borrow)]
    pub nodes: Vec<&'a RawValue>,
    pub outputs: Vec<OutputText>,
    #[serde(default)]
    pub whole: BTreeMap<String, [i64; 2]>,
}

/// A weight.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrayText {
    /// Its number, which is its place in the list.
    pub array: usize,
    /// Its name in the `.npz`.
    pub member: String,
    /// What messages and the ledger call it.
    pub label: String,
    /// As NumPy names it.
    pub dtype: String,
    #[serde(with = "length::list")]
    pub shape: Vec<usize>,
    /// Of its elements, little-endian and in C order, in hexadecimal.
    pub crc32: String,
}

/// A node that is written.
#[derive(Serialize)]
pub(super) struct NodeText<'a> {
    /// Its number, which is its place in the list.
    pub node: usize,
    pub name: &'a str,
    pub op: &'a Op,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub operands: &'a [usize],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weights: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    #[serde(with = "shape")]
    pub shape: &'a Shape,
}

/// A node that is read; its operation is read once its name is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NodeRead<'a> {
    pub node: usize,
    pub name: String,
    #[serde(borrow)]
    pub op: &'a RawValue,
    #[serde(default)]
    pub operands: Vec<usize>,
    #[serde(default)]
    pub weights: Vec<usize>,
    #[serde(default)]
    pub stages: Vec<Stage>,
    #[serde(with = "shape")]
    pub shape: Shape,
}

/// A named output.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputText {
    pub name: String,
    pub node: usize,
}
