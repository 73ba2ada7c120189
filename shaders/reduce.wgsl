// reduce: one number for each row, a row being what the reduced axes span.
//
// Values: finish(merge of f(x) over the row), with f one of x, |x|, x^2, exp(x - m), merge one of
// sum, maximum, minimum, product, and finish one of none, / count, sqrt, log. Positions: the place
// of the row's largest or smallest element, of equal ones the first or the last, of NaN too.
//
// Sums go in blocks of 64 terms, so a term passes at most 64 + terms / 64 roundings.

struct Params {
    // results, or 64 times as many where a workgroup shares a row
    threads: u32,
    // terms of a row
    terms: u32,
    // how terms are merged, and what is done with the result
    kind: u32,
    finish: u32,
    // the result of no terms
    identity: f32,
    kept1: u32,
    kept2: u32,
    kept_stride0: u32,
    kept_stride1: u32,
    kept_stride2: u32,
    run1: u32,
    run2: u32,
    run_stride: u32,
    run_carry1: u32,
    run_carry0: u32,
}

const DIVIDE: u32 = 1u;
const ROOT: u32 = 2u;
const LOG: u32 = 3u;

const SMALLEST_POSITION: u32 = 1u;
const LAST_POSITION: u32 = 2u;

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (K0, R0, K1, R1, K2, R2), or R0 first
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (K0, K1, K2)

// f(x); shift is m.
fn term(kind: u32, x: f32, shift: f32) -> f32 {
    switch kind {
        case SUM_ABSOLUTE: { return abs(x); }
        case SUM_SQUARES: { return x * x; }
        case SUM_EXPONENTIALS: { return exponential(x - shift); }
        default: { return x; }
    }
}

fn finished(value: f32, shift: f32) -> f32 {
    switch params.finish {
        case DIVIDE: { return value / f32(max(params.terms, 1u)); }
        case ROOT: { return sqrt(value); }
        case LOG: { return logarithm(value) + shift; }
        default: { return value; }
    }
}

// The maximum to subtract before exp; an infinite one is left in, where exp and log bring it back.
fn shift_of(maximum: f32) -> f32 {
    return select(maximum, 0.0, (bitcast<u32>(maximum) & 0x7fffffffu) >= 0x7f800000u);
}

// Merges a whole row.
fn merge_row(kind: u32, start: u32, identity: f32, shift: f32) -> f32 {
    var whole = identity;
    var place = Place(start, 0u, 0u);
    for (var done = 0u; done < params.terms; done += 64u) {
        let count = min(64u, params.terms - done);
        var block = term(kind, input[place.at], shift);
        place = advance(place);
        for (var t = 1u; t < count; t++) {
            block = merge(kind, block, term(kind, input[place.at], shift));
            place = advance(place);
        }
        whole = merge(kind, whole, block);
    }
    return whole;
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
    var shift = 0.0;
    if params.kind == SUM_EXPONENTIALS {
        shift = shift_of(merge_row(MAXIMUM, start, -3.40282347e38, 0.0));
    }
    output[row] = finished(merge_row(params.kind, start, params.identity, shift), shift);
}

// Merges every 64th term of a row with one reduced run.
fn merge_share(kind: u32, start: u32, local: u32, identity: f32, shift: f32) -> f32 {
    var whole = identity;
    for (var done = local; done < params.terms; done += 4096u) {
        let end = min(done + 4096u, params.terms);
        var block = term(kind, input[start + done * params.run_stride], shift);
        for (var t = done + 64u; t < end; t += 64u) {
            block = merge(kind, block, term(kind, input[start + t * params.run_stride], shift));
        }
        whole = merge(kind, whole, block);
    }
    return whole;
}

// A workgroup computes one result.
@compute @workgroup_size(WORKGROUP_SIZE)
fn shared_row(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = group.y * groups.x + group.x;
    if row >= params.threads / 64u {
        return;
    }
    let start = row_start(row);
    var shift = 0.0;
    if params.kind == SUM_EXPONENTIALS {
        let own = merge_share(MAXIMUM, start, local, -3.40282347e38, 0.0);
        shift = shift_of(group_merge(MAXIMUM, local, own));
    }
    let own = merge_share(params.kind, start, local, params.identity, shift);
    let whole = group_merge(params.kind, local, own);
    if local == 0u {
        output[row] = finished(whole, shift);
    }
}

// One thread finds one position, counted along the one reduced run.
@compute @workgroup_size(WORKGROUP_SIZE)
fn position(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = thread_index(group, groups, local);
    if row >= params.threads {
        return;
    }
    var at = row_start(row);
    let is_smallest = (params.kind & SMALLEST_POSITION) != 0u;
    let takes_last = (params.kind & LAST_POSITION) != 0u;
    var best = input[at];
    var best_at = 0u;
    for (var t = 1u; t < params.terms; t++) {
        at += params.run_stride;
        let x = input[at];
        // A NaN goes before every number, and equals another NaN.
        var is_better = select(x > best, x < best, is_smallest);
        var is_equal = x == best;
        if is_nan(x) || is_nan(best) {
            is_better = !is_nan(best);
            is_equal = is_nan(x) && is_nan(best);
        }
        if is_better || (takes_last && is_equal) {
            best = x;
            best_at = t;
        }
    }
    output[row] = f32(best_at);
}
