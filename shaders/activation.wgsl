// activation: output[i] = f(input[i]), f an element-wise activation function.
//
// One thread computes one element. Any shape; both operands are contiguous.

struct Params {
    threads: u32,
    activation: u32,
    alpha: f32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (E)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (E)

@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    output[index] = activate(params.activation, params.alpha, input[index]);
}
