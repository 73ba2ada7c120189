// activation: output[i] = f(input[i]), f the stages of an epilogue.
//
// Any shape; both operands are contiguous.

struct Params {
    threads: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (E)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (E)
@group(0) @binding(3) var<storage, read>       extra:  array<f32>; // (P), or the input again
// the same buffers, four elements at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (E / 4)
@group(0) @binding(2) var<storage, read_write> output4: array<vec4<f32>>; // (E / 4)

// One thread computes one element.
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
    output[index] = finish(index, input[index]);
}

// One thread computes four elements. E is a multiple of 4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn elements4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    output4[index] = finish4(index, input4[index]);
}
