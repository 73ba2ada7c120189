//! What operators are tested on: a runtime, and a way to run one piece of work by hand.

pub mod gpu;
pub mod host;

use std::collections::BTreeMap;

use longshore::internals::kernels::Work;
use longshore::{Graph, HostArray, Runtime, Tensor};
use ndarray::ArrayD;

pub use gpu::Gpu;
pub use host::Host;

/// An executor under test.
pub trait Executor: Sync {
    /// What tables call it.
    fn name(&self) -> &'static str;

    /// Returns the runtime that tests share.
    fn runtime(&self) -> &'static Runtime;

    /// Opens a runtime of the test's own, for tests that count or break things.
    fn open(&self) -> Runtime;

    /// Runs one piece of work over operands in binding order, within a limit of workgroups for
    /// each dimension, in poisoned memory; returns the output, and `None` for what it left alone.
    ///
    /// Panics when a guard around the output has changed, or the work is refused.
    fn dispatch_part(
        &self,
        work: &Work,
        max_workgroups_per_dimension: u32,
        operands: &[&ArrayD<f32>],
        shape: &[usize],
    ) -> ArrayD<Option<f32>>;

    /// How many random networks are run.
    fn networks(&self) -> u64;

    /// How often each operator is in one of them at least.
    fn each(&self) -> usize;

    /// As [`dispatch_part`](Self::dispatch_part), for work that writes all of its output.
    #[track_caller]
    fn dispatch(
        &self,
        work: &Work,
        max_workgroups_per_dimension: u32,
        operands: &[&ArrayD<f32>],
        shape: &[usize],
    ) -> ArrayD<f32> {
        let found = self.dispatch_part(work, max_workgroups_per_dimension, operands, shape);
        found.mapv(|value| {
            value.unwrap_or_else(|| panic!("{work:?} left an element of {shape:?} unwritten"))
        })
    }

    /// Stages an array of f32 in the shared runtime.
    fn stage(&self, label: &str, array: &ArrayD<f32>) -> Tensor {
        stage(self.runtime(), label, array)
    }

    /// Runs a graph in the shared runtime, as [`run`] does.
    fn run(
        &self,
        graph: &Graph,
        batch: usize,
        inputs: &[(&str, &ArrayD<f32>)],
    ) -> BTreeMap<String, ArrayD<f32>> {
        run(self.runtime(), graph, batch, inputs)
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
    let run = runtime
        .forbid_crossings(|| session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))))
        .unwrap();
    run.outputs().map(|(name, tensor)| (name.to_owned(), tensor.read().unwrap())).collect()
}
