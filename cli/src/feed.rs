//! What a model's inputs are given: files, lengths, shapes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use longshore::HostArray;
use longshore::array::NpyFile;
use longshore::file::ReadOptions;

use crate::model::{Model, Wishes};
use crate::pairs::{self, DimLength, InputFile, InputShape};

/// What messages call standard input.
pub const STDIN: &str = "standard input";

/// Arrays by the names of inputs.
pub type Arrays = BTreeMap<String, HostArray<'static>>;

/// The model, and what it is given.
#[derive(clap::Args)]
pub struct Feed {
    /// The model's file: ONNX, or a graph that longshore saved; - is ONNX from standard input
    #[arg(value_name = "MODEL.onnx|MODEL.json")]
    pub model: PathBuf,
    /// Give an input, once for each: an array of any dtype; - is standard input
    #[arg(long = "input", value_name = "NAME=FILE.npy", value_parser = pairs::input_file)]
    inputs: Vec<InputFile>,
    /// Bind a dimension that the model names; a saved graph has one, batch
    #[arg(long = "dim", value_name = "NAME=N", value_parser = pairs::dim_length)]
    dims: Vec<DimLength>,
    /// Let files beside the model be links that lead out of its folder, or have hard links
    #[arg(long)]
    allow_links: bool,
    /// Read up to N bytes of each file, and of all that lies beside the model
    #[arg(long, value_name = "N")]
    max_bytes: Option<u64>,
}

/// Whether a path stands for standard input.
fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Feed {
    /// Returns the names and files that `--input` gives.
    pub fn files<'a>(&'a self, model: &Model) -> Vec<(&'a str, &'a Path)> {
        self.inputs.iter().map(|input| input.parts(|name| model.input(name).is_some())).collect()
    }

    /// Reads the model.
    pub fn read_model(&self) -> Result<Model> {
        // Of an option's text, as which part is the name is known once the model is.
        let arrays = self.inputs.iter().filter(|input| input.is_stdin()).count();
        if arrays + usize::from(is_stdin(&self.model)) > 1 {
            bail!("standard input is given twice and read once; give one of them as a file");
        }
        if is_stdin(&self.model) {
            return Model::read_from(std::io::stdin().lock(), self.max_bytes);
        }
        Model::read(&self.model, self.reading())
    }

    /// Reads the arrays that `--input` gives; a shape that the model does not take is refused
    /// before the data is read.
    pub fn arrays(&self, model: &Model) -> Result<Arrays> {
        let files = self.files(model);
        model.check_names(files.iter().map(|(name, _)| *name))?;
        let read = |(name, path): (&str, &Path)| -> Result<(String, HostArray<'static>)> {
            let array = if is_stdin(path) {
                let file = NpyFile::stream(STDIN, std::io::stdin().lock(), self.reading())?;
                model.check_shape(name, file.shape())?;
                file.read()?
            } else {
                let file = NpyFile::open(path, self.reading())?;
                model.check_shape(name, file.shape())?;
                file.read()?
            };
            Ok((name.to_owned(), array.with_name(name.to_owned())))
        };
        files.into_iter().map(read).collect()
    }

    fn reading(&self) -> ReadOptions {
        let options = ReadOptions::new().allow_links(self.allow_links);
        self.max_bytes.map_or(options, |bytes| options.most_bytes(bytes))
    }

    /// Makes wishes of the lengths that `--dim` binds.
    pub fn wishes(&self) -> Result<Wishes> {
        let mut names = BTreeSet::new();
        let mut wishes = Wishes {
            allow_links: self.allow_links,
            max_bytes: self.max_bytes,
            ..Wishes::default()
        };
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

/// Shapes of inputs that are not given.
#[derive(clap::Args)]
pub struct Shapes {
    /// Bind all dimensions of an input, and with them the names they have
    #[arg(long, value_name = "NAME=1x3x224x224", value_parser = pairs::input_shape)]
    input_shape: Vec<InputShape>,
}

impl Shapes {
    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.input_shape.is_empty()
    }

    /// Adds the shapes to the wishes, and refuses names that are no inputs or have arrays.
    pub fn wish(&self, model: &Model, arrays: &Arrays, wishes: &mut Wishes) -> Result<()> {
        let names = self.input_shape.iter().map(|input| input.name.as_str());
        model.check_names(arrays.keys().map(String::as_str).chain(names))?;
        let shapes = self.input_shape.iter().map(|input| (input.name.clone(), input.shape.clone()));
        wishes.shapes.extend(shapes);
        Ok(())
    }
}
