// select: output[i] = on_true[i] where condition[i] is not zero (NaN is not), else on_false[i].
//
// The three operands broadcast as in NumPy. The output's shape is given as 6 lengths, the last
// one varying fastest; an operand's stride along a broadcast axis is 0. Runs of axes that all
// operands walk in the same way arrive as one axis, and missing axes as a length of 1.

struct Params {
    threads: u32,
    // of axis 0 nothing but the strides is needed: its index is what the others leave over
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    condition0: u32,
    condition1: u32,
    condition2: u32,
    condition3: u32,
    condition4: u32,
    condition5: u32,
    true0: u32,
    true1: u32,
    true2: u32,
    true3: u32,
    true4: u32,
    true5: u32,
    false0: u32,
    false1: u32,
    false2: u32,
    false3: u32,
    false4: u32,
    false5: u32,
}

@group(0) @binding(0) var<uniform>             params:    Params;
@group(0) @binding(1) var<storage, read>       condition: array<f32>; // broadcasts to output
@group(0) @binding(2) var<storage, read>       on_true:   array<f32>; // broadcasts to output
@group(0) @binding(3) var<storage, read>       on_false:  array<f32>; // broadcasts to output
@group(0) @binding(4) var<storage, read_write> output:    array<f32>; // (L0, L1, L2, L3, L4, L5)
// the same buffers, four elements at a time
@group(0) @binding(1) var<storage, read>       condition4: array<vec4<f32>>; // (E / 4)
@group(0) @binding(2) var<storage, read>       on_true4:   array<vec4<f32>>; // (E / 4)
@group(0) @binding(3) var<storage, read>       on_false4:  array<vec4<f32>>; // (E / 4)
@group(0) @binding(4) var<storage, read_write> output4:    array<vec4<f32>>; // (E / 4)

// All operands have the output's shape, of E elements, a multiple of 4. One thread computes four.
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
    // By its bits: NaN and subnormal numbers are not zero.
    let is_zero = (bitcast<vec4<u32>>(condition4[index]) & vec4(0x7fffffffu)) == vec4(0u);
    output4[index] = select(on_true4[index], on_false4[index], is_zero);
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
    let at_condition = i0 * params.condition0 + i1 * params.condition1 + i2 * params.condition2
        + i3 * params.condition3 + i4 * params.condition4 + i5 * params.condition5;
    let at_true = i0 * params.true0 + i1 * params.true1 + i2 * params.true2
        + i3 * params.true3 + i4 * params.true4 + i5 * params.true5;
    let at_false = i0 * params.false0 + i1 * params.false1 + i2 * params.false2
        + i3 * params.false3 + i4 * params.false4 + i5 * params.false5;
    let is_zero = (bitcast<u32>(condition[at_condition]) & 0x7fffffffu) == 0u;
    output[index] = select(on_true[at_true], on_false[at_false], is_zero);
}
