//! ONNX models imported and run, on the host executor or on an adapter, compared with the answers
//! beside them.
//!
//! Each folder given holds `model.onnx`, and `in.N.npy` and `out.N.npy` by position; without one,
//! the small networks of the tests are taken. Prints one row of docs/networks.md for each.
//!
//!     cargo run --release --example networks [--adapter NAME] [FOLDER...]

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use longshore::import::onnx::{ImportOptions, OnnxModel};
use longshore::{HostArray, Runtime, RuntimeOptions, Tensor};

/// How far an output may be from its answer, in parts of the answer's largest magnitude or of 1.
const TOLERANCE: f64 = 1e-4;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let rt = if arguments.next_if(|argument| argument == "--adapter").is_some() {
        let name = arguments.next().context("--adapter needs a name")?;
        Runtime::open_with(RuntimeOptions::new().adapter(name.to_string_lossy()))?
    } else {
        Runtime::host()
    };
    let mut folders: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    if folders.is_empty() {
        let fixtures = format!("{}/tests/fixtures/onnx/networks", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(fixtures)? {
            folders.push(entry?.path());
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    println!("| network | nodes | steps | transposes | weights | values | difference | time |");
    println!("|---|---|---|---|---|---|---|---|");
    for folder in folders {
        row(&rt, &folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

fn row(rt: &Runtime, folder: &Path) -> anyhow::Result<()> {
    let model = OnnxModel::read(folder.join("model.onnx"))?;
    let nodes: usize = model.operators().into_values().sum();
    let mut options = ImportOptions::new();
    for (number, port) in model.inputs()?.iter().enumerate() {
        let array = HostArray::read(folder.join(format!("in.{number}.npy")))?;
        // Binds what the model leaves open, as the batch.
        options = options.shape(&port.name, array.shape());
    }
    let imported = model.import(options)?;
    let session = rt.session(&imported.graph, 1)?;
    let plan = session.plan();
    let transposes = plan.steps().iter().filter(|step| step.node.starts_with("transpose ")).count();
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for (number, (name, _)) in imported.inputs.iter().enumerate() {
        let array = HostArray::read(folder.join(format!("in.{number}.npy")))?;
        tensors.push((name, rt.stage(name.as_str(), &array)?));
    }
    let run = || session.run(tensors.iter().map(|(name, tensor)| (*name, tensor)));
    run()?;
    rt.wait()?;
    let start = Instant::now();
    let found = run()?;
    rt.wait()?;
    let elapsed = start.elapsed().as_secs_f64() * 1e3;

    let mut differences = Vec::new();
    for (number, name) in imported.outputs.iter().enumerate() {
        let answer = HostArray::read(folder.join(format!("out.{number}.npy")))?.to_f64();
        let output = found.output(name)?.read()?;
        ensure!(output.shape() == answer.shape(), "{name} has shape {:?}", output.shape());
        let largest = answer.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
        let mut worst = 0.0f64;
        for (&value, expected) in output.iter().zip(&answer) {
            let difference = (f64::from(value) - expected).abs();
            let allowed = TOLERANCE * largest.max(1.0);
            // A NaN is no number that is allowed.
            let is_near = difference <= allowed;
            ensure!(is_near, "{name}: {value} differs from {expected} by more than {allowed:e}");
            worst = worst.max(difference);
        }
        differences.push(format!("{worst:.1e} of {largest:.2}"));
    }
    println!(
        "| {} | {nodes} | {} | {transposes} | {} | {} | {} | {elapsed:.1} ms |",
        folder.file_name().unwrap_or_default().to_string_lossy(),
        plan.steps().len(),
        size(plan.weight_bytes()),
        size(plan.peak_bytes()),
        differences.join(", ")
    );
    Ok(())
}

/// Writes a number of bytes as KiB or MiB.
fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let kib = bytes as f64 / 1024.0;
    if kib < 1024.0 { format!("{kib:.1} KiB") } else { format!("{:.1} MiB", kib / 1024.0) }
}
