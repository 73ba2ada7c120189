//! From a description to a graph; nothing that it says is believed.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::describe::checksum;
use super::format::{ArrayText, DocumentRead, FORMAT, Head, NodeRead, VERSION};
use crate::array::Npz;
use crate::error::{Error, Result};
use crate::graph::{Claim, Graph, Weight};
use crate::ops::Op;
use crate::own::{OwnKernel, OwnText};

/// Makes a graph of a description; `open` opens the file of weights that it names.
pub(super) fn graph(
    file: &str,
    text: &str,
    kernels: &[OwnKernel],
    open: impl FnOnce(&str) -> Result<Npz>,
) -> Result<Graph> {
    let document = parse(file, text)?;
    let weights = match &document.weights {
        Some(name) => {
            check_plain(file, name)?;
            weights(file, &document.arrays, &open(name)?)?
        }
        None if document.arrays.is_empty() => Vec::new(),
        None => {
            let got = format!("lists {} arrays and names no file", document.arrays.len());
            return Err(refuse(file, "weights", got, "arrays lie in a file beside it"));
        }
    };
    rebuild(file, &document, &weights, kernels)
}

/// Tells whether a file of weights is the one that a description was written with.
pub(super) fn fits(file: &str, text: &str, npz: &Npz) -> bool {
    parse(file, text).is_ok_and(|document| weights(file, &document.arrays, npz).is_ok())
}

/// Tells whether a description names a file of weights; nothing if it cannot be read.
pub(super) fn names(file: &str, text: &str, weights: &str) -> Option<bool> {
    parse(file, text).ok().map(|document| document.weights.as_deref() == Some(weights))
}

/// Makes a graph of a description whose weights are at hand, in the order of its arrays.
pub(super) fn nodes(
    file: &str,
    text: &str,
    weights: &[Weight],
    kernels: &[OwnKernel],
) -> Result<Graph> {
    rebuild(file, &parse(file, text)?, weights, kernels)
}

fn refuse(file: &str, part: &str, got: impl Into<String>, expected: impl Into<String>) -> Error {
    Error::Format {
        file: file.to_owned(),
        part: part.to_owned(),
        got: got.into(),
        expected: expected.into(),
        remedy: "save the graph again".to_owned(),
    }
}

fn parse<'a>(file: &str, text: &'a str) -> Result<DocumentRead<'a>> {
    let unread = |error: serde_json::Error| {
        let expected = format!("it is the JSON of a {FORMAT} of version {VERSION}");
        refuse(file, "description", format!("cannot be read ({error})"), expected)
    };
    let head: Head = serde_json::from_str(text).map_err(unread)?;
    if head.format != FORMAT {
        let got = format!("is {:?}", clipped(&head.format));
        return Err(refuse(file, "format", got, format!("it is \"{FORMAT}\"")));
    }
    if head.version != VERSION {
        return Err(Error::Format {
            file: file.to_owned(),
            part: "version".to_owned(),
            got: format!("is {}", head.version),
            expected: format!("version {VERSION} is read"),
            remedy: "use the version of longshore that wrote it".to_owned(),
        });
    }
    serde_json::from_str(text).map_err(unread)
}

/// The beginning of a text that may be long.
fn clipped(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Refuses names that lead out of the description's folder.
fn check_plain(file: &str, name: &str) -> Result<()> {
    let is_dots = name.chars().all(|c| c == '.');
    let leads_out = |c: char| matches!(c, '/' | '\\' | ':') || c.is_control();
    if !is_dots && !name.contains(leads_out) {
        return Ok(());
    }
    let expected = "it is the plain name of a file beside the description";
    Err(refuse(file, "weights", format!("is {:?}", clipped(name)), expected))
}

/// Reads the listed arrays, and nothing else.
fn weights(file: &str, arrays: &[ArrayText], npz: &Npz) -> Result<Vec<Weight>> {
    let mut members = BTreeSet::new();
    let mut weights = Vec::new();
    for (place, text) in arrays.iter().enumerate() {
        let part = format!("array {place} \"{}\"", clipped(&text.member));
        let wrong = |got: String, expected: String| Err(refuse(file, &part, got, expected));
        if text.array != place {
            return wrong(format!("has the number {}", text.array), format!("it is {place}"));
        }
        if !members.insert(text.member.as_str()) {
            return wrong("is listed twice".to_owned(), "shared weights are listed once".into());
        }
        let array = npz.array(&text.member)?;
        let (dtype, shape) = (array.dtype().name(), array.shape());
        if text.dtype != dtype || text.shape != shape {
            return wrong(
                format!("is {dtype} {shape:?} in the file of weights"),
                format!("the description says {} {:?}", clipped(&text.dtype), text.shape),
            );
        }
        let found = checksum(&array.to_le_bytes());
        if text.crc32 != found {
            return wrong(
                format!("has the checksum {found} in the file of weights"),
                format!("the description says {}: both are of one save", clipped(&text.crc32)),
            );
        }
        weights.push(Weight::labeled(text.label.clone(), array.with_name(text.label.clone())));
    }
    match npz.names().find(|name| !members.contains(name)) {
        Some(name) => {
            let got = format!("has an array \"{}\"", clipped(name));
            Err(refuse(file, "file of weights", got, "the description lists no such array"))
        }
        None => Ok(weights),
    }
}

fn rebuild(
    file: &str,
    document: &DocumentRead<'_>,
    weights: &[Weight],
    kernels: &[OwnKernel],
) -> Result<Graph> {
    let mut graph = Graph::new();
    let mut unused: BTreeSet<usize> = (0..weights.len()).collect();
    for (place, raw) in document.nodes.iter().enumerate() {
        add(file, &mut graph, place, raw, weights, kernels, &mut unused)?;
    }
    if let Some(&number) = unused.first() {
        let part = format!("array {number}");
        return Err(refuse(file, &part, "is used by no node", "what is listed is used"));
    }
    let count = graph.nodes().len();
    for output in &document.outputs {
        if output.node >= count {
            let part = format!("output \"{}\"", clipped(&output.name));
            let got = format!("is node {}", output.node);
            return Err(refuse(file, &part, got, format!("there are {count} nodes")));
        }
        graph.output_at(output.name.clone(), output.node);
    }
    for (name, &[low, high]) in &document.whole {
        let input = graph.symbol(name).filter(|_| graph.is_input(name) && low <= high);
        let Some(input) = input else {
            let part = format!("whole numbers of \"{}\"", clipped(name));
            let got = format!("are from {low} to {high}");
            return Err(refuse(file, &part, got, "they are an input's, from the least on"));
        };
        graph.whole_input(input, low..=high)?;
    }
    let within = |source: Error| Error::Import {
        file: file.to_owned(),
        node: "outputs and inputs".to_owned(),
        source: Box::new(source),
    };
    graph.check().map_err(within)?;
    Ok(graph)
}

/// Adds the node at a place of the list.
fn add(
    file: &str,
    graph: &mut Graph,
    place: usize,
    raw: &RawValue,
    weights: &[Weight],
    kernels: &[OwnKernel],
    unused: &mut BTreeSet<usize>,
) -> Result<()> {
    let unread = |part: &str, error: serde_json::Error| {
        let expected = format!("it is that of version {VERSION}");
        refuse(file, part, format!("cannot be read ({error})"), expected)
    };
    let part = format!("node {place}");
    let node: NodeRead<'_> =
        serde_json::from_str(raw.get()).map_err(|error| unread(&part, error))?;
    let part = format!("node {place} \"{}\"", clipped(&node.name));
    let wrong = |got: String, expected: String| Err(refuse(file, &part, got, expected));
    if node.node != place {
        return wrong(format!("has the number {}", node.node), format!("it is {place}"));
    }
    if let Some(operand) = node.operands.iter().find(|&&operand| operand >= place) {
        return wrong(format!("takes node {operand}"), "operands stand before it".to_owned());
    }
    let mut own = Vec::with_capacity(node.weights.len());
    for &number in &node.weights {
        let Some(weight) = weights.get(number) else {
            let expected = format!("{} arrays are listed", weights.len());
            return wrong(format!("takes array {number}"), expected);
        };
        unused.remove(&number);
        own.push(weight.clone());
    }
    let within = |source: Error| Error::Import {
        file: file.to_owned(),
        node: part.clone(),
        source: Box::new(source),
    };
    let op = match read_op(node.op).map_err(|error| unread(&format!("{part}: op"), error))? {
        Read::Own(text) => Op::Own(text.bind("own kernel", kernels).map_err(within)?),
        Read::Other(op) => op,
    };
    let claim = Claim {
        name: node.name,
        op,
        operands: node.operands,
        weights: own,
        stages: node.stages,
        shape: node.shape,
    };
    graph.claim(claim).map_err(within)
}

enum Read {
    Own(OwnText),
    Other(Op),
}

/// Reads an operation; an own kernel is one that has to be found first.
fn read_op(raw: &RawValue) -> serde_json::Result<Read> {
    if serde_json::from_str::<Tag>(raw.get()).is_ok() {
        let text: Tagged = serde_json::from_str(raw.get())?;
        return Ok(Read::Own(text.own));
    }
    serde_json::from_str(raw.get()).map(Read::Other)
}

/// Tells an own kernel, whatever it holds.
#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "own")]
    _own: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tagged {
    own: OwnText,
}
