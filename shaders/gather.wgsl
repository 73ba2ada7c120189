// gather: output[o, j, i] = input[o, table[j], i]
//
// The table holds one index for each j, each below the input's length along that axis. Elements
// are moved as bits, NaNs included.

struct Params {
    threads: u32,
    // lengths of the input's axis and of the indices
    length: u32,
    count: u32,
    // elements behind one index, or vectors of four
    inner: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       table:  array<u32>; // (J)
@group(0) @binding(2) var<storage, read>       input:  array<u32>; // (O, L, I)
@group(0) @binding(3) var<storage, read_write> output: array<u32>; // (O, J, I)
// the same buffers, four elements at a time
@group(0) @binding(2) var<storage, read>       input4:  array<vec4<u32>>; // (O, L, I / 4)
@group(0) @binding(3) var<storage, read_write> output4: array<vec4<u32>>; // (O, J, I / 4)

// The place in the input that an output's place comes from.
fn source(index: u32) -> u32 {
    let row = index / params.inner;
    let outer = row / params.count;
    let picked = table[row - outer * params.count];
    return (outer * params.length + picked) * params.inner + (index - row * params.inner);
}

// One thread moves one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    output[index] = input[source(index)];
}

// I is a multiple of 4. One thread moves four elements.
@compute @workgroup_size(WORKGROUP_SIZE)
fn gather4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    output4[index] = input4[source(index)];
}
