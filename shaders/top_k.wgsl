// top_k: output[o, r, i] = the element of the line input[o, :, i] that r others of it come before, or
// its index l. The larger comes before the smaller, or the other way round; of equal ones, the one
// with the lower index; NaN is larger than every number.
//
// Elements are compared and moved as bits: numbers below the smallest normal one and NaN, which a
// device may change while it computes, have their places too.
//! uses thread

struct Params {
    // elements of the input
    threads: u32,
    length: u32,
    inner: u32,
    k: u32,
    is_largest: u32,
    // whether indices are written, else the elements
    is_index: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<u32>; // (O, L, I)
@group(0) @binding(2) var<storage, read_write> output: array<u32>; // (O, K, I)

// A number whose order among others is that of an element: what comes first has the largest.
fn key(bits: u32) -> u32 {
    let magnitude = bits & 0x7fffffffu;
    // Both zeros have one key.
    var ascending = 0x80000000u + magnitude;
    if bits != magnitude {
        ascending = 0x80000000u - magnitude;
    }
    if magnitude > 0x7f800000u {
        // NaN
        ascending = 0xffffffffu;
    }
    return select(~ascending, ascending, params.is_largest != 0u);
}

// One thread finds the place of one element: it counts what comes before it, up to k.
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
    let i = index % params.inner;
    let l = index / params.inner % params.length;
    let o = index / params.inner / params.length;
    let own = key(input[index]);
    var at = index - l * params.inner;
    var place = 0u;
    for (var j = 0u; j < params.length && place < params.k; j++) {
        let other = key(input[at]);
        if other > own || (other == own && j < l) {
            place++;
        }
        at += params.inner;
    }
    if place < params.k {
        let to = (o * params.k + place) * params.inner + i;
        output[to] = select(input[index], bitcast<u32>(f32(l)), params.is_index != 0u);
    }
}
