//! A graph that longshore saved, as a model: its inputs, its batch, its nodes as outputs.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use longshore::array::DType;
use longshore::import::onnx::{Imported, OnnxDim, OnnxPort};
use longshore::ops::Op;
use longshore::{Dim, Graph, Shape};

use crate::feed::Arrays;
use crate::model::{Bound, Wishes};

/// The one dimension that a saved graph leaves open.
const BATCH: &str = "batch";

/// Describes the inputs as those of a model: f32 is what reaches the device.
pub fn ports(graph: &Graph) -> Vec<OnnxPort> {
    let dim = |dim: &Dim| match dim {
        Dim::Batch => OnnxDim::Named(BATCH.to_owned()),
        Dim::Fixed(length) => OnnxDim::Fixed(*length),
    };
    let port = |(name, shape): (&str, &Shape)| OnnxPort {
        name: name.to_owned(),
        dtype: DType::F32,
        dims: Some(shape.dims().iter().map(dim).collect()),
    };
    inputs(graph).map(port).collect()
}

fn inputs(graph: &Graph) -> impl Iterator<Item = (&str, &Shape)> {
    let inputs = graph.nodes().iter().filter(|node| *node.op() == Op::Input);
    inputs.map(|node| (node.name(), node.shape()))
}

/// Counts the operations, inputs and constants aside.
pub fn operators(graph: &Graph) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    let nodes = graph.nodes().iter();
    for node in nodes.filter(|node| !matches!(node.op(), Op::Input | Op::Constant)) {
        *counts.entry(node.op().name()).or_insert(0) += 1;
    }
    counts
}

/// Binds the batch, and makes outputs of the values to keep.
pub fn bind(file: &str, graph: &Graph, arrays: Arrays, wishes: &Wishes) -> Result<Bound> {
    let batch = batch(file, graph, &arrays, wishes)?;
    let mut graph = graph.clone();
    let mut outputs: Vec<String> = graph.output_names().map(str::to_owned).collect();
    for name in &wishes.keep {
        if outputs.contains(name) {
            continue;
        }
        let Some(symbol) = graph.symbol(name) else {
            bail!("{file}: there is no node \"{name}\" to keep; inspect it to see those there are");
        };
        graph.output(name.clone(), symbol);
        outputs.push(name.clone());
    }
    let resolve = |(name, shape): (&str, &Shape)| (name.to_owned(), shape.resolve(batch));
    let inputs = inputs(&graph).map(resolve).collect();
    Ok(Bound { imported: Imported { graph, inputs, outputs }, arrays, batch })
}

/// Finds the batch: what `--dim`, `--input-shape` and the arrays say, which must agree; else 1.
fn batch(file: &str, graph: &Graph, arrays: &Arrays, wishes: &Wishes) -> Result<usize> {
    let has_batch = inputs(graph).any(|(_, shape)| shape.has_batch());
    let mut found: Option<(usize, String)> = None;
    let mut agree = |length: usize, whence: String| match &found {
        Some((other, before)) if *other != length => {
            bail!("{file}: the batch is {other} by {before} but {length} by {whence}; give one")
        }
        _ => {
            found = Some((length, whence));
            Ok(())
        }
    };
    for (name, length) in &wishes.dims {
        if name != BATCH || !has_batch {
            let open = if has_batch { "\"batch\" alone is open" } else { "none is open" };
            bail!("{file}: there is no dimension \"{name}\" to bind; of a saved graph {open}");
        }
        agree(*length, format!("--dim {BATCH}"))?;
    }
    let wished = wishes.shapes.iter().map(|(name, shape)| (name, shape.as_slice()));
    let given = arrays.iter().map(|(name, array)| (name, array.shape()));
    for (name, shape) in wished.chain(given) {
        let Some((_, port)) = inputs(graph).find(|(input, _)| input == name) else { continue };
        let fits = |(dim, length): (&Dim, &usize)| match dim {
            Dim::Batch => true,
            Dim::Fixed(fixed) => fixed == length,
        };
        if port.rank() != shape.len() || !port.dims().iter().zip(shape).all(fits) {
            bail!("{file}: input \"{name}\" has shape {shape:?} but {port} is expected");
        }
        if let (true, Some(length)) = (port.has_batch(), shape.first()) {
            agree(*length, format!("input \"{name}\""))?;
        }
    }
    match found {
        Some((0, whence)) => bail!("{file}: the batch is 0 by {whence}; give at least 1 item"),
        found => Ok(found.map_or(1, |(length, _)| length)),
    }
}
