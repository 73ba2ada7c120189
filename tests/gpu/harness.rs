//! What the GPU tests share: one runtime, and a graph run from arrays to arrays.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use longshore::{Graph, HostArray, Run, Runtime, RuntimeOptions, Tensor};
use ndarray::ArrayD;

/// How many random networks are run.
pub const NETWORKS: u64 = 300;

/// How often each operator is in one of them at least.
pub const EACH: usize = 5;

/// Returns the adapter under test: the one that `LONGSHORE_ADAPTER` names, or the first.
///
/// Without one the test fails, with the line that says what to install.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(open)
}

/// Opens a runtime of the test's own, for tests that count or break things.
pub fn open() -> Runtime {
    // Never the host executor, which has tests of its own.
    let mut options = RuntimeOptions::new().require_adapter();
    if let Ok(name) = std::env::var("LONGSHORE_ADAPTER") {
        options = options.adapter(name);
    }
    match Runtime::open_with(&options) {
        Ok(runtime) => {
            eprintln!("GPU tests run on {}", runtime.adapter());
            runtime
        }
        Err(error) => panic!("the GPU tests need an adapter and never skip: {error}"),
    }
}

/// Stages an array of f32.
pub fn stage(runtime: &Runtime, label: &str, array: &ArrayD<f32>) -> Tensor {
    runtime.stage(label, &HostArray::from_view(array)).unwrap()
}

/// Plans, prepares, runs under a guard and reads every output.
pub fn run(
    runtime: &Runtime,
    graph: &Graph,
    batch: usize,
    inputs: &[(&str, &ArrayD<f32>)],
) -> BTreeMap<String, ArrayD<f32>> {
    let plan = graph.plan(batch).unwrap();
    let session = runtime.prepare(&plan).unwrap();
    let tensors: Vec<(&str, Tensor)> =
        inputs.iter().map(|(name, array)| (*name, stage(runtime, name, array))).collect();
    let run: Run = runtime
        .forbid_crossings(|| session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))))
        .unwrap();
    run.outputs().map(|(name, tensor)| (name.to_owned(), tensor.read().unwrap())).collect()
}
