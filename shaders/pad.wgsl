// pad: output[i0, ..., i5] = input[f0(i0), ..., f5(i5)], or a constant where some f leaves the input
//
// With p = i_k - before_k and n = inner_k, the input's length along the axis, f_k(i_k) is
//
//   constant  p, outside unless 0 <= p < n
//   edge      p, cut to 0 .. n - 1
//   reflect   p, mirrored at 0 and n - 1 as often as it takes
//   wrap      p modulo n
//
// The output's shape is given as 6 lengths, the last one varying fastest; missing axes arrive as a
// length of 1. base is where a cropped input begins. Elements are moved as bits, NaNs included.

const CONSTANT: u32 = 0u;
const EDGE: u32 = 1u;
const REFLECT: u32 = 2u;

struct Params {
    threads: u32,
    mode: u32,
    // the constant's bits
    value: u32,
    base: u32,
    // of axis 0 its own length is not needed: its index is what the others leave over
    length1: u32,
    length2: u32,
    length3: u32,
    length4: u32,
    length5: u32,
    before0: u32,
    before1: u32,
    before2: u32,
    before3: u32,
    before4: u32,
    before5: u32,
    inner0: u32,
    inner1: u32,
    inner2: u32,
    inner3: u32,
    inner4: u32,
    inner5: u32,
    stride0: u32,
    stride1: u32,
    stride2: u32,
    stride3: u32,
    stride4: u32,
    stride5: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;
// the same buffers, four elements at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> output4: array<vec4<u32>>;

// Where an output's index along an axis lies in the input: below n, unless it is outside.
fn map_index(i: u32, before: u32, n: u32) -> u32 {
    // Before the input this wraps round, to more than any length.
    let p = i - before;
    if p < n || params.mode == CONSTANT {
        return p;
    }
    if params.mode == EDGE {
        return select(n - 1u, 0u, i < before);
    }
    // The period after which the picture repeats, and p modulo it.
    let period = select(n, max(2u * (n - 1u), 1u), params.mode == REFLECT);
    let behind = (before - i + period - 1u) / period * period;
    let q = select(p % period, i + behind - before, i < before);
    return select(period - q, q, q < n);
}

struct Place {
    at: u32,
    inside: bool,
}

fn place(index: u32) -> Place {
    let rest4 = index / params.length5;
    let rest3 = rest4 / params.length4;
    let rest2 = rest3 / params.length3;
    let rest1 = rest2 / params.length2;
    let i0 = rest1 / params.length1;
    let p0 = map_index(i0, params.before0, params.inner0);
    let p1 = map_index(rest1 - i0 * params.length1, params.before1, params.inner1);
    let p2 = map_index(rest2 - rest1 * params.length2, params.before2, params.inner2);
    let p3 = map_index(rest3 - rest2 * params.length3, params.before3, params.inner3);
    let p4 = map_index(rest4 - rest3 * params.length4, params.before4, params.inner4);
    let p5 = map_index(index - rest4 * params.length5, params.before5, params.inner5);
    return Place(
        params.base + p0 * params.stride0 + p1 * params.stride1 + p2 * params.stride2
            + p3 * params.stride3 + p4 * params.stride4 + p5 * params.stride5,
        p0 < params.inner0 && p1 < params.inner1 && p2 < params.inner2
            && p3 < params.inner3 && p4 < params.inner4 && p5 < params.inner5,
    );
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn pad(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let found = place(index);
    var value = params.value;
    if found.inside {
        value = input[found.at];
    }
    output[index] = value;
}

// The last axis is not padded and a multiple of 4 long, as are base and strides; they are given in
// fours. One thread computes four elements.
@compute @workgroup_size(WORKGROUP_SIZE)
fn pad4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let found = place(index);
    var value = vec4(params.value);
    if found.inside {
        value = input4[found.at];
    }
    output4[index] = value;
}
