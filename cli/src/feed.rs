//! A model file and what its inputs are given: files, lengths, shapes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use longshore::array::DType;
use longshore::import::onnx::{ImportOptions, Imported, OnnxModel, OnnxPort};
use longshore::{HostArray, StagePolicy};

use crate::pairs::{self, DimLength, InputFile};

/// Arrays by the names of inputs.
pub type Arrays = BTreeMap<String, HostArray<'static>>;

/// The model, and what it is given.
#[derive(clap::Args)]
pub struct Feed {
    /// The model's file
    #[arg(value_name = "MODEL.onnx")]
    pub model: PathBuf,
    /// Give an input, once for each: an array of any dtype
    #[arg(long = "input", value_name = "NAME=FILE.npy", value_parser = pairs::input_file)]
    inputs: Vec<InputFile>,
    /// Bind a dimension that the model names
    #[arg(long = "dim", value_name = "NAME=N", value_parser = pairs::dim_length)]
    dims: Vec<DimLength>,
}

/// A model that has been read, with the inputs that it needs.
pub struct Model {
    /// Its file, as messages name it.
    pub file: String,
    pub onnx: OnnxModel,
    pub ports: Vec<OnnxPort>,
}

/// A network, and the arrays that its runs bring.
pub struct Bound {
    pub imported: Imported,
    pub arrays: Arrays,
}

impl Feed {
    /// Reads the arrays that `--input` gives.
    pub fn arrays(&self, model: &Model) -> Result<Arrays> {
        model.check_names(self.inputs.iter().map(|input| input.name.as_str()))?;
        let read = |input: &InputFile| -> Result<(String, HostArray<'static>)> {
            let array = HostArray::read(&input.path)?.with_name(input.name.clone());
            Ok((input.name.clone(), array))
        };
        self.inputs.iter().map(read).collect()
    }

    /// Makes options for the import, with the lengths that `--dim` binds.
    pub fn options(&self) -> Result<ImportOptions> {
        let mut names = BTreeSet::new();
        let mut options = ImportOptions::new();
        for DimLength { name, length } in &self.dims {
            if !names.insert(name) {
                bail!("{}: dimension \"{name}\" is bound twice; bind it once", self.file());
            }
            options = options.dim(name, *length);
        }
        Ok(options)
    }

    fn file(&self) -> String {
        self.model.display().to_string()
    }
}

impl Model {
    /// Reads a model's file.
    pub fn read(path: &Path) -> Result<Self> {
        let onnx = OnnxModel::read(path)?;
        let ports = onnx.inputs()?;
        Ok(Model { file: path.display().to_string(), onnx, ports })
    }

    /// Refuses names that are no inputs, and those that stand there twice.
    pub fn check_names<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let mut seen = BTreeSet::new();
        for name in names {
            if !self.ports.iter().any(|port| port.name == name) {
                bail!("{}: there is no input \"{name}\"; {}", self.file, self.takes());
            }
            if !seen.insert(name) {
                let takes = self.takes();
                bail!("{}: input \"{name}\" is given twice; {takes}; give it once", self.file);
            }
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
        let constants = self.onnx.constant_inputs();
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
    /// shape where a run brings them.
    pub fn bind(
        &self,
        given: Arrays,
        mut options: ImportOptions,
        policy: &StagePolicy,
    ) -> Result<Bound> {
        let constants = self.onnx.constant_inputs();
        let mut arrays = Arrays::new();
        for (name, array) in given {
            if constants.contains(name.as_str()) {
                options = options.value(name, under(array, policy)?);
            } else {
                options = options.shape(&name, array.shape());
                arrays.insert(name, array);
            }
        }
        Ok(Bound { imported: self.onnx.import(&options)?, arrays })
    }

    /// Says what the model takes, for messages.
    fn takes(&self) -> String {
        let ports: Vec<String> = self.ports.iter().map(port).collect();
        match ports.as_slice() {
            [] => "the model takes no inputs".to_owned(),
            _ => format!("the model takes {}", ports.join(", ")),
        }
    }
}

/// Describes an input: `x float32 [batch, 3]`.
pub fn port(port: &OnnxPort) -> String {
    let dims = port.dims.as_ref().map_or("of any shape".to_owned(), |dims| {
        let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
        format!("[{}]", dims.join(", "))
    });
    format!("{} {} {dims}", port.name, port.dtype)
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
    let (packed, _) = array.pack(policy)?;
    Ok(HostArray::from(packed).with_name(array.name().to_owned()))
}
