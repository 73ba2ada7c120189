//! What the host's tests share: its runtime, and a graph run from arrays to arrays.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use longshore::{Graph, HostArray, Run, Runtime, Tensor};
use ndarray::ArrayD;

/// How many random networks are run.
pub const NETWORKS: u64 = 1000;

/// How often each operator is in one of them at least.
pub const EACH: usize = 10;

/// Returns the host executor.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(open)
}

/// Opens a runtime of the test's own, for tests that count things.
pub fn open() -> Runtime {
    Runtime::host()
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
