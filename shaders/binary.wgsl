// binary: output[i] = f(left[i] op right[i]), op a function of two operands, `operation`, which
// src/kernels/epilogue.rs writes, and f the stages of an epilogue.
//
// Operands broadcast as in NumPy. The output's shape is given as 6 lengths, the last one
// varying fastest; an operand's stride along a broadcast axis is 0. Runs of axes that both
// operands walk in the same way arrive as one axis, and missing axes as a length of 1.
//
// Where one operand has the output's shape and the other one is repeated as a block (a vector for
// the last axis, one number for each channel or each row, a single number), length4 and length5
// say how: element i of the output meets element (i / length5) % length4 of the block.

struct Params {
    threads: u32,
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
    output[index] = finish(index, operation(left[index], right[index]));
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
    let value = operation4(left4[index], right4[index]);
    output4[index] = finish4(index, value);
}

// The right operand is repeated as a block, the left one has the output's shape, of E elements, a
// multiple of 4. One thread computes four.
@compute @workgroup_size(WORKGROUP_SIZE)
fn repeat_right4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let at = repeated4(index);
    let other = vec4(right[at.x], right[at.y], right[at.z], right[at.w]);
    let value = operation4(left4[index], other);
    output4[index] = finish4(index, value);
}

// As repeat_right4, with the operands' roles exchanged.
@compute @workgroup_size(WORKGROUP_SIZE)
fn repeat_left4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let at = repeated4(index);
    let other = vec4(left[at.x], left[at.y], left[at.z], left[at.w]);
    let value = operation4(other, right4[index]);
    output4[index] = finish4(index, value);
}

// Which elements of the block the four elements from number 4 * `quad` on meet. One division for
// all: the next element goes on along length5, and from its end along length4.
fn repeated4(quad: u32) -> vec4<u32> {
    let first = quad * 4u;
    let run = first / params.length5;
    // (place along length5, element of the block)
    let p0 = vec2(first - run * params.length5, run % params.length4);
    let p1 = next(p0);
    let p2 = next(p1);
    return vec4(p0.y, p1.y, p2.y, next(p2).y);
}

fn next(place: vec2<u32>) -> vec2<u32> {
    let along = place.x + 1u;
    let ends = along == params.length5;
    let element = place.y + select(0u, 1u, ends);
    return vec2(select(along, 0u, ends), select(element, 0u, element == params.length4));
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
    let at = places(index);
    output[index] = finish(index, operation(left[at.x], right[at.y]));
}

// Where an element's operands lie.
fn places(index: u32) -> vec2<u32> {
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
    return vec2(at_left, at_right);
}
