// softmax: output[o, l, i] = exp(input[o, l, i] - m) / sum over l of exp(input[o, l, i] - m),
// with m the maximum of input[o, :, i].
//
// One thread computes one row (o, i). A row with NaN, +inf, or nothing but -inf is all NaN,
// as in NumPy.

struct Params {
    threads: u32,
    length: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (O, L, I)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (O, L, I)

@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if row >= params.threads {
        return;
    }
    let outer = row / params.inner;
    let first = outer * params.length * params.inner + (row - outer * params.inner);

    var maximum = input[first];
    var at = first;
    for (var l = 1u; l < params.length; l++) {
        at += params.inner;
        maximum = max(maximum, input[at]);
    }

    var sum = 0.0;
    at = first;
    for (var l = 0u; l < params.length; l++) {
        let e = exponential(input[at] - maximum);
        output[at] = e;
        sum += e;
        at += params.inner;
    }

    at = first;
    for (var l = 0u; l < params.length; l++) {
        output[at] = output[at] / sum;
        at += params.inner;
    }
}
