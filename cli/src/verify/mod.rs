//! `longshore verify`: a GPU against the host executor, node by node.

mod compare;
mod random;

use std::fmt::Write;

use anyhow::{Result, anyhow, bail};
use longshore::error::escaped;
use longshore::import::onnx::Imported;
use longshore::ops::Op;
use longshore::{Graph, PlanOptions, Runtime, StagePolicy};

use crate::choice::Choice;
use crate::execute::Network;
use crate::feed::{Arrays, Feed, Shapes};
use crate::model::Model;
use crate::pairs;
use crate::progress::Progress;
use compare::{ATOL, Difference, RTOL};
use random::Random;

/// Options of `longshore verify`.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    feed: Feed,
    #[command(flatten)]
    shapes: Shapes,
    /// Which GPU: auto, or a part of an adapter's name
    #[arg(long, value_name = "auto|NAME", default_value = "auto")]
    adapter: Choice,
    /// What the random numbers begin with, for inputs that are not given
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// What is done with NaN, infinity and what f32 cannot hold: an error, V, or themselves
    #[arg(
        long,
        value_name = "reject|replace=V|allow",
        default_value = "reject",
        value_parser = pairs::policy
    )]
    non_finite: StagePolicy,
}

/// A value that both computed.
struct Compared {
    /// Operation and name.
    title: String,
    difference: Difference,
}

/// Compares every node; fails where one differs by more than rounding explains.
pub fn run(options: &Options) -> Result<()> {
    let progress = Progress::new();
    progress.stage("reading the model");
    let model = options.feed.read_model()?;
    let given = options.feed.arrays(&model)?;
    let mut wishes = options.feed.wishes()?;
    options.shapes.wish(&model, &given, &mut wishes)?;
    model.check_constants_given(&given)?;
    let policy = &options.non_finite;
    let bound = model.bind(given, &wishes, policy)?;
    let arrays = filled_up(&model, &bound.imported, bound.arrays, options.seed);
    let gpu = open(&options.adapter)?;

    let (graph, values) = every_node(&bound.imported.graph);
    progress.stage("comparing every node");
    let network = |rt: &Runtime, graph: &Graph, plan: PlanOptions| {
        Network::new(rt, graph, plan, (&arrays, bound.batch), policy)
    };
    let host = Runtime::host();
    let none = || PlanOptions::new().passes(longshore::Passes::none());
    let nodes = values.len();
    let mut compared =
        compare(&network(&gpu, &graph, none())?, &network(&host, &graph, none())?, values)?;
    // Passes fuse steps, so the kernels of a plan with them do more than those without.
    progress.stage("comparing the outputs of the plan with passes");
    let graph = &bound.imported.graph;
    let outputs = bound.imported.outputs.iter();
    let values: Vec<_> = outputs.map(|name| (name.clone(), passed(name))).collect();
    let outputs = values.len();
    compared.extend(compare(
        &network(&gpu, graph, PlanOptions::new())?,
        &network(&host, graph, PlanOptions::new())?,
        values,
    )?);
    drop(progress);
    let Compared { title, difference } = worst(&model.file, &compared)?;
    let Difference { abs, rel, .. } = difference;
    let adapter = &gpu.adapter().name;
    let mut text = String::new();
    writeln!(text, "compared   nodes: {nodes}, outputs of the plan with passes: {outputs}")?;
    writeln!(text, "adapter    {adapter}, against the host")?;
    writeln!(text, "tolerance  {RTOL:e} of the host's value and {ATOL:e}")?;
    writeln!(text, "worst      {}: max abs {abs:.3e}, max rel {rel:.3e}", escaped(title))?;
    crate::print(&text)?;
    check(&model.file, adapter, &compared)
}

fn passed(output: &str) -> String {
    format!("output \"{output}\" of the plan with passes")
}

/// Opens a GPU, which the host is not.
fn open(choice: &Choice) -> Result<Runtime> {
    if let Choice::Host = choice {
        bail!("verify compares a GPU with the host, and --adapter host is the host; name a GPU");
    }
    let rt = choice.open()?;
    if rt.is_host() {
        bail!(
            "there is no GPU to compare with the host; `longshore adapters` lists what there is, \
             and --adapter NAME takes a software adapter too"
        );
    }
    Ok(rt)
}

/// Adds random arrays for the inputs that are not given.
fn filled_up(model: &Model, imported: &Imported, mut arrays: Arrays, seed: u64) -> Arrays {
    let mut random = Random::new(seed);
    for (name, shape) in &imported.inputs {
        let port = model.input(name);
        if let Some(port) = port.filter(|_| !arrays.contains_key(name)) {
            let array = random.array(port.dtype, shape).with_name(name.clone());
            arrays.insert(name.clone(), array);
        }
    }
    arrays
}

/// Makes every node that computes an output, and returns the outputs' names with the nodes' titles.
fn every_node(graph: &Graph) -> (Graph, Vec<(String, String)>) {
    let mut every = graph.clone();
    let mut values = Vec::new();
    for (number, node) in graph.nodes().iter().enumerate() {
        if matches!(node.op(), Op::Input | Op::Constant) {
            continue;
        }
        if let Some(symbol) = graph.symbol(node.name()) {
            // A clone's symbols are those of the graph; a name of its own is taken by no output.
            let name = format!("node {number} \"{}\"", node.name());
            every.output(name.clone(), symbol);
            values.push((name, node.title()));
        }
    }
    (every, values)
}

/// Runs both and compares the named values.
fn compare(gpu: &Network, host: &Network, values: Vec<(String, String)>) -> Result<Vec<Compared>> {
    let (gpu, host) = (gpu.run()?, host.run()?);
    let compared = values.into_iter().map(|(name, title)| {
        let difference =
            Difference::between(&gpu.output(&name)?.read()?, &host.output(&name)?.read()?);
        Ok(Compared { title, difference })
    });
    compared.collect()
}

/// Returns the value that differs most: the first of several alike, as the others follow from it.
fn worst<'a>(file: &str, compared: &'a [Compared]) -> Result<&'a Compared> {
    let worst = compared.iter().reduce(|worst, one| {
        if one.difference.excess > worst.difference.excess { one } else { worst }
    });
    worst.ok_or_else(|| anyhow!("{file}: there is nothing to compare: the model has no outputs"))
}

/// Refuses a worst value beyond the tolerances.
fn check(file: &str, adapter: &str, compared: &[Compared]) -> Result<()> {
    let Compared { title, difference } = worst(file, compared)?;
    if !difference.is_too_large() {
        return Ok(());
    }
    let Difference { abs, rel, .. } = difference;
    let apart = compared.iter().filter(|one| one.difference.is_too_large()).count();
    let all = compared.len();
    bail!(
        "{file}: {adapter} differs from the host in {apart} of {all} values, most in {title}: \
         max abs {abs:.3e}, max rel {rel:.3e}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(title: &str, excess: f64) -> Compared {
        let difference = Difference { abs: excess * ATOL, rel: 0.5, excess };
        Compared { title: title.to_owned(), difference }
    }

    #[test]
    fn the_worst_one_decides() {
        let good = [compared("relu \"a\"", 0.5), compared("relu \"b\"", 1.0)];
        assert_eq!(worst("m.onnx", &good).unwrap().title, "relu \"b\"");
        assert!(check("m.onnx", "gpu", &good).is_ok());
        let bad = [compared("a", 0.5), compared("b", f64::INFINITY), compared("c", 2.0)];
        let message = check("m.onnx", "gpu", &bad).unwrap_err().to_string();
        assert_eq!(
            message,
            "m.onnx: gpu differs from the host in 2 of 3 values, most in b: \
             max abs inf, max rel 5.000e-1"
        );
        let far = Difference { abs: 100.0, rel: 1e-4, excess: 0.1 };
        let far = Compared { title: "far".to_owned(), difference: far };
        assert_eq!(worst("m.onnx", &[compared("near", 0.2), far]).unwrap().title, "near");
        let alike = [compared("first", 3.0), compared("second", 3.0)];
        assert_eq!(worst("m.onnx", &alike).unwrap().title, "first");
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        let message = check("m.onnx", "gpu", &[]).unwrap_err().to_string();
        assert_eq!(message, "m.onnx: there is nothing to compare: the model has no outputs");
    }
}
