// conv2d: output[n, y, x, f] = a(bias[f] + sum over i, j, c of
//     input[n, y * stride_height + i * dilation_height - pad_top,
//              x * stride_width + j * dilation_width - pad_left, g * K + c] * kernel[i, j, c, f])
//
// with pixels outside the image left out, a the stages of an epilogue, G groups, K = C / G input channels
// of a group, g = f / (F / G) the group of f. Images are (batch, height, width, channels),
// kernels (height, width, input channels of a group, output channels). A depthwise kernel
// (height, width, C, multiplier) is the same in memory as one with G = C groups.

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
    pad_top: u32,
    pad_left: u32,
    // input and output channels of one group
    group_inputs: u32,
    group_outputs: u32,
    has_bias: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       input:   array<f32>;       // (N, H, W, C)
@group(0) @binding(2) var<storage, read>       kernel:  array<f32>;       // (I, J, K, F)
@group(0) @binding(3) var<storage, read>       bias:    array<f32>;       // (F), or the kernel again
@group(0) @binding(4) var<storage, read_write> output:  array<f32>;       // (N, Y, X, F)
@group(0) @binding(5) var<storage, read>       extra:   array<f32>;       // (P), or the input again
// the same buffers, four channels at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (N, H, W, C / 4)
@group(0) @binding(2) var<storage, read>       kernel4: array<vec4<f32>>; // (I, J, K, F / 4)
@group(0) @binding(3) var<storage, read>       bias4:   array<vec4<f32>>; // (F / 4), or the kernel again
@group(0) @binding(4) var<storage, read_write> output4: array<vec4<f32>>; // (N, Y, X, F / 4)

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
    let y = (line - n * params.output_height) * params.stride_height;
    let x = (pixel - line * params.output_width) * params.stride_width;
    let rows = clip(y, params.dilation_height, params.pad_top, params.kernel_height, params.input_height);
    let columns = clip(x, params.dilation_width, params.pad_left, params.kernel_width, params.input_width);
    let first_channel = f / params.group_outputs * params.group_inputs;

    var sum = 0.0;
    for (var i = rows.x; i < rows.y; i++) {
        let input_y = y + i * params.dilation_height - params.pad_top;
        for (var j = columns.x; j < columns.y; j++) {
            let input_x = x + j * params.dilation_width - params.pad_left;
            let source = ((n * params.input_height + input_y) * params.input_width + input_x)
                * params.input_channels + first_channel;
            var weight = (i * params.kernel_width + j) * params.group_inputs * params.output_channels + f;
            for (var c = 0u; c < params.group_inputs; c++) {
                sum = fma(input[source + c], kernel[weight], sum);
                weight += params.output_channels;
            }
        }
    }
    if params.has_bias != 0u {
        sum += bias[f];
    }
    output[index] = finish(index, sum);
}

// Four pixels of one line, and four output channels.
struct Tile {
    quad: u32,
    // the output line, counted over all images, and the first pixel in it
    line: u32,
    first_x: u32,
    // the window's first row: in the padded image, and in the buffer of all padded images
    y: u32,
    image_row: u32,
    // the windows' first columns in the padded image
    x: vec4<u32>,
    first_channel: u32,
}

fn tile_of(index: u32) -> Tile {
    let quads = params.output_channels / 4u;
    let tiles = (params.output_width + 3u) / 4u;
    let tile = index / quads;
    let quad = index - tile * quads;
    let line = tile / tiles;
    let first_x = (tile - line * tiles) * 4u;
    let n = line / params.output_height;
    let y = (line - n * params.output_height) * params.stride_height;
    let x = (vec4(first_x) + vec4(0u, 1u, 2u, 3u)) * params.stride_width;
    let first_channel = quad * 4u / params.group_outputs * params.group_inputs;
    return Tile(quad, line, first_x, y, n * params.input_height + y, x, first_channel);
}

fn tile_rows(tile: Tile) -> vec2<u32> {
    return clip(tile.y, params.dilation_height, params.pad_top, params.kernel_height, params.input_height);
}

// The input columns under tap j; to the left of the image they wrap to numbers above any width.
fn tile_columns(tile: Tile, j: u32) -> vec4<u32> {
    return tile.x + vec4(j * params.dilation_width) - vec4(params.pad_left);
}

// Where the input channels under tap (i, j) begin; for pixels outside, somewhere in the image.
fn tile_source(tile: Tile, i: u32, columns: vec4<u32>) -> vec4<u32> {
    let row = tile.image_row + i * params.dilation_height - params.pad_top;
    let inside = select(vec4(0u), columns, columns < vec4(params.input_width));
    return (row * params.input_width + inside) * params.input_channels + tile.first_channel;
}

fn store(tile: Tile, sum0: vec4<f32>, sum1: vec4<f32>, sum2: vec4<f32>, sum3: vec4<f32>) {
    let quads = params.output_channels / 4u;
    var shift = vec4(0.0);
    if params.has_bias != 0u {
        shift = bias4[tile.quad];
    }
    let count = min(4u, params.output_width - tile.first_x);
    let first = tile.line * params.output_width + tile.first_x;
    // A loop, so that the epilogue is compiled once; the sums are picked without indexing,
    // which would move them from registers to memory.
    for (var p = 0u; p < count; p++) {
        let sum = select(select(sum3, sum2, p == 2u), select(sum1, sum0, p == 0u), p < 2u);
        let quad = (first + p) * quads + tile.quad;
        output4[quad] = finish4(quad, sum + shift);
    }
}

// One thread computes four output channels of four pixels. F / G is a multiple of 4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn channels4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let tile = tile_of(index);
    let rows = tile_rows(tile);
    let quads = params.output_channels / 4u;

    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    for (var i = rows.x; i < rows.y; i++) {
        for (var j = 0u; j < params.kernel_width; j++) {
            let columns = tile_columns(tile, j);
            let inside = columns < vec4(params.input_width);
            if !any(inside) {
                continue;
            }
            let source = tile_source(tile, i, columns);
            var weight = (i * params.kernel_width + j) * params.group_inputs * quads + tile.quad;
            // what the sums are with this tap: for a pixel that it misses they stay as they are
            var tap0 = sum0;
            var tap1 = sum1;
            var tap2 = sum2;
            var tap3 = sum3;
            for (var c = 0u; c < params.group_inputs; c++) {
                let w = kernel4[weight];
                tap0 = fma(vec4(input[source.x + c]), w, tap0);
                tap1 = fma(vec4(input[source.y + c]), w, tap1);
                tap2 = fma(vec4(input[source.z + c]), w, tap2);
                tap3 = fma(vec4(input[source.w + c]), w, tap3);
                weight += quads;
            }
            sum0 = select(sum0, tap0, inside.x);
            sum1 = select(sum1, tap1, inside.y);
            sum2 = select(sum2, tap2, inside.z);
            sum3 = select(sum3, tap3, inside.w);
        }
    }
    store(tile, sum0, sum1, sum2, sum3);
}

// As channels4, taking input channels in fours. K is a multiple of 4 too.
@compute @workgroup_size(WORKGROUP_SIZE)
fn blocks4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let tile = tile_of(index);
    let rows = tile_rows(tile);
    let quads = params.output_channels / 4u;

    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    for (var i = rows.x; i < rows.y; i++) {
        for (var j = 0u; j < params.kernel_width; j++) {
            let columns = tile_columns(tile, j);
            let inside = columns < vec4(params.input_width);
            if !any(inside) {
                continue;
            }
            let source = tile_source(tile, i, columns) / 4u;
            var weight = (i * params.kernel_width + j) * params.group_inputs * quads + tile.quad;
            // what the sums are with this tap: for a pixel that it misses they stay as they are
            var tap0 = sum0;
            var tap1 = sum1;
            var tap2 = sum2;
            var tap3 = sum3;
            for (var c = 0u; c < params.group_inputs / 4u; c++) {
                let w0 = kernel4[weight];
                let w1 = kernel4[weight + quads];
                let w2 = kernel4[weight + 2u * quads];
                let w3 = kernel4[weight + 3u * quads];
                tap0 = multiply_add4(input4[source.x + c], w0, w1, w2, w3, tap0);
                tap1 = multiply_add4(input4[source.y + c], w0, w1, w2, w3, tap1);
                tap2 = multiply_add4(input4[source.z + c], w0, w1, w2, w3, tap2);
                tap3 = multiply_add4(input4[source.w + c], w0, w1, w2, w3, tap3);
                weight += 4u * quads;
            }
            sum0 = select(sum0, tap0, inside.x);
            sum1 = select(sum1, tap1, inside.y);
            sum2 = select(sum2, tap2, inside.z);
            sum3 = select(sum3, tap3, inside.w);
        }
    }
    store(tile, sum0, sum1, sum2, sum3);
}

// One thread computes four channels of one pixel. Depthwise, with a multiplier of 1:
// F = C = G, a multiple of 4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn depthwise4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let quads = params.output_channels / 4u;
    let pixel = index / quads;
    let quad = index - pixel * quads;
    let line = pixel / params.output_width;
    let n = line / params.output_height;
    let y = (line - n * params.output_height) * params.stride_height;
    let x = (pixel - line * params.output_width) * params.stride_width;
    let rows = clip(y, params.dilation_height, params.pad_top, params.kernel_height, params.input_height);
    let columns = clip(x, params.dilation_width, params.pad_left, params.kernel_width, params.input_width);

    var sum = vec4(0.0);
    for (var i = rows.x; i < rows.y; i++) {
        let input_y = y + i * params.dilation_height - params.pad_top;
        for (var j = columns.x; j < columns.y; j++) {
            let input_x = x + j * params.dilation_width - params.pad_left;
            let source = (n * params.input_height + input_y) * params.input_width + input_x;
            let weight = i * params.kernel_width + j;
            sum = fma(input4[source * quads + quad], kernel4[weight * quads + quad], sum);
        }
    }
    if params.has_bias != 0u {
        sum += bias4[quad];
    }
    output4[index] = finish4(index, sum);
}
