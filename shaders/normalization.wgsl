// normalization: output = (input - mean) * inverse deviation * scale + bias.
//
// The moments (mean and inverse deviation) are those of the element's row; scale and bias
// broadcast to the input. The input's shape is given as 6 lengths, the last one varying fastest;
// a stride is 0 along axes that an operand does not have. Weights are bound in the order scale,
// bias; a missing scale's place is the bias's, which the last binding has in any case. An epilogue
// is applied to each result.

struct Params {
    threads: u32,
    has_scale: u32,
    has_bias: u32,
    // of axis 0 nothing but the strides is needed: its index is what the others leave over
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    row0: u32,
    row1: u32,
    row2: u32,
    row3: u32,
    row4: u32,
    row5: u32,
    scale0: u32,
    scale1: u32,
    scale2: u32,
    scale3: u32,
    scale4: u32,
    scale5: u32,
    bias0: u32,
    bias1: u32,
    bias2: u32,
    bias3: u32,
    bias4: u32,
    bias5: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       input:   array<f32>; // (L0, L1, L2, L3, L4, L5)
@group(0) @binding(2) var<storage, read>       moments: array<f32>; // (rows, 2)
@group(0) @binding(3) var<storage, read>       scale:   array<f32>; // broadcasts to input
@group(0) @binding(4) var<storage, read>       bias:    array<f32>; // broadcasts to input
@group(0) @binding(5) var<storage, read_write> output:  array<f32>; // (L0, L1, L2, L3, L4, L5)
@group(0) @binding(6) var<storage, read>       extra:   array<f32>; // (P), or the input again

fn normalized(index: u32) -> f32 {
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
    let row = i0 * params.row0 + i1 * params.row1 + i2 * params.row2 + i3 * params.row3
        + i4 * params.row4 + i5 * params.row5;
    var value = (input[index] - moments[2u * row]) * moments[2u * row + 1u];
    if params.has_scale != 0u {
        value *= scale[i0 * params.scale0 + i1 * params.scale1 + i2 * params.scale2
            + i3 * params.scale3 + i4 * params.scale4 + i5 * params.scale5];
    }
    if params.has_bias != 0u {
        value += bias[i0 * params.bias0 + i1 * params.bias1 + i2 * params.bias2
            + i3 * params.bias3 + i4 * params.bias4 + i5 * params.bias5];
    }
    return value;
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, normalized(index));
    }
}
