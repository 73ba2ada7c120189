// cumsum: output[o, l, i] = the sum of input[o, j, i] over j from 0 to l; without j = l where it is
// exclusive, over j from l to the end where it is reverse.
//
// What blocks of 64 terms sum to is added to what stands before them, so that no term is rounded
// as often as a line is long.
//! uses thread

struct Params {
    // lines
    threads: u32,
    length: u32,
    inner: u32,
    exclusive: u32,
    reverse: u32,
}

@group(0) @binding(0) var<uniform>             params: Params;
@group(0) @binding(1) var<storage, read>       input:  array<f32>; // (O, L, I)
@group(0) @binding(2) var<storage, read_write> output: array<f32>; // (O, L, I)

const BLOCK: u32 = 64u;

// One thread computes one line (o, i).
@compute @workgroup_size(WORKGROUP_SIZE)
fn general(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let line = thread_index(group, groups, local);
    if line >= params.threads {
        return;
    }
    var at = line / params.inner * params.length * params.inner + line % params.inner;
    var stride = params.inner;
    if params.reverse != 0u {
        at += (params.length - 1u) * stride;
        // Backwards: u32 wraps.
        stride = 0u - stride;
    }
    var before = 0.0;
    var sum = 0.0;
    for (var t = 0u; t < params.length; t++) {
        if t % BLOCK == 0u {
            before += sum;
            sum = 0.0;
        }
        let included = sum + input[at];
        output[at] = before + select(included, sum, params.exclusive != 0u);
        sum = included;
        at += stride;
    }
}
