//! `longshore run`: a model on arrays from files, its outputs into files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use longshore::file::NewFile;
use longshore::{HostArray, PlanOptions, Run, StagePolicy};

use crate::choice::Choice;
use crate::execute::Network;
use crate::feed::Feed;
use crate::model::Model;
use crate::paths::Named;
use crate::progress::Progress;
use crate::{files, pairs, paths};

/// Options of `longshore run`.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    feed: Feed,
    /// Write each output as NAME.npy (float32) into this folder
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// What to run on: auto (a GPU, else the host), host, or a part of an adapter's name
    #[arg(long, value_name = "auto|host|NAME", default_value = "auto")]
    adapter: Choice,
    /// Write a value inside of the model too: by its own name or its node's
    #[arg(long, value_name = "NODE")]
    keep: Vec<String>,
    /// Run N times more, and print median and least time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// What is done with NaN, infinity and what f32 cannot hold: an error, V, or themselves
    #[arg(
        long,
        value_name = "reject|replace=V|allow",
        default_value = "reject",
        value_parser = pairs::policy
    )]
    non_finite: StagePolicy,
    /// Write the ledger of all crossings as JSON
    #[arg(long, value_name = "FILE.json")]
    ledger: Option<PathBuf>,
}

/// Runs the model, and writes what comes out.
pub fn run(options: &Options) -> Result<()> {
    let progress = Progress::new();
    progress.stage("reading the model");
    let model = options.feed.read_model()?;
    let arrays = options.feed.arrays(&model)?;
    model.check_all_given(&arrays)?;
    let mut wishes = options.feed.wishes()?;
    for name in &options.keep {
        if !wishes.keep.contains(name) {
            wishes.keep.push(name.clone());
        }
    }
    let bound = model.bind(arrays, &wishes, &options.non_finite)?;
    // What has no file, or shares one, is refused before anything is written.
    let outputs = &bound.imported.outputs;
    let files = files::names(outputs)?;
    check_paths(options, &model, outputs.iter().zip(&files))?;
    fs::create_dir_all(&options.output)
        .with_context(|| format!("{}: cannot make the folder", options.output.display()))?;

    progress.stage("preparing");
    let rt = options.adapter.open()?;
    let graph = &bound.imported.graph;
    let policy = &options.non_finite;
    let arrays = (&bound.arrays, bound.batch);
    let network = Network::new(&rt, graph, PlanOptions::new(), arrays, policy)?;
    progress.stage("running");
    let first = network.run()?;
    progress.stage("writing");
    let mut written = write(&first, outputs.iter().zip(&files), &options.output)?;
    // Its buffers are for the next run.
    drop(first);

    let mut times = Vec::new();
    if let Some(count) = options.repeat {
        progress.count("running", count.into());
        for _ in 0..count {
            let started = Instant::now();
            let run = network.run()?;
            times.push(started.elapsed());
            drop(run);
            progress.advance();
        }
    }
    if let Some(path) = &options.ledger {
        let text = rt.ledger().to_json()? + "\n";
        written.push(NewFile::filled(path, |file| file.write_all(text.as_bytes()))?);
    }
    // All of them, or none.
    NewFile::commit_all(written)?;
    drop(progress);
    match timing(&mut times) {
        Some(line) => crate::print(&line),
        None => Ok(()),
    }
}

/// Refuses to write two files to one place, or over the model; and the ledger over an input.
fn check_paths<'a>(
    options: &Options,
    model: &Model,
    outputs: impl Iterator<Item = (&'a String, &'a String)>,
) -> Result<()> {
    let named = |what: String, path: &Path| (what, path.to_owned());
    let mut written: Vec<Named> = outputs
        .map(|(name, file)| named(format!("output \"{name}\""), &options.output.join(file)))
        .collect();
    let ledger = options.ledger.as_ref().map(|path| named("the ledger".to_owned(), path));
    written.extend(ledger.clone());
    paths::check(&written, &[named("the model".to_owned(), &options.feed.model)])?;
    // An output may take an input's place: runs that follow each other do that.
    let inputs = options.feed.files(model).into_iter();
    let inputs: Vec<Named> =
        inputs.map(|(name, path)| named(format!("input \"{name}\""), path)).collect();
    paths::check(ledger.as_slice(), &inputs)
}

/// Writes each output into a file that is still to be committed.
fn write<'a>(
    run: &Run,
    outputs: impl Iterator<Item = (&'a String, &'a String)>,
    folder: &Path,
) -> Result<Vec<NewFile>> {
    let write = |(name, file): (&String, &String)| {
        let array = HostArray::from(run.output(name)?.read()?);
        Ok(NewFile::filled(folder.join(file), |file| array.write_npy_to(file))?)
    };
    outputs.map(write).collect()
}

/// Returns the line about the times; none for no times.
fn timing(times: &mut [Duration]) -> Option<String> {
    times.sort_unstable();
    let least = times.first()?;
    // One in the middle, or two.
    let middle = [times.get((times.len() - 1) / 2)?, times.get(times.len() / 2)?];
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
    let median = f64::midpoint(milliseconds(middle[0]), milliseconds(middle[1]));
    let (least, count) = (milliseconds(least), times.len());
    Some(format!("run: median {median:.3} ms, min {least:.3} ms, {count} runs\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let line = |times: &[u64]| {
            let mut times: Vec<_> = times.iter().map(|&us| Duration::from_micros(us)).collect();
            timing(&mut times)
        };
        assert_eq!(line(&[]), None);
        let expected = "run: median 3.000 ms, min 1.500 ms, 3 runs\n";
        assert_eq!(line(&[9000, 1500, 3000]).as_deref(), Some(expected));
        let expected = "run: median 2.000 ms, min 1.000 ms, 4 runs\n";
        assert_eq!(line(&[9000, 1000, 1500, 2500]).as_deref(), Some(expected));
    }
}
