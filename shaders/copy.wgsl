// copy: output[out_base + sum(i_k * out_k)] = input[base + sum(i_k * stride_k)]
//
// i runs over 6 lengths, the last one varying fastest; missing axes arrive as a length of 1.
// Every stride is an u32 that wraps round, so a negative one works as in two's complement. What
// the output's places leave out is not written. Elements are moved as bits, NaNs included.

struct Params {
    threads: u32,
    base: u32,
    out_base: u32,
    // of axis 0 nothing but the strides is needed: its index is what the others leave over
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    stride0: u32,
    stride1: u32,
    stride2: u32,
    stride3: u32,
    stride4: u32,
    stride5: u32,
    out0: u32,
    out1: u32,
    out2: u32,
    out3: u32,
    out4: u32,
    out5: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
// the same buffers, four elements at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> output4: array<vec4<u32>>;

struct Places {
    input: u32,
    output: u32,
}

fn places(index: u32) -> Places {
    let rest4 = index / params.length5;
    let rest3 = rest4 / params.length4;
    let rest2 = rest3 / params.length3;
    let rest1 = rest2 / params.length2;
    let i0 = rest1 / params.length1;
    let i1 = rest1 - i0 * params.length1;
    let i2 = rest2 - rest1 * params.length2;
    let i3 = rest3 - rest2 * params.length3;
    let i4 = rest4 - rest3 * params.length4;
    let i5 = index - rest4 * params.length5;
    return Places(
        params.base + i0 * params.stride0 + i1 * params.stride1 + i2 * params.stride2
            + i3 * params.stride3 + i4 * params.stride4 + i5 * params.stride5,
        params.out_base + i0 * params.out0 + i1 * params.out1 + i2 * params.out2
            + i3 * params.out3 + i4 * params.out4 + i5 * params.out5,
    );
}

// One thread moves one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn copy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let at = places(index);
    output[at.output] = input[at.input];
}

// Bases, strides and the last length are multiples of 4, and given in fours; along the last axis
// both sides are contiguous. One thread moves four elements.
@compute @workgroup_size(WORKGROUP_SIZE)
fn copy4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let at = places(index);
    output4[at.output] = input4[at.input];
}
