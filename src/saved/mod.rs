//! Graphs in files: a readable description as JSON, and the weights beside it as `.npz`.
//!
//! [`Graph::save`] writes `NAME.json` and `NAME.weights.npz`, [`Graph::load`] reads both. What is
//! kept is the graph, to the last bit of every option and weight: nodes, names, stages that passes
//! have fused, shared weights once, each in its own dtype. A graph that passes have been over
//! ([`Passes::run`](crate::Passes::run)) is kept as they left it, so that a model is prepared once.
//!
//! ```
//! use longshore::{Activation, Dense, Graph, HostArray, LayerWeights, Passes, Shape};
//! use ndarray::array;
//!
//! # fn main() -> longshore::Result<()> {
//! let mut g = Graph::new();
//! let x = g.input("x", Shape::batch([2]));
//! let weights = LayerWeights::new(HostArray::from(array![[1.0_f32, -1.0], [0.5, 2.0]]));
//! let x = g.dense(x, Dense::new(2), &weights)?;
//! let y = g.activation(x, Activation::Relu)?;
//! g.output("y", y);
//!
//! // Fused, and kept so.
//! let (prepared, _) = Passes::all().run(&g)?;
//! let folder = std::env::temp_dir();
//! let path = folder.join(format!("longshore-doc-{}.json", std::process::id()));
//! prepared.save(&path)?;
//! let loaded = Graph::load(&path)?;
//! assert_eq!(loaded.to_string(), prepared.to_string());
//! # std::fs::remove_file(&path).ok();
//! # std::fs::remove_file(path.with_extension("weights.npz")).ok();
//! # Ok(())
//! # }
//! ```
//!
//! # The description
//!
//! | member | is |
//! |---|---|
//! | `format`, `version` | `"longshore graph"`, and 1 |
//! | `weights` | the name of the file beside it, a plain name; null for a graph without weights |
//! | `arrays` | for each weight: its number, member of the `.npz`, label, dtype, shape, CRC-32 of its bytes |
//! | `nodes` | for each node: its number, name, `op` with every option, `operands`, `weights`, `stages`, `shape` |
//! | `outputs` | names, and the numbers of their nodes |
//!
//! Operands are numbers of earlier nodes, weights numbers of arrays; a length is a number or
//! `"batch"`. Numbers that are not finite are written `"inf"`, `"-inf"` and `"nan 0xBITS"`.
//!
//! # What a file can do
//!
//! A description is not believed. Each node is asked of the layer that makes such nodes, with
//! the checks that a layer has, and must be exactly what that makes of its operands; members that
//! the format does not know, arrays of another dtype, shape or checksum, arrays that nothing uses
//! and names of files in other folders are refused. The checksums also tell a description from
//! the weights of an earlier save.
//!
//! # What is not saved
//!
//! Weights that lie on a device are refused by name. An own kernel is saved by name, with its
//! source and parameters; its rules are Rust code, so [`Graph::load_with`] takes the kernel.

mod describe;
mod files;
mod format;
mod layout;
mod restore;

use std::io::Cursor;
use std::path::Path;

use crate::array::{Npz, write_npz_to};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::own::OwnKernel;
use describe::Described;

/// A saved graph in memory: what [`Graph::save`] writes to two files.
///
/// ```
/// use longshore::{Activation, Graph, Saved, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([3]));
/// let y = g.activation(x, Activation::Relu)?;
/// g.output("y", y);
///
/// let saved = Saved::new(&g)?;
/// assert!(saved.description.contains("\"relu\""));
/// let again = saved.graph()?;
/// assert_eq!(again.plan(2)?.to_string(), g.plan(2)?.to_string());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The description, as JSON.
    pub description: String,
    /// The weights, as the bytes of an `.npz`; empty for a graph without weights.
    pub weights: Vec<u8>,
}

/// What a graph in memory is called in its description and in messages.
const IN_MEMORY: &str = "graph.json";

impl Saved {
    /// Describes a graph, for what keeps it elsewhere than in files.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::save`], but for files.
    pub fn new(graph: &Graph) -> Result<Self> {
        let file = Path::new(IN_MEMORY);
        let described = Described::new(graph, IN_MEMORY, &files::weights_name(file)?)?;
        let mut weights = Vec::new();
        if described.has_arrays() {
            let written = write_npz_to(Cursor::new(&mut weights), described.arrays());
            written.map_err(|reason| Error::Io {
                path: file.to_owned(),
                action: "write",
                reason,
            })?;
        }
        Ok(Saved { description: described.text, weights })
    }

    /// Makes the graph again.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::load`], but for files.
    pub fn graph(&self) -> Result<Graph> {
        self.graph_with(&[])
    }

    /// Makes the graph again, with the own kernels that it uses.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::load_with`], but for files.
    pub fn graph_with(&self, kernels: &[OwnKernel]) -> Result<Graph> {
        restore::graph(IN_MEMORY, &self.description, kernels, |name| {
            Npz::from_bytes(name, self.weights.clone())
        })
    }
}

impl Graph {
    /// Saves the graph as `NAME.json`, and its weights beside it as `NAME.weights.npz`.
    ///
    /// Files of these names are replaced, each in one step once both are written whole; should
    /// the second step fail, the message says so, and a load refuses the mixture.
    ///
    /// # Errors
    ///
    /// What [`Graph::check`] reports; [`Error::Format`] for a path that does not end in `.json`;
    /// [`Error::Unsupported`] for a weight that lies on a device; [`Error::Io`]. Nothing is
    /// written then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let weights = files::weights_name(path)?;
        let described = Described::new(self, &path.display().to_string(), &weights)?;
        files::write(path, &weights, &described)
    }

    /// Loads a graph that [`Graph::save`] wrote.
    ///
    /// Symbols are found by [`Graph::symbol`]; inputs and outputs have the names they had.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Format`] for files that are no saved graph, or not one of this
    /// format's version, and for weights that are not the description's; [`Error::Import`], with
    /// the file and the node, for a node that its layer would not make; [`Error::Name`] within it
    /// for an own kernel, which [`Graph::load_with`] takes.
    pub fn load(path: impl AsRef<Path>) -> Result<Graph> {
        Graph::load_with(path, &[])
    }

    /// Loads a graph with the own kernels that it uses, found by their names.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::load`], and [`Error::Operand`] for a kernel that has another source,
    /// entry point or rule for the batch than the saved one.
    pub fn load_with(path: impl AsRef<Path>, kernels: &[OwnKernel]) -> Result<Graph> {
        let path = path.as_ref();
        let description = files::read(path)?;
        let file = path.display().to_string();
        restore::graph(&file, &description, kernels, |name| Npz::open(path.with_file_name(name)))
    }
}
