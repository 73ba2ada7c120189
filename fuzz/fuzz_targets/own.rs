//! Own kernels: an error, or a kernel that a graph can use, be planned with and saved with.

#![no_main]

mod dice;
mod tokens;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use longshore::own::{Kind, Scalar, Value};
use longshore::{Graph, OwnCall, OwnKernel, Result, Saved, Shape};

fuzz_target!(|data: &[u8]| {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let kernel = match OwnKernel::new("fuzz", source) {
        Ok(kernel) => kernel.shape(|inputs| {
            Ok(inputs.first().cloned().unwrap_or(Shape::from([6_usize].as_slice())))
        }),
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let interface = kernel.interface();
    assert!(interface.invocations() <= 256 && !interface.entry.is_empty());
    for dims in [&[6][..], &[2, 3], &[1, 2, 3, 4], &[0]] {
        if let Err(error) = use_it(&kernel, dims) {
            assert!(!error.to_string().is_empty());
        }
    }
});

fn use_it(kernel: &OwnKernel, dims: &[usize]) -> Result<()> {
    let mut g = Graph::new();
    let names: Vec<String> = kernel.inputs().map(str::to_owned).collect();
    let inputs: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), g.input(name.as_str(), Shape::from(dims))))
        .collect();
    let fields = kernel.interface().params.iter().flat_map(|block| &block.fields);
    let call = fields
        .filter(|field| field.shape_of.is_none())
        .fold(OwnCall::new(), |call, field| call.param(field.name.as_str(), value(field.kind)));
    let y = g.own(kernel, inputs, &call)?;
    g.output("y", y);
    assert!(!g.plan(1)?.to_string().is_empty());
    let saved = Saved::new(&g)?;
    let loaded = saved.graph_with(std::slice::from_ref(kernel)).expect("what was saved is loaded");
    assert_eq!(loaded.to_string(), g.to_string());
    Ok(())
}

/// Ones of the type of a parameter.
fn value(kind: Kind) -> Value {
    match (kind.scalar, kind.lanes) {
        (Scalar::F32, 1) => 1.0_f32.into(),
        (Scalar::F32, 2) => [1.0_f32; 2].into(),
        (Scalar::F32, 3) => [1.0_f32; 3].into(),
        (Scalar::F32, _) => [1.0_f32; 4].into(),
        (Scalar::I32, 1) => 1_i32.into(),
        (Scalar::I32, 2) => [1_i32; 2].into(),
        (Scalar::I32, 3) => [1_i32; 3].into(),
        (Scalar::I32, _) => [1_i32; 4].into(),
        (Scalar::U32, 1) => 1_u32.into(),
        (Scalar::U32, 2) => [1_u32; 2].into(),
        (Scalar::U32, 3) => [1_u32; 3].into(),
        (Scalar::U32, _) => [1_u32; 4].into(),
    }
}

// Mostly other words of the language; damage of any kind in one source out of eight.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if !seed.is_multiple_of(8)
        && let Some(changed) = tokens::mutate(&data[..size], seed, max_size)
    {
        data[..changed.len()].copy_from_slice(&changed);
        return changed.len();
    }
    fuzzer_mutate(data, size, max_size)
});
