//! `longshore convert`: a model as a saved graph, with the passes done once.

use std::path::PathBuf;

use anyhow::{Result, bail};
use longshore::{Passes, StagePolicy};

use crate::feed::{Feed, Shapes};
use crate::paths;
use crate::progress::Progress;

/// Options of `longshore convert`.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    feed: Feed,
    /// Write NAME.json, and its weights beside it as NAME.weights.DIGEST.npz
    #[arg(long, value_name = "NAME.json")]
    output: PathBuf,
    #[command(flatten)]
    shapes: Shapes,
    /// Make an output of a value inside of the model: by its own name or its node's
    #[arg(long, value_name = "NODE")]
    keep: Vec<String>,
    /// Save the nodes as they are imported, without passes
    #[arg(long)]
    no_passes: bool,
}

/// Imports, runs the passes, and saves.
pub fn run(options: &Options) -> Result<()> {
    let progress = Progress::new();
    progress.stage("reading the model");
    let model = options.feed.read_model()?;
    if paths::are_one(&options.feed.model, &options.output) {
        bail!("{}: the model would be written over itself; give another --output", model.file);
    }
    let arrays = options.feed.arrays(&model)?;
    let mut wishes = options.feed.wishes()?;
    let binds = !(arrays.is_empty() && wishes.dims.is_empty() && options.shapes.is_empty());
    if model.opset().is_none() && binds {
        bail!(
            "{}: a saved graph keeps its batch open; leave out --dim, --input and --input-shape",
            model.file
        );
    }
    options.shapes.wish(&model, &arrays, &mut wishes)?;
    model.check_constants_given(&arrays)?;
    for name in &options.keep {
        if !wishes.keep.contains(name) {
            wishes.keep.push(name.clone());
        }
    }
    // Weights are kept as they are; a run has its own policy.
    let policy = StagePolicy::new().allow_non_finite().allow_overflow();
    let bound = model.bind(arrays, &wishes, &policy)?;
    progress.stage("preparing");
    let passes = if options.no_passes { Passes::none() } else { Passes::all() };
    let (graph, report) = passes.run(&bound.imported.graph)?;
    progress.stage("writing");
    graph.save(&options.output)?;
    drop(progress);
    let (before, after) = report.nodes();
    let file = options.output.display();
    crate::print(&format!("saved      {file}: {before} nodes became {after}\n"))
}
