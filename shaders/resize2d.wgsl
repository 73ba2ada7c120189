// resize2d: output[n, y, x, c] = sum over i, j of row[y, i] * column[x, j] * input[n, y_i, x_j, c]
//
// Images are (batch, height, width, channels), or any value seen so. Which pixels y_i, x_j and which weights belong
// to an output row or column was computed on the host, in exact arithmetic; it is read here
// from `table`, first for every output row, then for every output column:
//
//   nearest: the index of the input row or column, OUTSIDE for none
//   taps:    start index, tap count, then the weights (f32 bits), padded to a fixed length
//
// A row or column without a place in the input (no taps) gives the extrapolation value.
// Only `tap count` weights are used: a padding weight times an infinite pixel would be NaN.
//
// The entries with a 4 in their names take four channels at a time; for them `channels` is C / 4.
// An epilogue is applied to each result.

struct Params {
    threads: u32,
    input_height: u32,
    input_width: u32,
    channels: u32,
    output_height: u32,
    output_width: u32,
    // numbers in the table for one row, and for one column
    row_entry: u32,
    column_entry: u32,
    extrapolation_value: f32,
    epilogue: Epilogue,
}

const OUTSIDE: u32 = 0xffffffffu;

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       table:  array<u32>; // (OH * row_entry + OW * column_entry)
@group(0) @binding(2) var<storage, read>       input:  array<f32>; // (N, H, W, C)
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // (N, OH, OW, C)
@group(0) @binding(4) var<storage, read>       extra:  array<f32>; // (P), or the input again
// the same buffers, four channels at a time
@group(0) @binding(2) var<storage, read>       input4:  array<vec4<f32>>; // (N, H, W, C / 4)
@group(0) @binding(3) var<storage, read_write> output4: array<vec4<f32>>; // (N, OH, OW, C / 4)

struct Place {
    channel: u32,
    // the image's first input row, as a number of rows
    first_row: u32,
    // where the output row's and column's entries begin
    row: u32,
    column: u32,
}

fn place(index: u32) -> Place {
    let pixel = index / params.channels;
    let line = pixel / params.output_width;
    let image = line / params.output_height;
    let y = line - image * params.output_height;
    let x = pixel - line * params.output_width;
    return Place(
        index - pixel * params.channels,
        image * params.input_height,
        y * params.row_entry,
        params.output_height * params.row_entry + x * params.column_entry,
    );
}

// Whether the row or column of a nearest pixel has no place in the input.
fn is_outside(at: Place) -> bool {
    return table[at.row] == OUTSIDE || table[at.column] == OUTSIDE;
}

fn nearest_at(index: u32) -> f32 {
    let at = place(index);
    if is_outside(at) {
        return params.extrapolation_value;
    }
    let pixel = (at.first_row + table[at.row]) * params.input_width + table[at.column];
    return input[pixel * params.channels + at.channel];
}

fn nearest4_at(index: u32) -> vec4<f32> {
    let at = place(index);
    if is_outside(at) {
        return vec4(params.extrapolation_value);
    }
    let pixel = (at.first_row + table[at.row]) * params.input_width + table[at.column];
    return input4[pixel * params.channels + at.channel];
}

fn taps_at(index: u32) -> f32 {
    let at = place(index);
    let row_count = table[at.row + 1u];
    let column_count = table[at.column + 1u];
    let corner = (at.first_row + table[at.row]) * params.input_width + table[at.column];

    var sum = 0.0;
    for (var i = 0u; i < row_count; i++) {
        var source = (corner + i * params.input_width) * params.channels + at.channel;
        var line = 0.0;
        for (var j = 0u; j < column_count; j++) {
            line += bitcast<f32>(table[at.column + 2u + j]) * input[source];
            source += params.channels;
        }
        sum += bitcast<f32>(table[at.row + 2u + i]) * line;
    }
    return select(sum, params.extrapolation_value, row_count == 0u || column_count == 0u);
}

fn taps4_at(index: u32) -> vec4<f32> {
    let at = place(index);
    let row_count = table[at.row + 1u];
    let column_count = table[at.column + 1u];
    let corner = (at.first_row + table[at.row]) * params.input_width + table[at.column];

    var sum = vec4(0.0);
    for (var i = 0u; i < row_count; i++) {
        var source = (corner + i * params.input_width) * params.channels + at.channel;
        var line = vec4(0.0);
        for (var j = 0u; j < column_count; j++) {
            line += bitcast<f32>(table[at.column + 2u + j]) * input4[source];
            source += params.channels;
        }
        sum += bitcast<f32>(table[at.row + 2u + i]) * line;
    }
    let is_outside = row_count == 0u || column_count == 0u;
    return select(sum, vec4(params.extrapolation_value), is_outside);
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn nearest(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, nearest_at(index));
    }
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn nearest4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output4[index] = finish4(index, nearest4_at(index));
    }
}

// One thread computes one element.
@compute @workgroup_size(WORKGROUP_SIZE)
fn taps(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output[index] = finish(index, taps_at(index));
    }
}

// One thread computes four channels.
@compute @workgroup_size(WORKGROUP_SIZE)
fn taps4(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = thread_index(group, groups, local);
    if index < params.threads {
        output4[index] = finish4(index, taps4_at(index));
    }
}
