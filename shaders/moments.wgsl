// moments: of each row its mean and 1 / (sqrt(variance + epsilon) + floor), or one of the two.
//
// The variance is the mean of the squared distances from the mean, never a difference of two large
// numbers. The mean is found in two rounds: from the first element, then from the first round's
// result, so that a mean of 10^4 loses nothing of a variance of 1. Without centering the mean is
// 0, and the variance is the mean square.

struct Params {
    // rows, or 64 times as many where a workgroup shares a row
    threads: u32,
    terms: u32,
    epsilon: f32,
    floor: f32,
    is_centered: u32,
    // both, or one
    part: u32,
    kept1: u32,
    kept2: u32,
    kept_stride0: u32,
    kept_stride1: u32,
    kept_stride2: u32,
    run1: u32,
    run2: u32,
    run_stride0: u32,
    run_stride1: u32,
    run_stride2: u32,
}

const BOTH: u32 = 0u;
const MEAN: u32 = 1u;

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (K0, R0, K1, R1, K2, R2) or (R0, K0, ...)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (K0, K1, K2, 2), or without the 2

fn write_row(row: u32, mean: f32, variance: f32) {
    let inverse = 1.0 / (sqrt(variance + params.epsilon) + params.floor);
    if params.part == BOTH {
        output[2u * row] = mean;
        output[2u * row + 1u] = inverse;
    } else {
        output[row] = select(inverse, mean, params.part == MEAN);
    }
}

// One thread computes one row.
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
    let start = row_start(row);
    let count = f32(params.terms);
    var mean = 0.0;
    if params.is_centered != 0u {
        mean = input[start];
        for (var turn = 0u; turn < 2u; turn++) {
            mean += merge_row(SUM, start, 0.0, mean) / count;
        }
    }
    write_row(row, mean, merge_row(SUM_SQUARES, start, 0.0, mean) / count);
}

// A workgroup computes one row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn shared_row(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= params.threads / WORKGROUP_SIZE {
        return;
    }
    let start = row_start(row);
    let count = f32(params.terms);
    var mean = 0.0;
    if params.is_centered != 0u {
        mean = input[start];
        for (var turn = 0u; turn < 2u; turn++) {
            mean += group_merge(SUM, local, merge_share(SUM, start, local, 0.0, mean)) / count;
        }
    }
    let squares = merge_share(SUM_SQUARES, start, local, 0.0, mean);
    let variance = group_merge(SUM, local, squares) / count;
    if local == 0u {
        write_row(row, mean, variance);
    }
}
