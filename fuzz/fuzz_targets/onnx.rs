//! ONNX models: an error, or a graph that can be planned; what is tiny is run on the host too.

#![no_main]

mod wire;
mod words;

use std::sync::OnceLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use longshore::import::onnx::{ImportOptions, Imported, OnnxDim, OnnxModel, OnnxPort};
use longshore::{HostArray, Passes, Plan, PlanOptions, Result, Runtime, Tensor};
use ndarray::{ArrayD, IxDyn};

/// What is run: so little that even a product of everything with everything is quick.
const MOST_BYTES: u64 = 16 << 10;
const MOST_STEPS: usize = 64;

fuzz_target!(|data: &[u8]| {
    let model = match OnnxModel::from_bytes("fuzz.onnx", data) {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let _ = (model.outputs(), model.operators(), model.opset());
    for options in options(&model) {
        match model.import(&options) {
            Ok(imported) => use_it(&imported),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});

// Mostly changes that keep to the format; damage of any kind in one file out of eight.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if !seed.is_multiple_of(8)
        && let Some(changed) = wire::mutate(&data[..size], seed, max_size)
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});

/// Nothing bound; every open length bound; constants given and the last value kept as well.
fn options(model: &OnnxModel) -> Vec<ImportOptions> {
    let mut all = vec![ImportOptions::new()];
    let Ok(ports) = model.inputs() else { return Vec::new() };
    let shape = |port: &OnnxPort| -> Vec<usize> {
        let length = |dim: &OnnxDim| if let OnnxDim::Fixed(length) = dim { *length } else { 2 };
        port.dims.as_ref().map_or(vec![2], |dims| dims.iter().map(length).collect())
    };
    if ports.iter().any(|port| port.dims.as_ref().is_none_or(|dims| !dims.iter().all(is_fixed))) {
        all.push(ports.iter().fold(ImportOptions::new(), |options, port| {
            options.shape(port.name.clone(), &shape(port))
        }));
    }
    let constants = model.constant_inputs();
    let mut with_values = ImportOptions::new();
    for port in ports.iter().filter(|port| constants.contains(port.name.as_str())) {
        let shape = shape(port);
        // An array of nothing cannot have any lengths beside its 0 either.
        let mut lengths = shape.iter().map(|&length| length.max(1));
        let elements = lengths.try_fold(1usize, |count, length| count.checked_mul(length));
        if elements.is_some_and(|elements| elements <= 4096) {
            let ones = ArrayD::from_elem(IxDyn(&shape), 1_i64);
            with_values = with_values.value(port.name.clone(), HostArray::from(ones));
        }
    }
    if !constants.is_empty() {
        all.push(with_values);
    }
    if let Some(name) = model.outputs().last() {
        all.push(ImportOptions::new().keep(*name));
    }
    // One allocation above this is a finding.
    all.into_iter().map(|options| options.filled_bytes(64 << 20)).collect()
}

fn is_fixed(dim: &OnnxDim) -> bool {
    matches!(dim, OnnxDim::Fixed(_))
}

fn use_it(imported: &Imported) {
    assert_eq!(imported.graph.to_string().is_empty(), imported.graph.nodes().is_empty());
    for passes in [Passes::all(), Passes::none()] {
        let options = PlanOptions::new().passes(passes);
        match imported.graph.plan_with(1, &options) {
            Ok(plan) => {
                assert!(!plan.to_string().is_empty());
                let bytes = plan.device_bytes().expect("planning has checked every size");
                if bytes <= MOST_BYTES && plan.steps().len() <= MOST_STEPS {
                    // What the host refuses (weights that are not finite) is an error too.
                    let _ = run(&plan);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn run(plan: &Plan) -> Result<()> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(Runtime::host);
    let session = runtime.prepare(plan)?;
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for port in plan.inputs() {
        let elements = if port.shape.contains(&0) { 0 } else { port.shape.iter().product() };
        // Lengths beside a 0 that no array can have cannot be brought.
        let halves = ArrayD::from_shape_vec(IxDyn(&port.shape), vec![0.5_f32; elements]);
        let Ok(halves) = halves else { return Ok(()) };
        tensors.push((&port.name, runtime.stage(port.name.as_str(), HostArray::from(halves))?));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor)))?;
    for (name, tensor) in run.outputs() {
        let read = tensor.read()?;
        assert!(plan.outputs().iter().any(|port| port.name == name && port.shape == read.shape()));
    }
    Ok(())
}
