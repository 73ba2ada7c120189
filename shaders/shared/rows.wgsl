// A row of an array made into one number: by one thread, or by the 64 of a workgroup.
//
// The row's elements are those that the reduced axes span. Neighboring axes of one kind arrive as
// one, so there are at most 3 runs of kept axes and 3 of reduced ones; missing runs stand in front
// with length 1. Of `params` these functions take terms (the row's length), kept1, kept2 and
// kept_stride0 ..2, run1, run2 and run_stride0 ..2; they read `input`.
//
// A kind says what each element x becomes, given a number m, and how the results are merged; the
// numbers are those of src/kernels/rows.rs.

const SUM: u32 = 0u; // x - m
const SUM_ABSOLUTE: u32 = 1u; // |x|
const SUM_SQUARES: u32 = 2u; // (x - m)^2
const SUM_EXPONENTIALS: u32 = 3u; // exp(x - m)
const MAXIMUM: u32 = 4u; // x; NaN wins
const MINIMUM: u32 = 5u; // x; NaN wins
const PRODUCT: u32 = 6u; // x
const FIRST: u32 = 7u; // the first position where x is m, or inf
const LAST: u32 = 8u; // the last position where x is m, or -1

fn are_nan(x: vec4<f32>) -> vec4<bool> {
    return (bitcast<vec4<u32>>(x) & vec4(0x7fffffffu)) > vec4(0x7f800000u);
}

// The first element of a row, counted over the kept axes.
fn row_start(row: u32) -> u32 {
    let rest = row / params.kept2;
    let k0 = rest / params.kept1;
    let k1 = rest - k0 * params.kept1;
    let k2 = row - rest * params.kept2;
    return k0 * params.kept_stride0 + k1 * params.kept_stride1 + k2 * params.kept_stride2;
}

// Element t of the row that begins at start.
fn row_at(start: u32, t: u32) -> u32 {
    if params.run2 == params.terms {
        return start + t * params.run_stride2;
    }
    let rest = t / params.run2;
    let i0 = rest / params.run1;
    let i1 = rest - i0 * params.run1;
    let i2 = t - rest * params.run2;
    return start + i0 * params.run_stride0 + i1 * params.run_stride1 + i2 * params.run_stride2;
}

// What four elements at positions t become.
fn terms4(kind: u32, x: vec4<f32>, m: f32, t: vec4<u32>) -> vec4<f32> {
    switch kind {
        case SUM: { return x - m; }
        case SUM_ABSOLUTE: { return abs(x); }
        case SUM_SQUARES: { return (x - m) * (x - m); }
        case SUM_EXPONENTIALS: {
            let d = x - m;
            return vec4(exponential(d.x), exponential(d.y), exponential(d.z), exponential(d.w));
        }
        case FIRST, LAST: {
            let none = select(-1.0, bitcast<f32>(0x7f7fffffu), kind == FIRST);
            let both_nan = are_nan(x) & vec4(is_nan(m));
            return select(vec4(none), vec4<f32>(t), (x == vec4(m)) | both_nan);
        }
        default: { return x; }
    }
}

fn merge4(kind: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    switch kind {
        case MAXIMUM: { return select(select(max(a, b), b, are_nan(b)), a, are_nan(a)); }
        case MINIMUM: { return select(select(min(a, b), b, are_nan(b)), a, are_nan(a)); }
        case PRODUCT: { return a * b; }
        case FIRST: { return min(a, b); }
        case LAST: { return max(a, b); }
        default: { return a + b; }
    }
}

fn merge(kind: u32, a: f32, b: f32) -> f32 {
    return merge4(kind, vec4(a), vec4(b)).x;
}

// One thread's row. Blocks of 64 terms: one passes at most 64 + terms / 64 merges.
fn merge_row(kind: u32, start: u32, identity: f32, m: f32) -> f32 {
    var whole = identity;
    for (var done = 0u; done < params.terms; done += 64u) {
        let end = min(done + 64u, params.terms);
        var block = terms4(kind, vec4(input[row_at(start, done)]), m, vec4(done)).x;
        for (var t = done + 1u; t < end; t++) {
            let x = terms4(kind, vec4(input[row_at(start, t)]), m, vec4(t)).x;
            block = merge(kind, block, x);
        }
        whole = merge(kind, whole, block);
    }
    return whole;
}

fn share4(kind: u32, start: u32, first: u32, m: f32) -> vec4<f32> {
    let t = vec4(first) + vec4(0u, 64u, 128u, 192u);
    let x = vec4(
        input[row_at(start, t.x)],
        input[row_at(start, t.y)],
        input[row_at(start, t.z)],
        input[row_at(start, t.w)],
    );
    return terms4(kind, x, m, t);
}

// One thread's share of a row: every 64th term, 16 of them at a time, which keeps 16 reads under way
// and the loop short: llvmpipe ends all loops of a thread after 65535 turns together. Blocks of
// 16 turns: one passes at most 16 + terms / 16384 merges of each of the four lanes.
fn merge_share(kind: u32, start: u32, local: u32, identity: f32, m: f32) -> f32 {
    var whole = vec4(identity);
    var block = vec4(identity);
    var turns = 0u;
    var t = local;
    for (; t + 960u < params.terms; t += 1024u) {
        let low = merge4(kind, share4(kind, start, t, m), share4(kind, start, t + 256u, m));
        let high =
            merge4(kind, share4(kind, start, t + 512u, m), share4(kind, start, t + 768u, m));
        block = merge4(kind, block, merge4(kind, low, high));
        turns++;
        if turns == 16u {
            whole = merge4(kind, whole, block);
            block = vec4(identity);
            turns = 0u;
        }
    }
    for (; t < params.terms; t += 64u) {
        let x = terms4(kind, vec4(input[row_at(start, t)]), m, vec4(t)).x;
        block.x = merge(kind, block.x, x);
    }
    let parts = merge4(kind, whole, block);
    let halves = merge4(kind, parts, parts.zwxy);
    return merge(kind, halves.x, halves.y);
}
