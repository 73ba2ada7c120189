//! Graphs in files: a readable description as JSON, and the weights beside it as `.npz`.
//!
//! [`Graph::save`] writes `NAME.json` and `NAME.weights.DIGEST.npz`, [`Graph::load`] reads both. What is
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
//! # let folder = std::env::temp_dir().join(format!("longshore-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).ok();
//! let path = folder.join("net.json");
//! prepared.save(&path)?;
//! let loaded = Graph::load(&path)?;
//! assert_eq!(loaded.to_string(), prepared.to_string());
//! # std::fs::remove_dir_all(&folder).ok();
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
//! | `whole` | of each input that takes whole numbers alone, the least and the greatest; left out where there is none |
//!
//! Operands are numbers of earlier nodes, weights numbers of arrays; a length is a number or
//! `"batch"`. Numbers that are not finite are written `"inf"`, `"-inf"` and `"nan 0xBITS"`.
//!
//! # What a save does
//!
//! Weights get a file of their own name, which the digits tell from those of other weights. Once
//! it is on the disk the new description takes the place of the old one, in one step; then the
//! old weights are removed. So a load finds the old graph or the new one, whole, at whatever
//! moment the process or the machine stops, and whoever saves under the same name meanwhile. What
//! a save that died has left is removed by the next one: unfinished files, and files of weights
//! of the description's name that it does not name and that nobody is writing. A copy of a
//! description under another name needs a copy of the weights under another name too.
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
use std::path::{Path, PathBuf};

use crate::array::{Npz, write_npz_to};
use crate::error::{Error, Result};
use crate::file::ReadOptions;
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

/// How often a load begins again because the graph was replaced meanwhile.
const MOST_TRIES: usize = 100;

/// What a graph in memory is called in its description and in messages.
const IN_MEMORY: &str = "graph.json";
const WEIGHTS_IN_MEMORY: &str = "graph.weights.npz";

impl Saved {
    /// Describes a graph, for what keeps it elsewhere than in files.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::save`], but for files.
    pub fn new(graph: &Graph) -> Result<Self> {
        let described = Described::new(graph, IN_MEMORY)?;
        let mut weights = Vec::new();
        if described.has_arrays() {
            let written = write_npz_to(Cursor::new(&mut weights), described.arrays());
            written.map_err(|reason| Error::Io {
                path: PathBuf::from(IN_MEMORY),
                action: "write",
                reason,
            })?;
        }
        Ok(Saved { description: described.text(WEIGHTS_IN_MEMORY)?, weights })
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
    /// Saves the graph as `NAME.json`, and its weights beside it as `NAME.weights.DIGEST.npz`.
    ///
    /// A graph of that name is replaced in one step, once both files are on the disk; its weights
    /// are removed then. The [module](crate::saved) says what that promises.
    ///
    /// # Errors
    ///
    /// What [`Graph::check`] reports; [`Error::Format`] for a path that does not end in `.json`;
    /// [`Error::Unsupported`] for a weight that lies on a device; [`Error::Io`]. Nothing is
    /// written then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        files::check_name(path)?;
        files::write(path, &Described::new(self, &path.display().to_string())?)
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
        Graph::load_reading(path, kernels, ReadOptions::new())
    }

    /// Loads a graph whose files may have other sizes than [`load`](Graph::load) takes, or be links.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::load_with`].
    pub fn load_reading(
        path: impl AsRef<Path>,
        kernels: &[OwnKernel],
        options: ReadOptions,
    ) -> Result<Graph> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let read = || files::read_up_to(path, options.most_bytes);
        let mut description = read()?;
        let mut tries = 0;
        loop {
            let graph = restore::graph(&file, &description, kernels, |name| {
                files::open_weights(path, name, options)
            });
            // A save of the same name removes the weights of the graph that it replaces.
            tries += 1;
            if graph.is_ok() || tries == MOST_TRIES {
                return graph;
            }
            match read() {
                Ok(now) if now != description => description = now,
                Ok(_) | Err(_) => return graph,
            }
        }
    }
}
