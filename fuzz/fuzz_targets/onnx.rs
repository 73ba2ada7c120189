//! ONNX models: an error, or a graph that can be planned; what is tiny is run on the host too.

#![no_main]

mod dice;
mod graphs;
mod wire;
mod words;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use longshore::HostArray;
use longshore::import::onnx::{ImportOptions, OnnxDim, OnnxModel, OnnxPort};
use ndarray::{ArrayD, IxDyn};

fuzz_target!(|data: &[u8]| {
    let model = match OnnxModel::from_bytes("fuzz.onnx", data) {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let _ = (model.outputs(), model.operators(), model.opset());
    for options in options(&model) {
        match model.import(options) {
            Ok(imported) => graphs::use_it(&imported.graph),
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
