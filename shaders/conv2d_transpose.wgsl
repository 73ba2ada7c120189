// conv2d_transpose: output[n, y, x, f] = a(bias[f] + sum over i, j, c of
//     input[n, v, u, g * K + c] * kernel[i, j, f - g * M, g * K + c])
//
// over the taps with v * stride_height + i * dilation_height = y + crop_top and
// u * stride_width + j * dilation_width = x + crop_left: every output element gathers the
// input pixels that reach it. a are the stages of an epilogue, G groups of K = C / G input and M = F / G
// output channels, g = f / M the group of f. Images are (batch, height, width, channels), kernels (height,
// width, output channels of a group, input channels).

struct Params {
    threads: u32,
    input_height: u32,
    input_width: u32,
    input_channels: u32,
    output_height: u32,
    output_width: u32,
    output_channels: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    dilation_height: u32,
    dilation_width: u32,
    crop_top: u32,
    crop_left: u32,
    // input and output channels of one group
    group_inputs: u32,
    group_outputs: u32,
    has_bias: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (N, H, W, C)
@group(0) @binding(2) var<storage, read>       kernel: array<f32>; // (I, J, M, C)
@group(0) @binding(3) var<storage, read>       bias:   array<f32>; // (F), or the kernel again
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // (N, Y, X, F)
@group(0) @binding(5) var<storage, read>       extra:  array<f32>; // (P), or the input again
// the same buffers, four input channels at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (N, H, W, C / 4)
@group(0) @binding(2) var<storage, read>       kernel4: array<vec4<f32>>; // (I, J, M, C / 4)

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
    let pixel = index / params.output_channels;
    let f = index - pixel * params.output_channels;
    let line = pixel / params.output_width;
    let n = line / params.output_height;
    // where the element lies in the full, uncropped output
    let y = line - n * params.output_height + params.crop_top;
    let x = pixel - line * params.output_width + params.crop_left;
    // taps beyond these start at an output element behind this one
    let rows = min(params.kernel_height, y / params.dilation_height + 1u);
    let columns = min(params.kernel_width, x / params.dilation_width + 1u);
    let own = f % params.group_outputs;
    let first_channel = f / params.group_outputs * params.group_inputs;

    var sum = 0.0;
    for (var i = 0u; i < rows; i++) {
        let down = y - i * params.dilation_height;
        let v = down / params.stride_height;
        if v * params.stride_height != down || v >= params.input_height {
            continue;
        }
        for (var j = 0u; j < columns; j++) {
            let right = x - j * params.dilation_width;
            let u = right / params.stride_width;
            if u * params.stride_width != right || u >= params.input_width {
                continue;
            }
            let source = ((n * params.input_height + v) * params.input_width + u)
                * params.input_channels + first_channel;
            let weight = ((i * params.kernel_width + j) * params.group_outputs + own)
                * params.input_channels + first_channel;
            for (var c = 0u; c < params.group_inputs; c++) {
                sum = fma(input[source + c], kernel[weight + c], sum);
            }
        }
    }
    if params.has_bias != 0u {
        sum += bias[f];
    }
    output[index] = finish(index, sum);
}

// One thread computes one element from four input channels at a time. K is a multiple of 4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn inputs4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let pixel = index / params.output_channels;
    let f = index - pixel * params.output_channels;
    let line = pixel / params.output_width;
    let n = line / params.output_height;
    // where the element lies in the full, uncropped output
    let y = line - n * params.output_height + params.crop_top;
    let x = pixel - line * params.output_width + params.crop_left;
    let quads = params.input_channels / 4u;
    let group_quads = params.group_inputs / 4u;
    let own = f % params.group_outputs;
    let first_quad = f / params.group_outputs * group_quads;
    // taps beyond these start at an output element behind this one
    let rows = min(params.kernel_height, y / params.dilation_height + 1u);
    let columns = min(params.kernel_width, x / params.dilation_width + 1u);

    var sums = vec4(0.0);
    for (var i = 0u; i < rows; i++) {
        let down = y - i * params.dilation_height;
        let v = down / params.stride_height;
        if v * params.stride_height != down || v >= params.input_height {
            continue;
        }
        for (var j = 0u; j < columns; j++) {
            let right = x - j * params.dilation_width;
            let u = right / params.stride_width;
            if u * params.stride_width != right || u >= params.input_width {
                continue;
            }
            let source = ((n * params.input_height + v) * params.input_width + u) * quads + first_quad;
            let weight = ((i * params.kernel_width + j) * params.group_outputs + own)
                * quads + first_quad;
            for (var c = 0u; c < group_quads; c++) {
                sums = fma(input4[source + c], kernel4[weight + c], sums);
            }
        }
    }
    var sum = (sums.x + sums.y) + (sums.z + sums.w);
    if params.has_bias != 0u {
        sum += bias[f];
    }
    output[index] = finish(index, sum);
}
