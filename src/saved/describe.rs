//! From a graph to its description.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use flate2::Crc;

use super::format::{ArrayText, Document, FORMAT, NodeText, OutputText, VERSION};
use super::{layout, restore};
use crate::array::HostArray;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Weight};
use crate::ops::Op;
use crate::own::OwnKernel;

/// The most bytes of a label in the name of a member.
const LONGEST_MEMBER: usize = 100;

/// What a description says, and the arrays that it names.
pub(super) struct Described<'a> {
    graph: &'a Graph,
    texts: Vec<ArrayText>,
    arrays: Vec<(String, &'a HostArray<'static>)>,
    /// Tells arrays of other numbers, names or shapes apart.
    digest: u64,
}

impl<'a> Described<'a> {
    /// Describes a graph, and makes sure that the description is read as that graph.
    pub(super) fn new(graph: &'a Graph, file: &str) -> Result<Self> {
        // Of any name, as it is not opened.
        const NAME: &str = "weights.npz";
        graph.check()?;
        let described = Described::collect(graph)?;
        let text = described.text(NAME)?;
        let weights = used(graph).into_iter().filter_map(|number| graph.weights().get(number));
        let weights: Vec<Weight> = weights.cloned().collect();
        let again = restore::nodes(file, &text, &weights, &kernels(graph))?;
        if Described::collect(&again)?.text(NAME)? != text {
            return Err(Error::Unsupported {
                node: file.to_owned(),
                what: "a graph that is not read as it is written".to_owned(),
                remedy: crate::error::BUG.to_owned(),
            });
        }
        Ok(described)
    }

    fn collect(graph: &'a Graph) -> Result<Self> {
        let used = used(graph);
        let mut arrays = Vec::with_capacity(used.len());
        let mut texts = Vec::with_capacity(used.len());
        let mut members = BTreeSet::new();
        let mut hasher = DefaultHasher::new();
        for weight in used.iter().filter_map(|&weight| graph.weights().get(weight)) {
            let array = weight.host().ok_or_else(|| on_a_device(graph, weight))?;
            let member = member(weight.label(), &mut members);
            let bytes = array.to_le_bytes();
            (&member, array.dtype().name(), array.shape(), &bytes).hash(&mut hasher);
            texts.push(ArrayText {
                array: texts.len(),
                member: member.clone(),
                label: weight.label().to_owned(),
                dtype: array.dtype().name().to_owned(),
                shape: array.shape().to_vec(),
                crc32: checksum(&bytes),
            });
            arrays.push((member, array));
        }
        Ok(Described { graph, texts, arrays, digest: hasher.finish() })
    }

    /// Writes the description; its arrays lie in a file of this name.
    pub(super) fn text(&self, weights_name: &str) -> Result<String> {
        let used = used(self.graph);
        let numbers: BTreeMap<usize, usize> =
            used.iter().enumerate().map(|(number, &weight)| (weight, number)).collect();
        let nodes = self.graph.nodes().iter().enumerate();
        let document = Document {
            format: FORMAT,
            version: VERSION,
            weights: Some(weights_name).filter(|_| self.has_arrays()),
            arrays: &self.texts,
            nodes: nodes.map(|(number, node)| describe(number, node, &numbers)).collect(),
            outputs: outputs(self.graph),
            whole: self.graph.whole(),
        };
        layout::write(&document).map_err(|error| Error::Unsupported {
            node: "graph".to_owned(),
            what: format!("a description of it ({error})"),
            remedy: crate::error::BUG.to_owned(),
        })
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn has_arrays(&self) -> bool {
        !self.arrays.is_empty()
    }

    /// Returns the arrays with the names of their members.
    pub(super) fn arrays(&self) -> impl Iterator<Item = (&str, &'a HostArray<'static>)> {
        self.arrays.iter().map(|(member, array)| (member.as_str(), *array))
    }
}

/// Lists the weights that nodes use, in the order of their first use.
fn used(graph: &Graph) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let weights = graph.nodes().iter().flat_map(|node| node.weights.iter().copied());
    weights.filter(|&weight| seen.insert(weight)).collect()
}

fn describe<'a>(number: usize, node: &'a Node, numbers: &BTreeMap<usize, usize>) -> NodeText<'a> {
    NodeText {
        node: number,
        name: &node.name,
        op: &node.op,
        operands: &node.operands,
        weights: node.weights.iter().filter_map(|weight| numbers.get(weight).copied()).collect(),
        stages: node.stages.clone(),
        shape: &node.shape,
    }
}

fn outputs(graph: &Graph) -> Vec<OutputText> {
    let outputs = graph.outputs().iter();
    outputs.map(|(name, node)| OutputText { name: name.clone(), node: *node }).collect()
}

/// The kernels of the graph's own nodes.
fn kernels(graph: &Graph) -> Vec<OwnKernel> {
    let mut own = Vec::new();
    for node in graph.nodes() {
        if let Op::Own(call) = &node.op {
            own.push(call.kernel().clone());
        }
    }
    own
}

/// Returns the CRC-32 of the bytes of an array's elements, which are little-endian and in C order.
pub(super) fn checksum(bytes: &[u8]) -> String {
    let mut crc = Crc::new();
    crc.update(bytes);
    format!("{:08x}", crc.sum())
}

/// Makes a member's name of a label: its plain characters, and a number where it is taken.
fn member(label: &str, taken: &mut BTreeSet<String>) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    let plain = label.chars().take(LONGEST_MEMBER).map(|c| if is_plain(c) { c } else { '_' });
    let plain: String = plain.collect();
    let parts: Vec<&str> = plain.split('/').filter(|part| !part.is_empty()).collect();
    let stem = if parts.is_empty() { "array".to_owned() } else { parts.join("/") };
    let mut name = stem.clone();
    let mut number = 1usize;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{stem}_{number}");
    }
    name
}

fn on_a_device(graph: &Graph, weight: &Weight) -> Error {
    let uses = |node: &&Node| {
        let mut weights = node.weights.iter().filter_map(|&number| graph.weights().get(number));
        weights.any(|other| other.address() == weight.address())
    };
    Error::Unsupported {
        node: graph.nodes().iter().find(uses).map_or_else(|| "graph".to_owned(), Node::title),
        what: format!("saving the weight \"{}\", which lies on a device,", weight.label()),
        remedy: "build the graph with the host array, or read the tensor first".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_plain_names_of_their_own() {
        let mut taken = BTreeSet::new();
        let labels =
            ["conv/kernel", "conv/kernel", "../../x", "/a//b/", "", "ä:b", "conv/kernel_2", "/"];
        let members = labels.map(|label| member(label, &mut taken));
        let expected = [
            "conv/kernel",
            "conv/kernel_2",
            "__/__/x",
            "a/b",
            "array",
            "__b",
            "conv/kernel_2_2",
            "array_2",
        ];
        assert_eq!(members, expected);
        assert_eq!(member(&"x".repeat(70_000), &mut taken).len(), LONGEST_MEMBER);
    }
}
