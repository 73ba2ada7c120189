//! What a model's inputs are given: files, lengths, shapes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};
use longshore::HostArray;

use crate::model::{Model, Wishes};
use crate::pairs::{self, DimLength, InputFile};

/// Arrays by the names of inputs.
pub type Arrays = BTreeMap<String, HostArray<'static>>;

/// The model, and what it is given.
#[derive(clap::Args)]
pub struct Feed {
    /// The model's file: ONNX, or a graph that longshore saved
    #[arg(value_name = "MODEL.onnx|MODEL.json")]
    pub model: PathBuf,
    /// Give an input, once for each: an array of any dtype
    #[arg(long = "input", value_name = "NAME=FILE.npy", value_parser = pairs::input_file)]
    inputs: Vec<InputFile>,
    /// Bind a dimension that the model names; a saved graph has one, batch
    #[arg(long = "dim", value_name = "NAME=N", value_parser = pairs::dim_length)]
    dims: Vec<DimLength>,
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

    /// Makes wishes of the lengths that `--dim` binds.
    pub fn wishes(&self) -> Result<Wishes> {
        let mut names = BTreeSet::new();
        let mut wishes = Wishes::default();
        for DimLength { name, length } in &self.dims {
            if !names.insert(name) {
                bail!("{}: dimension \"{name}\" is bound twice; bind it once", self.file());
            }
            wishes.dims.push((name.clone(), *length));
        }
        Ok(wishes)
    }

    fn file(&self) -> String {
        self.model.display().to_string()
    }
}
