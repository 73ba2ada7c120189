// binary: output[i] = f(left[i] op right[i]), op a function of two operands, f the stages of an epilogue.
//
// Operands broadcast as in NumPy. The output's shape is given as 6 lengths, the last one
// varying fastest; an operand's stride along a broadcast axis is 0. Runs of axes that both
// operands walk in the same way arrive as one axis, and missing axes as a length of 1.

struct Params {
    threads: u32,
    operation: u32,
    // of axis 0 nothing but the strides is needed: its index is what the others leave over
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    left0: u32,
    left1: u32,
    left2: u32,
    left3: u32,
    left4: u32,
    left5: u32,
    right0: u32,
    right1: u32,
    right2: u32,
    right3: u32,
    right4: u32,
    right5: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       left:   array<f32>; // broadcasts to output
@group(0) @binding(2) var<storage, read>       right:  array<f32>; // broadcasts to output
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // (L0, L1, L2, L3, L4, L5)
@group(0) @binding(4) var<storage, read>       extra:  array<f32>; // (P), or the left operand again
// the same buffers, four elements at a time
@group(0) @binding(1) var<storage, read>       left4:   array<vec4<f32>>; // (E / 4)
@group(0) @binding(2) var<storage, read>       right4:  array<vec4<f32>>; // (E / 4)
@group(0) @binding(3) var<storage, read_write> output4: array<vec4<f32>>; // (E / 4)

// Both operands have the output's shape. One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn same(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    output[index] = finish(index, combine(params.operation, left[index], right[index]));
}

// Both operands have the output's shape, of E elements, a multiple of 4. One thread computes four.
@compute @workgroup_size(WORKGROUP_SIZE)
fn same4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let value = apply4(BINARY + params.operation, 0.0, 0.0, left4[index], right4[index]);
    output4[index] = finish4(index, value);
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn broadcast(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
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
    let at_left = i0 * params.left0 + i1 * params.left1 + i2 * params.left2
        + i3 * params.left3 + i4 * params.left4 + i5 * params.left5;
    let at_right = i0 * params.right0 + i1 * params.right1 + i2 * params.right2
        + i3 * params.right3 + i4 * params.right4 + i5 * params.right5;
    output[index] = finish(index, combine(params.operation, left[at_left], right[at_right]));
}
