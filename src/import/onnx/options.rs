//! What an import is told, and what it gives.

use std::collections::BTreeMap;

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
    pub(super) keep: Vec<String>,
    pub(super) filled_bytes: Option<u64>,
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

    /// Binds all dimensions of an input, and with them the names they have.
    #[must_use]
    pub fn shape(mut self, input: impl Into<String>, shape: &[usize]) -> Self {
        self.shapes.insert(input.into(), shape.to_vec());
        self
    }

    /// Gives an input its value now: shapes, axes, sizes and the like must be known here.
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

    /// Makes an output of a value inside the model too: by its own name or its node's.
    #[must_use]
    pub fn keep(mut self, name: impl Into<String>) -> Self {
        self.keep.push(name.into());
        self
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
