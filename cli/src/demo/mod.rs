//! `longshore demo`: a network that Keras trained, run on test images it has not seen.
//!
//! Images and weights are staged once. The images are filled up on the host with
//! images of zeros to a whole number of batches, so one plan serves all batches and
//! each batch is a range of rows of the staged tensor; the answers for the zeros are
//! discarded.

mod crossings;
mod data;
mod report;
mod score;
mod sheet;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use longshore::Activation::{Relu, Softmax};
use longshore::{
    Conv2d, Dense, Graph, Padding, Runtime, Session, Shape, Tensor, UpSampling2d, Weights,
};
use ndarray::{Array2, Axis, Ix2, s};

use crate::choice::Choice;
use crate::paths;
use crate::progress::Progress;
use data::Digits;
use score::Score;

/// Images of one run.
const BATCH: usize = 32;
const IMAGES: &str = "test images";
const WEIGHTS: &str = "weights";
const OUTPUT: &str = "probabilities";

/// Options of `longshore demo`.
#[derive(clap::Args)]
pub struct Options {
    /// What to run on: auto (a GPU, else the host), host, or a part of an adapter's name
    #[arg(long, value_name = "auto|host|NAME", default_value = "auto")]
    adapter: Choice,
    /// Write the ledger of all crossings as JSON
    #[arg(long, value_name = "FILE.json")]
    ledger: Option<PathBuf>,
    /// Write a contact sheet of digits and answers as PNG
    #[arg(long, value_name = "FILE.png")]
    picture: Option<PathBuf>,
}

/// How long the parts took, by wall clock.
struct Times {
    open: Duration,
    /// From the end of staging until the device has the data.
    arrival: Duration,
    prepare: Duration,
    runs: Vec<Duration>,
    reads: Vec<Duration>,
}

/// Runs the demo; fails when answers or crossings are not what they must be.
pub fn run(options: &Options) -> Result<()> {
    let ledger = options.ledger.iter().map(|path| ("the ledger".to_owned(), path.clone()));
    let picture = options.picture.iter().map(|path| ("the picture".to_owned(), path.clone()));
    paths::check(&ledger.chain(picture).collect::<Vec<_>>(), &[])?;
    let progress = Progress::new();
    progress.stage("classifying");
    let (rt, open) = timed(|| options.adapter.open())?;
    let digits = Digits::embedded()?;
    let filled = digits.filled_up(BATCH);
    let images = rt.stage(IMAGES, &filled)?;
    let weights = rt.stage_weights(WEIGHTS, &digits.weights)?;
    let ((), arrival) = timed(|| Ok(rt.wait()?))?;

    let graph = network(&weights)?;
    let (session, prepare) = timed(|| Ok(rt.session(&graph, BATCH)?))?;
    let mut times = Times { open, arrival, prepare, runs: Vec::new(), reads: Vec::new() };
    let probabilities = classify(&session, &images, digits.count(), &mut times)?;

    let score = Score::of(&probabilities, &digits)?;
    let staged = [
        crossings::Staged { label: IMAGES, payload_bytes: images.byte_len() },
        crossings::Staged { label: WEIGHTS, payload_bytes: weight_bytes(&weights) },
    ];
    // On the host executor staging packs, and nothing crosses.
    let staged = if rt.is_host() { &[][..] } else { &staged };
    let expected = session.expected_crossings();
    let checked = crossings::check(rt.ledger(), staged, &expected, times.runs.len());

    drop(progress);
    // What was found is shown and written even where it is not what it must be.
    crate::print(&report::text(&rt, &score, images.batch(), &times, checked.is_ok())?)?;
    if let Some(path) = &options.ledger {
        rt.ledger().write_json(path)?;
        crate::print(&format!("ledger written to {}\n", path.display()))?;
    }
    if let Some(path) = &options.picture {
        let sheet = sheet::draw(&digits, &score, rt.adapter());
        sheet.write_png(path)?;
        let (width, height) = sheet.size();
        crate::print(&format!("picture written to {}: {width}x{height} pixels\n", path.display()))?;
    }
    checked.context("the ledger does not show what was promised")?;
    score.check()
}

/// Builds the network of `assets/digits/train.py`.
fn network(weights: &Weights) -> longshore::Result<Graph> {
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([8, 8, 1]));
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2))?;
    let conv = Conv2d::new(32, 3).name("conv").padding(Padding::Same).activation(Relu);
    let x = g.conv2d(x, conv, weights.layer("conv")?)?;
    let conv = Conv2d::new(32, 3).name("conv_1").strides(2).padding(Padding::Same);
    let x = g.conv2d(x, conv.activation(Relu), weights.layer("conv_1")?)?;
    let x = g.flatten(x)?;
    let dense = Dense::new(10).name("dense").activation(Softmax);
    let y = g.dense(x, dense, weights.layer("dense")?)?;
    g.output(OUTPUT, y);
    Ok(g)
}

/// Runs batch after batch over rows of the staged images; only the answers come back.
fn classify(
    session: &Session,
    images: &Tensor,
    count: usize,
    times: &mut Times,
) -> Result<Array2<f32>> {
    let rt: &Runtime = session.runtime();
    let mut probabilities = Array2::zeros((0, 10));
    for first in (0..images.batch()).step_by(BATCH) {
        let batch = images.rows(first..first + BATCH)?;
        let (run, elapsed) = timed(|| {
            let run = rt.forbid_crossings(|| session.run([("image", &batch)]))?;
            rt.wait()?;
            Ok(run)
        })?;
        times.runs.push(elapsed);
        let (answers, elapsed) = timed(|| Ok(run.output(OUTPUT)?.read()?))?;
        times.reads.push(elapsed);
        let answers = answers.into_dimensionality::<Ix2>()?;
        probabilities.append(Axis(0), answers.view())?;
    }
    Ok(probabilities.slice(s![..count, ..]).to_owned())
}

fn weight_bytes(weights: &Weights) -> u64 {
    let arrays = weights.iter().flat_map(|(_, layer)| layer.iter());
    arrays.map(|(_, array)| 4 * array.shape().iter().product::<usize>() as u64).sum()
}

fn timed<T>(body: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let value = body()?;
    Ok((value, started.elapsed()))
}
