// lrn: output[o, c, i] = input[o, c, i] / (bias + factor * sum of input[o, j, i]^2)^beta, with j
// over the size channels round c that there are: from c - (size - 1) / 2 on, rounded up.

struct Params {
    threads: u32,
    channels: u32,
    inner: u32,
    // channels in front of c and behind it
    before: u32,
    after: u32,
    // alpha / size
    factor: f32,
    beta: f32,
    bias: f32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (O, C, I)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (O, C, I)

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
    let c = (index / params.inner) % params.channels;
    let before = min(c, params.before);
    let after = min(params.channels - 1u - c, params.after);
    var at = index - before * params.inner;
    var sum = 0.0;
    for (var j = 0u; j <= before + after; j++) {
        sum += input[at] * input[at];
        at += params.inner;
    }
    let base = params.bias + params.factor * sum;
    let power = select(exponential(params.beta * logarithm(base)), 1.0, params.beta == 0.0);
    output[index] = input[index] / power;
}
