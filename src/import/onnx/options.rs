//! What an import is told, and what it gives.

use std::collections::{BTreeMap, BTreeSet};

use crate::array::HostArray;
use crate::graph::Graph;

/// Describes what a model leaves open: lengths, and inputs whose values shape the network.
///
/// ```
/// use longshore::{import::onnx::ImportOptions};
///
/// # fn main() -> longshore::Result<()> {
/// // Binds an open length by its name, and makes an output of a value inside of the model.
/// let options = ImportOptions::new().dim("batch", 8).keep("features");
/// # let _ = options;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    pub(super) dims: BTreeMap<String, usize>,
    pub(super) shapes: BTreeMap<String, Vec<usize>>,
    pub(super) values: BTreeMap<String, HostArray<'static>>,
    pub(super) open: BTreeSet<String>,
    pub(super) keep: Vec<String>,
    pub(super) filled_bytes: Option<u64>,
    pub(super) external_bytes: Option<u64>,
    pub(super) allow_links: bool,
}

impl ImportOptions {
    /// Makes options that bind nothing.
    #[must_use]
    pub fn new() -> Self {
        ImportOptions::default()
    }

    /// Binds a dimension that the model names, as in `batch`.
    #[must_use]
    pub fn dim(mut self, name: impl Into<String>, length: usize) -> Self {
        self.dims.insert(name.into(), length);
        self
    }

    /// Binds all dimensions of an input, and with them the names they have where no other input that
    /// is bound so has other lengths there: models use one name for lengths that differ.
    ///
    /// An input with a default is opened by it, as by [`ImportOptions::open`].
    #[must_use]
    pub fn shape(mut self, input: impl Into<String>, shape: &[usize]) -> Self {
        self.shapes.insert(input.into(), shape.to_vec());
        self
    }

    /// Makes each run bring an input that has a default in the file, of the default's shape unless
    /// [`ImportOptions::shape`] gives another. Otherwise it is a constant.
    #[must_use]
    pub fn open(mut self, input: impl Into<String>) -> Self {
        self.open.insert(input.into());
        self
    }

    /// Gives an input its value now: shapes, axes, sizes and the like must be known here. The
    /// value takes the place of a default.
    #[must_use]
    pub fn value(mut self, input: impl Into<String>, value: HostArray<'static>) -> Self {
        self.values.insert(input.into(), value);
        self
    }

    /// Sets how many bytes of floats the model's nodes may fill with one number
    /// (`ConstantOfShape`), in all: 1 GiB unless told. A few bytes of a file can ask for any.
    #[must_use]
    pub fn filled_bytes(mut self, bytes: u64) -> Self {
        self.filled_bytes = Some(bytes);
        self
    }

    /// Sets how many bytes tensors may read from files beside the model, in all: 8 GiB unless
    /// told, of which 256 MiB may be bytes that are read again, as several tensors may name the
    /// same ones.
    #[must_use]
    pub fn external_bytes(mut self, bytes: u64) -> Self {
        self.external_bytes = Some(bytes);
        self
    }

    /// Lets files beside the model be symbolic links that lead out of its folder, or have hard
    /// links, as in caches whose files are links into a store. A model that you do not trust can
    /// read other files by them, if it brings the links along.
    #[must_use]
    pub fn allow_links(mut self, allow: bool) -> Self {
        self.allow_links = allow;
        self
    }

    /// Makes an output of another value too: by its own name, which may be an input's, or its
    /// node's.
    #[must_use]
    pub fn keep(mut self, name: impl Into<String>) -> Self {
        self.keep.push(name.into());
        self
    }
}

impl ImportOptions {
    /// Tells whether an input is bound, opened or given.
    pub(super) fn has(&self, input: &str) -> bool {
        self.shapes.contains_key(input)
            || self.values.contains_key(input)
            || self.open.contains(input)
    }

    /// Returns the names of inputs that are bound, opened or given.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        let names = self.shapes.keys().chain(self.values.keys()).chain(&self.open);
        names.map(String::as_str)
    }
}

/// A model as a graph.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The network; its inputs and outputs have the model's names.
    pub graph: Graph,
    /// What each run brings, with the shapes that were bound.
    pub inputs: Vec<(String, Vec<usize>)>,
    /// The outputs, in the model's order, then those kept.
    pub outputs: Vec<String>,
}
