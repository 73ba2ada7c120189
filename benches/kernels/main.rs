//! Times each kernel family: upload, run, read and all three together.
//!
//! `cargo bench --bench kernels -- [--smoke] [--adapter host|NAME] [--json FILE] [TEXT]`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "sizes in benches are small, and a bench fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod activation;
mod batch_normalization;
mod binary;
mod conv2d;
mod conv2d_transpose;
mod copy;
mod cumsum;
mod dense;
mod gather;
mod grid_sample;
mod lrn;
mod matmul;
mod moments;
mod normalization;
mod pad;
mod pool2d;
mod reduce;
mod resize2d;
mod select;
mod softmax;
mod top_k;

use anyhow::{Result, anyhow};
use longshore::{Dim, Graph, HostArray, LayerWeights, Runtime, Symbol};
use ndarray::ArrayD;

use longshore_testing::compare::compare;
use longshore_testing::oracle::Expected;
use longshore_testing::random::Random;
use support::{Options, Report, Work};

/// One graph of one layer, with its input and what it should give.
struct Case {
    name: String,
    graph: Graph,
    input: ArrayD<f32>,
    work: Work,
    /// The oracle's answer; it is too slow for all but the first case of a family.
    expected: Option<Expected>,
}

impl Case {
    /// Makes a case of a graph from one input to one output.
    fn new(
        name: &str,
        input: ArrayD<f32>,
        work: Work,
        build: impl FnOnce(&mut Graph, Symbol) -> longshore::Result<Symbol>,
    ) -> Result<Self> {
        let mut graph = Graph::new();
        let inner = input.shape().iter().skip(1).map(|&length| Dim::Fixed(length));
        let x = graph.input("x", std::iter::once(Dim::Batch).chain(inner));
        let y = build(&mut graph, x)?;
        graph.output("y", y);
        Ok(Case { name: name.to_owned(), graph, input, work, expected: None })
    }

    /// Sets what the result must be.
    fn expect(mut self, expected: Expected) -> Self {
        self.expected = Some(expected);
        self
    }
}

/// Makes the weights of a layer with kernel and bias.
fn weights(kernel: &ArrayD<f32>, bias: &ArrayD<f32>) -> LayerWeights {
    LayerWeights::new(HostArray::from(kernel.clone())).bias(HostArray::from(bias.clone()))
}

/// Widens for the oracle.
fn wide(array: &ArrayD<f32>) -> ArrayD<f64> {
    array.mapv(f64::from)
}

fn main() -> Result<()> {
    let options = Options::parse()?;
    let runtime = options.runtime()?;
    let mut report = Report::new("kernels", &runtime.adapter().to_string(), &options);
    let families = [
        activation::cases,
        batch_normalization::cases,
        binary::cases,
        conv2d::cases,
        conv2d_transpose::cases,
        copy::cases,
        cumsum::cases,
        dense::cases,
        gather::cases,
        grid_sample::cases,
        lrn::cases,
        matmul::cases,
        moments::cases,
        normalization::cases,
        pad::cases,
        pool2d::cases,
        reduce::cases,
        resize2d::cases,
        select::cases,
        softmax::cases,
        top_k::cases,
    ];
    for family in families {
        let cases = family(&mut Random::new(7))?;
        let last = if options.smoke { 1 } else { cases.len() };
        for case in cases.iter().take(last).filter(|case| options.wants(&case.name)) {
            bench(&runtime, case, &mut report)?;
        }
    }
    report.finish("kernels", Some(&runtime), &options)
}

/// Checks a case, then times its phases apart and together.
fn bench(runtime: &Runtime, case: &Case, report: &mut Report) -> Result<()> {
    let name = case.name.as_str();
    let batch = case.input.shape().first().copied().unwrap_or(1);
    let session = runtime.prepare(&case.graph.plan_within(batch, runtime.limits())?)?;
    let array = HostArray::from_view(&case.input);
    let x = runtime.stage("x", &array)?;
    let y = session.run([("x", &x)])?["y"].clone();
    let result = y.read()?;
    match &case.expected {
        Some(expected) => {
            compare(&result, expected).map_err(|message| anyhow!("{name}: {message}"))?;
        }
        None => anyhow::ensure!(
            result.iter().all(|value| value.is_finite()) && result.iter().any(|&v| v != 0.0),
            "{name}: the result is not finite, or all zero"
        ),
    }
    drop(y);
    let input_bytes = Work::Bytes(4 * case.input.len() as u64);
    report.time(name, "upload", input_bytes, || {
        runtime.stage("x", &array)?;
        Ok(runtime.wait()?)
    })?;
    report.time(name, "run", case.work, || {
        session.run([("x", &x)])?;
        Ok(runtime.wait()?)
    })?;
    let run = session.run([("x", &x)])?;
    runtime.wait()?;
    let output_bytes = Work::Bytes(4 * result.len() as u64);
    let mut values = vec![0.0; result.len()];
    report.time(name, "read", output_bytes, || Ok(run["y"].read_into(&mut values)?))?;
    drop(run);
    report.time(name, "end to end", case.work, || {
        let x = runtime.stage("x", &array)?;
        let run = session.run([("x", &x)])?;
        Ok(run["y"].read_into(&mut values)?)
    })
}
