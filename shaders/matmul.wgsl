// matmul: output[b, r, c] = a(alpha * sum over k of left[b, r, k] * right[b, k, c] + beta * addend[r, c])
//
// with a the stages of an epilogue. The output is in C order; the operands are walked by strides, so
// that a transposed matrix, and one that is the same for the whole batch, need no copy. The batch has
// up to four axes.

struct Params {
    threads: u32,
    rows: u32,
    inner: u32,
    columns: u32,
    // lengths of the batch's axes behind the first
    batch1: u32,
    batch2: u32,
    batch3: u32,
    // elements from one number to the next along each axis
    left_batch0: u32,
    left_batch1: u32,
    left_batch2: u32,
    left_batch3: u32,
    left_row: u32,
    left_inner: u32,
    right_batch0: u32,
    right_batch1: u32,
    right_batch2: u32,
    right_batch3: u32,
    right_inner: u32,
    right_column: u32,
    addend_row: u32,
    addend_column: u32,
    has_addend: u32,
    alpha: f32,
    beta: f32,
    epilogue: Epilogue,
}

@group(0) @binding(0) var<uniform>             params:  Params;
@group(0) @binding(1) var<storage, read>       left:    array<f32>;       // (B, R, K) by strides
@group(0) @binding(2) var<storage, read>       right:   array<f32>;       // (B, K, C) by strides
@group(0) @binding(3) var<storage, read>       addend:  array<f32>;       // (R, C) by strides, or the right again
@group(0) @binding(4) var<storage, read_write> output:  array<f32>;       // (B, R, C)
@group(0) @binding(5) var<storage, read>       extra:   array<f32>;       // (P), or the left again
// the same buffers, four numbers at a time
@group(0) @binding(1) var<storage, read>       left4:   array<vec4<f32>>;
@group(0) @binding(2) var<storage, read>       right4:  array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output4: array<vec4<f32>>; // (B, R, C / 4)

// Where the matrices of the batch's item begin: the left one, and the right one.
fn begin(item: u32) -> vec2<u32> {
    let third = item / params.batch3;
    let second = third / params.batch2;
    let first = second / params.batch1;
    let b3 = item - third * params.batch3;
    let b2 = third - second * params.batch2;
    let b1 = second - first * params.batch1;
    return first * vec2(params.left_batch0, params.right_batch0)
        + b1 * vec2(params.left_batch1, params.right_batch1)
        + b2 * vec2(params.left_batch2, params.right_batch2)
        + b3 * vec2(params.left_batch3, params.right_batch3);
}

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
    let line = index / params.columns;
    let column = index - line * params.columns;
    let item = line / params.rows;
    let row = line - item * params.rows;
    let first = begin(item);

    var sum = 0.0;
    var source = first.x + row * params.left_row;
    var weight = first.y + column * params.right_column;
    for (var k = 0u; k < params.inner; k++) {
        sum = fma(left[source], right[weight], sum);
        source += params.left_inner;
        weight += params.right_inner;
    }
    sum *= params.alpha;
    if params.has_addend != 0u {
        sum += params.beta * addend[row * params.addend_row + column * params.addend_column];
    }
    output[index] = finish(index, sum);
}

// Four rows and four columns.
struct Tile {
    quad: u32,
    first_row: u32,
    // rows that exist
    count: u32,
    // the output's first row, counted over the batch
    line: u32,
    // where each row begins in the left operand; rows past the end repeat the last one, unstored
    source: vec4<u32>,
    // where the right matrix begins
    right: u32,
}

fn tile_of(index: u32) -> Tile {
    let quads = params.columns / 4u;
    let tiles = (params.rows + 3u) / 4u;
    let tile = index / quads;
    let item = tile / tiles;
    let first = begin(item);
    let first_row = (tile - item * tiles) * 4u;
    let count = min(4u, params.rows - first_row);
    let rows = vec4(first_row) + min(vec4(0u, 1u, 2u, 3u), vec4(count - 1u));
    let line = item * params.rows + first_row;
    return Tile(index - tile * quads, first_row, count, line, first.x + rows * params.left_row, first.y);
}

fn store(tile: Tile, sum0: vec4<f32>, sum1: vec4<f32>, sum2: vec4<f32>, sum3: vec4<f32>) {
    let quads = params.columns / 4u;
    let columns = (vec4(tile.quad * 4u) + vec4(0u, 1u, 2u, 3u)) * params.addend_column;
    // A loop, so that the epilogue is compiled once; the sums are picked without indexing,
    // which would move them from registers to memory.
    for (var r = 0u; r < tile.count; r++) {
        var sum = select(select(sum3, sum2, r == 2u), select(sum1, sum0, r == 0u), r < 2u);
        sum *= params.alpha;
        if params.has_addend != 0u {
            let at = (tile.first_row + r) * params.addend_row + columns;
            sum += params.beta * vec4(addend[at.x], addend[at.y], addend[at.z], addend[at.w]);
        }
        let quad = (tile.line + r) * quads + tile.quad;
        output4[quad] = finish4(quad, sum);
    }
}

// One thread computes four columns of four rows. C is a multiple of 4, and the right operand's
// columns lie behind one another.
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

    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    var source = tile.source;
    var weight = tile.right / 4u + tile.quad;
    for (var k = 0u; k < params.inner; k++) {
        let w = right4[weight];
        sum0 = fma(vec4(left[source.x]), w, sum0);
        sum1 = fma(vec4(left[source.y]), w, sum1);
        sum2 = fma(vec4(left[source.z]), w, sum2);
        sum3 = fma(vec4(left[source.w]), w, sum3);
        source += vec4(params.left_inner);
        weight += params.right_inner / 4u;
    }
    store(tile, sum0, sum1, sum2, sum3);
}

// As columns4, where both operands have the inner axis' numbers behind one another: the right
// matrix is transposed. K is a multiple of 4 too.
@compute @workgroup_size(WORKGROUP_SIZE)
fn inner4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index >= params.threads {
        return;
    }
    let tile = tile_of(index);

    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    let source = tile.source / 4u;
    let columns = vec4(tile.quad * 4u) + vec4(0u, 1u, 2u, 3u);
    let weight = (tile.right + columns * params.right_column) / 4u;
    for (var k = 0u; k < params.inner / 4u; k++) {
        let turned = transpose(mat4x4<f32>(
            right4[weight.x + k],
            right4[weight.y + k],
            right4[weight.z + k],
            right4[weight.w + k],
        ));
        sum0 = multiply_add4(left4[source.x + k], turned[0], turned[1], turned[2], turned[3], sum0);
        sum1 = multiply_add4(left4[source.y + k], turned[0], turned[1], turned[2], turned[3], sum1);
        sum2 = multiply_add4(left4[source.z + k], turned[0], turned[1], turned[2], turned[3], sum2);
        sum3 = multiply_add4(left4[source.w + k], turned[0], turned[1], turned[2], turned[3], sum3);
    }
    store(tile, sum0, sum1, sum2, sum3);
}
