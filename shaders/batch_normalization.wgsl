// batch_normalization: output = (input - mean) / sqrt(variance + epsilon) * scale + bias, the four
// vectors having one number for each channel.
//
// Weights are bound in the order scale, bias, mean, variance, without those that are missing; the
// last one stands in for what is not bound. An epilogue is applied to each result.

struct Params {
    threads: u32,
    channels: u32,
    // the product of the lengths behind the channel axis
    inner: u32,
    has_scale: u32,
    has_bias: u32,
    epsilon: f32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:    array<f32>; // (O, C, I)
@group(0) @binding(2) var<storage, read>       weight0:  array<f32>; // (C)
@group(0) @binding(3) var<storage, read>       weight1:  array<f32>; // (C)
@group(0) @binding(4) var<storage, read>       weight2:  array<f32>; // (C)
@group(0) @binding(5) var<storage, read>       variance: array<f32>; // (C)
@group(0) @binding(6) var<storage, read_write> output:   array<f32>; // (O, C, I)
@group(0) @binding(7) var<storage, read>       extra:    array<f32>; // (P), or the input again

fn normalized(index: u32) -> f32 {
    let c = (index / params.inner) % params.channels;
    var scale = 1.0;
    var bias = 0.0;
    var mean = weight0[c];
    if params.has_scale != 0u && params.has_bias != 0u {
        scale = weight0[c];
        bias = weight1[c];
        mean = weight2[c];
    } else if params.has_scale != 0u {
        scale = weight0[c];
        mean = weight1[c];
    } else if params.has_bias != 0u {
        bias = weight0[c];
        mean = weight1[c];
    }
    let deviation = sqrt(variance[c] + params.epsilon);
    return (input[index] - mean) / deviation * scale + bias;
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
