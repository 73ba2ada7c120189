// softmax: output[o, l, i] = exp(input[o, l, i] - m) / sum over l of exp(input[o, l, i] - m),
// with m the maximum of input[o, :, i]; its logarithm; or hardmax, which is 1 at the first m.
//
// For softmax and its logarithm a row with NaN, +inf, or nothing but -inf is all NaN, as in
// NumPy; hardmax takes a NaN for the maximum.

struct Params {
    // rows, or 64 times as many where a workgroup shares a row
    threads: u32,
    function: u32,
    terms: u32,
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

const SOFTMAX: u32 = 0u;
const LOG_SOFTMAX: u32 = 1u;
const HARDMAX: u32 = 2u;

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (O, L, I)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (O, L, I)

// Softmax: one thread computes one row (o, i).
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
    let first = row_start(row);

    var maximum = input[first];
    var at = first;
    for (var t = 1u; t < params.terms; t++) {
        at += params.run_stride2;
        maximum = max(maximum, input[at]);
    }

    var sum = 0.0;
    at = first;
    for (var t = 0u; t < params.terms; t++) {
        let e = exponential(input[at] - maximum);
        output[at] = e;
        sum += e;
        at += params.run_stride2;
    }

    at = first;
    for (var t = 0u; t < params.terms; t++) {
        output[at] = output[at] / sum;
        at += params.run_stride2;
    }
}

// The kind of what a function needs of a row besides its maximum.
fn second_kind() -> u32 {
    return select(SUM_EXPONENTIALS, FIRST, params.function == HARDMAX);
}

// The result at position t of a row with maximum m; found is the sum, or the position of m.
fn result(t: u32, x: f32, m: f32, found: f32) -> f32 {
    switch params.function {
        case LOG_SOFTMAX: { return (x - m) - found; }
        case HARDMAX: { return select(0.0, 1.0, f32(t) == found); }
        default: { return exponential(x - m) / found; }
    }
}

// Log-softmax and hardmax: one thread computes one row.
@compute @workgroup_size(WORKGROUP_SIZE)
fn others(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if row >= params.threads {
        return;
    }
    let start = row_start(row);
    let m = merge_row(MAXIMUM, start, input[start], 0.0);
    let identity = select(0.0, 3.40282347e38, params.function == HARDMAX);
    var found = merge_row(second_kind(), start, identity, m);
    if params.function == LOG_SOFTMAX {
        found = logarithm(found);
    }
    for (var t = 0u; t < params.terms; t++) {
        let at = row_at(start, t);
        output[at] = result(t, input[at], m, found);
    }
}

fn write_at(start: u32, t: u32, m: f32, found: f32) {
    if t < params.terms {
        let at = row_at(start, t);
        output[at] = result(t, input[at], m, found);
    }
}

// Writes four results of a row, from t on.
fn write4(start: u32, t: u32, m: f32, found: f32) {
    write_at(start, t, m, found);
    write_at(start, t + 64u, m, found);
    write_at(start, t + 128u, m, found);
    write_at(start, t + 192u, m, found);
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
    let own = merge_share(MAXIMUM, start, local, input[start], 0.0);
    let m = group_merge(MAXIMUM, local, own);
    let kind = second_kind();
    let identity = select(0.0, 3.40282347e38, params.function == HARDMAX);
    var found = group_merge(kind, local, merge_share(kind, start, local, identity, m));
    if params.function == LOG_SOFTMAX {
        found = logarithm(found);
    }
    // 16 at a time, as merge_share reads them, and for the same reason.
    for (var t = local; t < params.terms; t += 1024u) {
        write4(start, t, m, found);
        write4(start, t + 256u, m, found);
        write4(start, t + 512u, m, found);
        write4(start, t + 768u, m, found);
    }
}
