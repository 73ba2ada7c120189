// reduce: one number for each row, a row being what the reduced axes span.
//
// Values: finish(merge over the row), with the terms and merges of shared/rows.wgsl and finish one
// of none, / terms, sqrt, log. Before log(sum of exp(x - m)), m is the row's maximum. Positions: the
// row's largest or smallest element m, NaN being both, then the first or the last place of it.

struct Params {
    // results, or 64 times as many where a workgroup shares a row
    threads: u32,
    terms: u32,
    // what finds m, or NOTHING, and m of no terms
    before: u32,
    before_identity: f32,
    // how terms are merged, the result of no terms, and what is done with it
    kind: u32,
    identity: f32,
    finish: u32,
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

const NOTHING: u32 = 100u;

const DIVIDE: u32 = 1u;
const ROOT: u32 = 2u;
const LOGARITHM: u32 = 3u;

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (K0, R0, K1, R1, K2, R2) or (R0, K0, ...)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (K0, K1, K2)

// What is subtracted before exp: an infinite maximum is left in, where exp and log bring it back.
fn shift_of(m: f32) -> f32 {
    let is_finite = (bitcast<u32>(m) & 0x7fffffffu) < 0x7f800000u;
    return select(m, 0.0, params.kind == SUM_EXPONENTIALS && !is_finite);
}

fn finished(value: f32, m: f32) -> f32 {
    switch params.finish {
        case DIVIDE: { return value / f32(max(params.terms, 1u)); }
        case ROOT: { return sqrt(value); }
        case LOGARITHM: { return logarithm(value) + m; }
        default: { return value; }
    }
}

// One thread computes one result.
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
    var m = 0.0;
    if params.before != NOTHING {
        m = shift_of(merge_row(params.before, start, params.before_identity, 0.0));
    }
    output[row] = finished(merge_row(params.kind, start, params.identity, m), m);
}

// A workgroup computes one result.
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
    var m = 0.0;
    if params.before != NOTHING {
        let own = merge_share(params.before, start, local, params.before_identity, 0.0);
        m = shift_of(group_merge(params.before, local, own));
    }
    let own = merge_share(params.kind, start, local, params.identity, m);
    let whole = group_merge(params.kind, local, own);
    if local == 0u {
        output[row] = finished(whole, m);
    }
}
