//! Own kernels without a device: what a source declares, what is refused, plans, the twin.

mod graph;
mod hostile;
mod loops;
mod refused;
mod source;
mod steps;

use longshore::{OwnCall, OwnKernel, Shape};

/// A whole source around the body of its entry point.
fn source(declarations: &str, body: &str) -> String {
    format!(
        "{declarations}\n@compute @workgroup_size(64)\nfn main(@builtin(global_invocation_id) id: vec3<u32>) {{\n{body}\n}}\n"
    )
}

/// The output alone, at binding 0.
const OUTPUT: &str = "@group(0) @binding(0) var<storage, read_write> y: array<f32>;";

/// A kernel whose result has the shape of its first input.
fn like_first(name: &str, wgsl: &str) -> OwnKernel {
    OwnKernel::new(name, wgsl).unwrap().shape(|inputs| Ok::<Shape, String>(inputs[0].clone()))
}

/// `y = gain * x`, with the shape of `x` as a parameter.
const SCALE: &str = "
struct Params { gain: f32, x_shape: vec2<u32>, step: vec3<i32> }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn scale(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + local;
    if i < arrayLength(&y) { y[i] = params.gain * x[i] + f32(params.step.x); }
}
";

/// The values that [`SCALE`] needs.
fn scale_call() -> OwnCall {
    OwnCall::new().param("gain", 2.0_f32).param("step", [1_i32, -2, 3])
}
