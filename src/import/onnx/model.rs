//! A model file: reading it, and what it says of itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::Path;

use prost::Message;

use super::node::label;
use super::ops;
use super::order;
use super::proto::{
    DimensionValue, GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto,
    ValueInfoProto,
};
use super::tensor::{self, Origin};
use crate::array::DType;
use crate::error::{Error, Result, escaped, listed};
use crate::file::{ReadOptions, read_whole};
use crate::shape::MOST_AXES;

/// The longest file that is read: protobuf, of which it is made, allows no longer one.
const MOST_BYTES: u64 = 2 << 30;

/// The oldest operator set whose rules are followed.
const OLDEST_OPSET: i64 = 7;

/// The first version of the format in which an initializer among the inputs is a default. Before, all
/// initializers stood there.
const DEFAULTS_SINCE: i64 = 4;

/// What exporters write for a length that they do not name, however often.
const ANONYMOUS: &str = "?";

/// One dimension of a model's input or output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnnxDim {
    /// A fixed length.
    Fixed(usize),
    /// A length that the model names, as in `batch`.
    Named(String),
    /// A length that the model leaves open: without a name, as `?` or as -1.
    Open,
}

impl fmt::Display for OnnxDim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnnxDim::Fixed(length) => write!(f, "{length}"),
            OnnxDim::Named(name) => write!(f, "{}", escaped(name)),
            OnnxDim::Open => f.write_str("?"),
        }
    }
}

/// An input or output as the model declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxPort {
    /// The name.
    pub name: String,
    /// The type of its elements.
    pub dtype: DType,
    /// Its dimensions; none where the model does not say.
    pub dims: Option<Vec<OnnxDim>>,
}

/// A model as its file has it.
///
/// ```
/// use longshore::Runtime;
/// use longshore::import::onnx::{ImportOptions, OnnxModel};
/// use ndarray::array;
///
/// # fn main() -> longshore::Result<()> {
/// # let file: &[u8] = b"\x08\x08\x42\x02\x10\x11\x3a\x33\x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu\x12\x01g\
/// #     \x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x03\
/// #     \x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x03";
///
/// // A file is read with `OnnxModel::read("model.onnx")`.
/// let model = OnnxModel::from_bytes("relu.onnx", file)?;
/// assert_eq!(model.inputs()?[0].name, "x");
/// let imported = model.import(ImportOptions::new())?;
///
/// let rt = Runtime::host();
/// let session = rt.session(&imported.graph, 1)?;
/// let x = rt.stage("x", array![-1.0_f32, 0.0, 2.0])?;
/// let y = session.run([("x", &x)])?.output("y")?.read()?;
/// assert_eq!(y, array![0.0, 0.0, 2.0].into_dyn());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OnnxModel {
    pub(super) origin: Origin,
    pub(super) graph: GraphProto,
    pub(super) opset: i64,
    /// Whether an initializer among the inputs is a default, which a caller may replace.
    has_defaults: bool,
}

impl OnnxModel {
    /// Reads a model file; external data is looked for beside it when it is imported.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read, [`Error::Limit`] for one beyond 2 GiB,
    /// [`Error::Format`] when it is no regular file, no ONNX model or its nodes need each other,
    /// [`Error::Unsupported`] for a version of the format that is not followed.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        OnnxModel::read_with(path, ReadOptions::new())
    }

    /// Reads a model file that may have another size than [`read`](OnnxModel::read) takes.
    ///
    /// # Errors
    ///
    /// Those of [`read`](OnnxModel::read).
    pub fn read_with(path: impl AsRef<Path>, options: ReadOptions) -> Result<Self> {
        let path = path.as_ref();
        let bytes = read_whole(path, options.most_bytes.unwrap_or(MOST_BYTES))?;
        let file = path.display().to_string();
        OnnxModel::decode(Origin { file, path: Some(path.to_owned()) }, &bytes)
    }

    /// Reads a model from memory; messages call it `name`. External data is refused.
    ///
    /// # Errors
    ///
    /// As [`OnnxModel::read`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        OnnxModel::decode(Origin { file: name.to_owned(), path: None }, bytes)
    }

    fn decode(origin: Origin, bytes: &[u8]) -> Result<Self> {
        let export = "export the model again";
        let model = ModelProto::decode(bytes).map_err(|error| {
            origin.error(
                "the file",
                &format!("cannot be decoded ({error})"),
                "an ONNX model",
                export,
            )
        })?;
        let unsupported = |what: String, remedy: &str| Error::Unsupported {
            node: origin.file.clone(),
            what,
            remedy: remedy.to_owned(),
        };
        let has_defaults = model.ir_version.is_some_and(|version| version >= DEFAULTS_SINCE);
        let Some(mut graph) = model.graph else {
            return Err(origin.error("the file", "has no graph", "an ONNX model", export));
        };
        if let Some(function) = model.functions.first() {
            let what = format!("a model with functions of its own (\"{}\")", function.name);
            return Err(unsupported(what, "export it with its functions inlined"));
        }
        if !graph.sparse_initializer.is_empty() {
            return Err(unsupported("a sparse initializer".to_owned(), "export it dense"));
        }
        let is_standard = |domain: &str| domain.is_empty() || domain == "ai.onnx";
        let opset = model.opset_import.iter().find(|set| is_standard(&set.domain));
        let opset = opset.map_or(1, |set| set.version);
        if opset < OLDEST_OPSET {
            let what = format!("operator set {opset}");
            return Err(unsupported(what, "convert it to operator set 7 or newer"));
        }
        order::sort(&origin, &mut graph)?;
        Ok(OnnxModel { origin, graph, opset, has_defaults })
    }

    /// Returns the version of ONNX's operator set that the model follows.
    #[must_use]
    pub fn opset(&self) -> i64 {
        self.opset
    }

    /// Returns what a run must bring: inputs that have no value in the file.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for an input that is no tensor, [`Error::Unsupported`] for elements
    /// that no array here has.
    pub fn inputs(&self) -> Result<Vec<OnnxPort>> {
        let known = self.initialized();
        let needed = self.graph.input.iter().filter(|input| !known.contains_key(&*input.name));
        needed.map(|input| self.port(input)).collect()
    }

    /// Returns the inputs that have a default in the file. They are constants unless
    /// [`ImportOptions`] opens them or gives them another value.
    ///
    /// None before version 4 of the format, where every initializer is among the inputs.
    ///
    /// [`ImportOptions`]: super::ImportOptions
    ///
    /// # Errors
    ///
    /// As [`OnnxModel::inputs`].
    pub fn optional_inputs(&self) -> Result<Vec<OnnxPort>> {
        if !self.has_defaults {
            return Ok(Vec::new());
        }
        let known = self.initialized();
        let optional = self.graph.input.iter().filter(|input| known.contains_key(&*input.name));
        optional.map(|input| self.port(input)).collect()
    }

    /// Returns the arrays of the file, by name.
    pub(super) fn initialized(&self) -> BTreeMap<&str, &TensorProto> {
        self.graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect()
    }

    /// Returns the names of the inputs whose values shape the network, or are weights of a layer:
    /// [`ImportOptions::value`] must give them, as no run can.
    ///
    /// [`ImportOptions::value`]: super::ImportOptions::value
    #[must_use]
    pub fn constant_inputs(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        // From the end, so that what feeds a shape through other nodes is found too.
        for node in self.graph.node.iter().rev() {
            let is_shape = node.output.iter().any(|output| names.contains(output.as_str()));
            for (number, input) in node.input.iter().enumerate() {
                if is_shape && node.op_type != "Shape" && node.op_type != "Size"
                    || ops::must_be_known(&node.op_type, number)
                {
                    names.insert(input.as_str());
                }
            }
        }
        let inputs: BTreeSet<&str> =
            self.graph.input.iter().map(|input| input.name.as_str()).collect();
        names.intersection(&inputs).copied().collect()
    }

    /// Returns the names of the outputs; one that the file lists twice is one output.
    #[must_use]
    pub fn outputs(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let names = self.graph.output.iter().map(|output| output.name.as_str());
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// Counts the operators of the model's nodes.
    #[must_use]
    pub fn operators(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for node in &self.graph.node {
            *counts.entry(node.op_type.as_str()).or_insert(0) += 1;
        }
        counts
    }

    /// Refuses lengths for dimensions that no input names.
    pub(super) fn check_dims<'a>(
        &self,
        ports: &[OnnxPort],
        names: impl IntoIterator<Item = &'a String>,
    ) -> Result<()> {
        let known: BTreeSet<&str> = ports
            .iter()
            .flat_map(|port| port.dims.iter().flatten())
            .filter_map(|dim| if let OnnxDim::Named(name) = dim { Some(&**name) } else { None })
            .collect();
        match names.into_iter().find(|name| !known.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::Name {
                node: format!("{}: import", self.origin.file),
                problem: "no input has a dimension named".to_owned(),
                name: name.clone(),
                known: listed(known),
                remedy: "bind what the model names".to_owned(),
            }),
        }
    }

    fn port(&self, info: &ValueInfoProto) -> Result<OnnxPort> {
        let part = format!("input \"{}\"", info.name);
        let tensor = info.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
        let Some(tensor) = tensor else {
            let expected = "inputs are tensors";
            return Err(self.origin.error(&part, "is no tensor", expected, "change the model"));
        };
        let dtype = tensor::dtype(tensor.elem_type).map_err(|name| Error::Unsupported {
            node: format!("{}: {part}", self.origin.file),
            what: format!("elements of type {name}"),
            remedy: "export the model in float32".to_owned(),
        })?;
        let Some(shape) = &tensor.shape else {
            return Ok(OnnxPort { name: info.name.clone(), dtype, dims: None });
        };
        if shape.dim.len() > MOST_AXES {
            let (got, expected) = (shape.dim.len(), format!("at most {MOST_AXES}"));
            let got = format!("has {got} axes");
            return Err(self.origin.error(&part, &got, &expected, "export the model again"));
        }
        let dims = shape.dim.iter().map(|dim| match &dim.value {
            // As frameworks that have no other way to write an open length leave it.
            Some(DimensionValue::Number(-1)) => Ok(OnnxDim::Open),
            Some(DimensionValue::Number(length)) => {
                let length = tensor::shape(&self.origin, &part, &[*length])?;
                Ok(length.first().copied().map_or(OnnxDim::Open, OnnxDim::Fixed))
            }
            Some(DimensionValue::Name(name)) if !name.is_empty() && name != ANONYMOUS => {
                Ok(OnnxDim::Named(name.clone()))
            }
            _ => Ok(OnnxDim::Open),
        });
        let dims = Some(dims.collect::<Result<Vec<_>>>()?);
        Ok(OnnxPort { name: info.name.clone(), dtype, dims })
    }

    /// Refuses, all at once, the nodes whose operators are not there.
    pub(super) fn check_operators(&self) -> Result<()> {
        let mut missing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for node in &self.graph.node {
            if !ops::is_supported(&node.domain, &node.op_type) {
                missing.entry(full_name(node)).or_default().push(label(node));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let count: usize = missing.values().map(Vec::len).sum();
        let lists: Vec<String> = missing
            .iter()
            .map(|(op, names)| format!("{op} ({})", listed(names.iter().copied())))
            .collect();
        let (nodes, are) = if count == 1 { ("node", "it") } else { ("nodes", "them") };
        Err(Error::Unsupported {
            node: self.origin.file.clone(),
            what: format!("{count} {nodes}: {}: which", listed(lists.iter().map(String::as_str))),
            remedy: format!("export the model without {are}"),
        })
    }
}

impl OnnxModel {
    /// Returns the names of values that something reads: a node, an output, or the caller.
    pub(super) fn used<'a>(&'a self, keep: &'a [String]) -> BTreeSet<&'a str> {
        let inputs = self.graph.node.iter().flat_map(|node| &node.input);
        let outputs = self.graph.output.iter().map(|output| &output.name);
        inputs.chain(outputs).chain(keep).map(String::as_str).collect()
    }
}

impl OnnxModel {
    /// Returns the shapes that the model declares for values that its nodes make.
    pub(super) fn declared_shapes<'a>(&'a self) -> HashMap<&'a str, &'a TensorShapeProto> {
        let declared = self.graph.value_info.iter().chain(&self.graph.output);
        let shape = |info: &'a ValueInfoProto| info.kind.as_ref()?.tensor.as_ref()?.shape.as_ref();
        declared.filter_map(|info| Some((info.name.as_str(), shape(info)?))).collect()
    }
}

/// Returns an operator's name, with its domain where it is not ONNX's own.
fn full_name(node: &NodeProto) -> String {
    if node.domain.is_empty() || node.domain == "ai.onnx" {
        node.op_type.clone()
    } else {
        format!("{}.{}", node.domain, node.op_type)
    }
}
