// dense: output[r, u] = a(bias[u] + sum over k of input[r, k] * kernel[k, u])
//
// with a the stages of an epilogue. The input's leading axes are flattened into rows; the kernel is
// (inputs, units). A step of a split layer has some rows of the kernel; it reads the inputs that
// they are for, and goes on from the sums that the step before it has left in the output.

struct Params {
    threads: u32,
    rows: u32,
    inputs: u32,
    units: u32,
    has_bias: u32,
    // a row of the input, and where in it the step begins
    stride: u32,
    first: u32,
    continues: u32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       input:   array<f32>;       // (R, stride)
@group(0) @binding(2) var<storage, read>       kernel:  array<f32>;       // (K, U)
@group(0) @binding(3) var<storage, read>       bias:    array<f32>;       // (U), or the kernel again
@group(0) @binding(4) var<storage, read_write> output:  array<f32>;       // (R, U)
@group(0) @binding(5) var<storage, read>       extra:   array<f32>;       // (P), or the input again
// the same buffers, four numbers at a time
@group(0) @binding(1) var<storage, read>       input4:  array<vec4<f32>>; // (R, stride / 4)
@group(0) @binding(2) var<storage, read>       kernel4: array<vec4<f32>>; // (K, U / 4)
@group(0) @binding(3) var<storage, read>       bias4:   array<vec4<f32>>; // (U / 4), or the kernel again
@group(0) @binding(4) var<storage, read_write> output4: array<vec4<f32>>; // (R, U / 4)

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
    let row = index / params.units;
    let unit = index - row * params.units;
    let source = row * params.stride + params.first;

    var sum = 0.0;
    if params.continues != 0u {
        sum = output[index];
    }
    var weight = unit;
    for (var k = 0u; k < params.inputs; k++) {
        sum = fma(input[source + k], kernel[weight], sum);
        weight += params.units;
    }
    if params.has_bias != 0u {
        sum += bias[unit];
    }
    output[index] = finish(index, sum);
}

// Four rows and four units.
struct Tile {
    quad: u32,
    first_row: u32,
    // rows that exist
    count: u32,
    // where each row begins in the input; rows past the end repeat the last one, unstored
    source: vec4<u32>,
}

fn tile_of(index: u32) -> Tile {
    let quads = params.units / 4u;
    let tile = index / quads;
    let first_row = tile * 4u;
    let count = min(4u, params.rows - first_row);
    let rows = vec4(first_row) + min(vec4(0u, 1u, 2u, 3u), vec4(count - 1u));
    return Tile(index - tile * quads, first_row, count, rows * params.stride + params.first);
}

// The sums of row `r` of the tile before this step.
fn begun(tile: Tile, r: u32) -> vec4<f32> {
    if params.continues == 0u {
        return vec4(0.0);
    }
    let row = tile.first_row + min(r, tile.count - 1u);
    return output4[row * (params.units / 4u) + tile.quad];
}

fn store(tile: Tile, sum0: vec4<f32>, sum1: vec4<f32>, sum2: vec4<f32>, sum3: vec4<f32>) {
    let quads = params.units / 4u;
    var shift = vec4(0.0);
    if params.has_bias != 0u {
        shift = bias4[tile.quad];
    }
    // A loop, so that the epilogue is compiled once; the sums are picked without indexing,
    // which would move them from registers to memory.
    for (var r = 0u; r < tile.count; r++) {
        let sum = select(select(sum3, sum2, r == 2u), select(sum1, sum0, r == 0u), r < 2u);
        let quad = (tile.first_row + r) * quads + tile.quad;
        output4[quad] = finish4(quad, sum + shift);
    }
}

// One thread computes four units of four rows. U is a multiple of 4.
@compute @workgroup_size(WORKGROUP_SIZE)
fn columns4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let tile = tile_of(index);
    let quads = params.units / 4u;

    var sum0 = begun(tile, 0u);
    var sum1 = begun(tile, 1u);
    var sum2 = begun(tile, 2u);
    var sum3 = begun(tile, 3u);
    var weight = tile.quad;
    for (var k = 0u; k < params.inputs; k++) {
        let w = kernel4[weight];
        sum0 = fma(vec4(input[tile.source.x + k]), w, sum0);
        sum1 = fma(vec4(input[tile.source.y + k]), w, sum1);
        sum2 = fma(vec4(input[tile.source.z + k]), w, sum2);
        sum3 = fma(vec4(input[tile.source.w + k]), w, sum3);
        weight += quads;
    }
    store(tile, sum0, sum1, sum2, sum3);
}

// As columns4, taking inputs in fours. K, the stride and the first input are multiples of 4 too.
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
    let quads = params.units / 4u;

    var sum0 = begun(tile, 0u);
    var sum1 = begun(tile, 1u);
    var sum2 = begun(tile, 2u);
    var sum3 = begun(tile, 3u);
    var weight = tile.quad;
    let source = tile.source / 4u;
    for (var k = 0u; k < params.inputs / 4u; k++) {
        let w0 = kernel4[weight];
        let w1 = kernel4[weight + quads];
        let w2 = kernel4[weight + 2u * quads];
        let w3 = kernel4[weight + 3u * quads];
        sum0 = multiply_add4(input4[source.x + k], w0, w1, w2, w3, sum0);
        sum1 = multiply_add4(input4[source.y + k], w0, w1, w2, w3, sum1);
        sum2 = multiply_add4(input4[source.z + k], w0, w1, w2, w3, sum2);
        sum3 = multiply_add4(input4[source.w + k], w0, w1, w2, w3, sum3);
        weight += 4u * quads;
    }
    store(tile, sum0, sum1, sum2, sum3);
}
