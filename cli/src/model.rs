//! A model that has been read: an ONNX file, or a graph that longshore saved.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use longshore::array::DType;
use longshore::error::escaped;
use longshore::file::ReadOptions;
use longshore::import::onnx::{ImportOptions, Imported, OnnxDim, OnnxModel, OnnxPort};
use longshore::{Graph, HostArray, StagePolicy};

use crate::feed::{Arrays, STDIN};
use crate::saved;

/// The most inputs with a default that a message lists: some files have all weights there.
const MOST_OPTIONAL: usize = 8;

/// As much as `OnnxModel::read` takes of a file.
const MOST_FROM_STDIN: u64 = 2 << 30;

/// A model that has been read, with the inputs that it needs.
pub struct Model {
    /// Its file, as messages name it.
    pub file: String,
    /// The inputs that a run must be given.
    pub ports: Vec<OnnxPort>,
    /// The inputs that have a default in the file.
    pub optional: Vec<OnnxPort>,
    source: Source,
}

enum Source {
    Onnx(Box<OnnxModel>),
    Saved(Graph),
}

/// What the command line asks of a model.
#[derive(Default)]
pub struct Wishes {
    /// Lengths of dimensions that the model names.
    pub dims: Vec<(String, usize)>,
    /// Whole shapes of inputs.
    pub shapes: Vec<(String, Vec<usize>)>,
    /// Values inside of the model that become outputs.
    pub keep: Vec<String>,
    /// Whether files beside the model may be links.
    pub allow_links: bool,
    /// How much is read of them.
    pub max_bytes: Option<u64>,
}

/// A network, the arrays that its runs bring, and their batch.
pub struct Bound {
    pub imported: Imported,
    pub arrays: Arrays,
    /// The length of a saved graph's batch; 1 for what has none.
    pub batch: usize,
}

impl Model {
    /// Reads a model's file: a saved graph if its name ends in `.json`, else ONNX.
    pub fn read(path: &Path, options: ReadOptions) -> Result<Self> {
        let file = path.display().to_string();
        let is_saved = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        if is_saved {
            let graph = Graph::load_reading(path, &[], options)?;
            let (ports, source) = (saved::ports(&graph), Source::Saved(graph));
            return Ok(Model { file, ports, optional: Vec::new(), source });
        }
        Model::onnx(file, OnnxModel::read_with(path, options)?)
    }

    /// Reads an ONNX model from standard input, of which no more is taken than a file may have.
    pub fn read_from(input: impl Read, max_bytes: Option<u64>) -> Result<Self> {
        let most = max_bytes.unwrap_or(MOST_FROM_STDIN);
        let mut bytes = Vec::new();
        input.take(most.saturating_add(1)).read_to_end(&mut bytes).context(STDIN)?;
        if bytes.len() as u64 > most {
            bail!(
                "{STDIN}: has more than the {most} bytes that are read; allow more with --max-bytes"
            );
        }
        Model::onnx(STDIN.to_owned(), OnnxModel::from_bytes(STDIN, &bytes)?)
    }

    fn onnx(file: String, onnx: OnnxModel) -> Result<Self> {
        let (ports, optional) = (onnx.inputs()?, onnx.optional_inputs()?);
        Ok(Model { file, ports, optional, source: Source::Onnx(Box::new(onnx)) })
    }

    /// Returns an input, with a default or without.
    pub fn input(&self, name: &str) -> Option<&OnnxPort> {
        self.ports.iter().chain(&self.optional).find(|port| port.name == name)
    }

    /// Returns ONNX's operator set; none for a saved graph.
    pub fn opset(&self) -> Option<i64> {
        match &self.source {
            Source::Onnx(onnx) => Some(onnx.opset()),
            Source::Saved(_) => None,
        }
    }

    /// Returns the names of the outputs.
    pub fn outputs(&self) -> Vec<&str> {
        match &self.source {
            Source::Onnx(onnx) => onnx.outputs(),
            Source::Saved(graph) => graph.output_names().collect(),
        }
    }

    /// Counts the operators.
    pub fn operators(&self) -> BTreeMap<&str, usize> {
        match &self.source {
            Source::Onnx(onnx) => onnx.operators(),
            Source::Saved(graph) => saved::operators(graph),
        }
    }

    /// Returns the inputs whose values an import needs; a saved graph needs none.
    pub fn constant_inputs(&self) -> BTreeSet<&str> {
        match &self.source {
            Source::Onnx(onnx) => onnx.constant_inputs(),
            Source::Saved(_) => BTreeSet::new(),
        }
    }

    /// Refuses names that are no inputs, and those that stand there twice.
    pub fn check_names<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let mut seen = BTreeSet::new();
        for name in names {
            if self.input(name).is_none() {
                bail!("{}: there is no input \"{name}\"; {}", self.file, self.takes());
            }
            if !seen.insert(name) {
                let takes = self.takes();
                bail!("{}: input \"{name}\" is given twice; {takes}; give it once", self.file);
            }
        }
        Ok(())
    }

    /// Refuses an array of a shape that the model does not take, of which only that is known.
    pub fn check_shape(&self, name: &str, shape: &[usize]) -> Result<()> {
        let Some(dims) = self.input(name).and_then(|port| port.dims.as_ref()) else {
            return Ok(());
        };
        let listed: Vec<String> = dims.iter().map(ToString::to_string).collect();
        let (file, listed) = (&self.file, listed.join(", "));
        let is_saved = matches!(self.source, Source::Saved(_));
        let refuse = |got: String| -> Result<()> {
            let input = format!("{file}: input \"{name}\" {got} but");
            if is_saved {
                bail!("{input} [{listed}] is expected");
            }
            bail!("{input} the model declares [{listed}]; bring an array of that shape")
        };
        if dims.len() != shape.len() && !is_saved {
            return refuse(format!("has {} dimensions", shape.len()));
        }
        let differs = |(dim, length): (&OnnxDim, &usize)| match dim {
            OnnxDim::Fixed(fixed) => fixed != length,
            OnnxDim::Named(_) | OnnxDim::Open => false,
        };
        if dims.len() != shape.len() || dims.iter().zip(shape).any(differs) {
            return refuse(format!("has shape {shape:?}"));
        }
        Ok(())
    }

    /// Refuses a run to which inputs are missing.
    pub fn check_all_given(&self, arrays: &Arrays) -> Result<()> {
        let needed = self.ports.iter().map(|port| port.name.as_str());
        match missing(needed, arrays) {
            None => Ok(()),
            Some(which) => bail!(
                "{}: {which} missing; {}; give each with --input NAME=FILE.npy",
                self.file,
                self.takes()
            ),
        }
    }

    /// Refuses an import to which inputs are missing whose values it needs.
    pub fn check_constants_given(&self, arrays: &Arrays) -> Result<()> {
        let constants = self.constant_inputs();
        let needed = self.ports.iter().map(|port| port.name.as_str());
        match missing(needed.filter(|name| constants.contains(name)), arrays) {
            None => Ok(()),
            Some(which) => bail!(
                "{}: {which} missing, and the import needs the values of shapes, axes and a \
                 layer's weights; {}; give them with --input NAME=FILE.npy",
                self.file,
                self.takes()
            ),
        }
    }

    /// Makes a graph, the given arrays bound: by value where the import needs the values, by
    /// shape where a run brings them, be it in place of a default.
    pub fn bind(&self, given: Arrays, wishes: &Wishes, policy: &StagePolicy) -> Result<Bound> {
        let onnx = match &self.source {
            Source::Onnx(onnx) => onnx,
            Source::Saved(graph) => return saved::bind(&self.file, graph, given, wishes),
        };
        let mut options = ImportOptions::new().allow_links(wishes.allow_links);
        if let Some(bytes) = wishes.max_bytes {
            options = options.external_bytes(bytes);
        }
        for (name, length) in &wishes.dims {
            options = options.dim(name, *length);
        }
        for (name, shape) in &wishes.shapes {
            options = options.shape(name, shape);
        }
        for name in &wishes.keep {
            options = options.keep(name);
        }
        let constants = onnx.constant_inputs();
        let mut arrays = Arrays::new();
        for (name, array) in given {
            if constants.contains(name.as_str()) {
                options = options.value(name, under(array, policy)?);
            } else {
                options = options.shape(&name, array.shape());
                arrays.insert(name, array);
            }
        }
        Ok(Bound { imported: onnx.import(options)?, arrays, batch: 1 })
    }

    /// Says what the model takes, for messages.
    fn takes(&self) -> String {
        let ports: Vec<String> = self.ports.iter().map(port).collect();
        let takes = match ports.as_slice() {
            [] => "the model takes no inputs".to_owned(),
            _ => format!("the model takes {}", ports.join(", ")),
        };
        let optional: Vec<String> = self.optional.iter().take(MOST_OPTIONAL).map(port).collect();
        match (optional.as_slice(), self.optional.len().saturating_sub(MOST_OPTIONAL)) {
            ([], _) => takes,
            (some, 0) => format!("{takes}, and may be given {}", some.join(", ")),
            (some, more) => {
                format!("{takes}, and may be given {} and {more} more", some.join(", "))
            }
        }
    }
}

/// Describes an input: `x float32 [batch, 3]`.
pub fn port(port: &OnnxPort) -> String {
    let dims = port.dims.as_ref().map_or("of any shape".to_owned(), |dims| {
        let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
        format!("[{}]", dims.join(", "))
    });
    format!("{} {} {dims}", escaped(&port.name), port.dtype)
}

/// Names what is missing: `input "x" is`, or `inputs "x", "y" are`.
fn missing<'a>(needed: impl Iterator<Item = &'a str>, arrays: &Arrays) -> Option<String> {
    let missing: Vec<String> = needed
        .filter(|name| !arrays.contains_key(*name))
        .map(|name| format!("\"{name}\""))
        .collect();
    match missing.as_slice() {
        [] => None,
        [one] => Some(format!("input {one} is")),
        several => Some(format!("inputs {} are", several.join(", "))),
    }
}

/// Brings floats under the policy before the import computes with them; other numbers stay,
/// as shapes need all their digits.
fn under(array: HostArray<'static>, policy: &StagePolicy) -> Result<HostArray<'static>> {
    if !matches!(array.dtype(), DType::F16 | DType::F32 | DType::F64) {
        return Ok(array);
    }
    let (packed, _) = array.pack(*policy)?;
    Ok(HostArray::from(packed).with_name(array.name().to_owned()))
}
