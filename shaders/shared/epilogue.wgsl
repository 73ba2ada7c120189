// What happens to each result before it is stored: element-wise stages, in order.
//
// A family with an epilogue has it as the last member of its parameters, `params.epilogue`,
// and binds the extra operand as `extra`. The numbers are those of src/kernels/epilogue.rs.
//! uses activate, combine

struct Epilogue {
    // stages in use, at most 4
    count: u32,
    // elements of the extra operand; result i meets element i % period
    period: u32,
    // below BINARY a number of `activate`, else BINARY (+ SWAPPED) + a number of `combine`
    kinds: vec4<u32>,
    alphas: vec4<f32>,
    betas: vec4<f32>,
}

// Whether stages can have every function that these files hold. Drivers that compute all that a
// kernel holds are slowed down by each, and others keep registers for them, so most kernels are
// compiled with `false` here: for linear, relu, clip, leaky relu and affine, and for addition,
// multiplication, subtraction and division.
const ALL_FUNCTIONS: bool = true;

const BINARY: u32 = 1024u;
const SWAPPED: u32 = 1024u;

// The number of `combine` that a stage of two operands has.
fn operation_of(kind: u32) -> u32 {
    return (kind - BINARY) % SWAPPED;
}

// One call for both orders of the operands: kernels have all of this inlined.
fn apply(kind: u32, alpha: f32, beta: f32, x: f32, other: f32) -> f32 {
    if kind < BINARY {
        return activate(kind, alpha, beta, x);
    }
    let swapped = kind >= BINARY + SWAPPED;
    return combine(operation_of(kind), select(x, other, swapped), select(other, x, swapped));
}

fn apply4(kind: u32, alpha: f32, beta: f32, x: vec4<f32>, other: vec4<f32>) -> vec4<f32> {
    if kind >= BINARY {
        let swapped = kind >= BINARY + SWAPPED;
        return combine4(operation_of(kind), select(x, other, swapped), select(other, x, swapped));
    }
    if !ALL_FUNCTIONS || kind <= AFFINE {
        return activate_common(kind, alpha, beta, x);
    }
    // A loop, so that the functions are compiled once; turning the vectors round needs no
    // indexing, which would move them from registers to memory.
    var y = x;
    for (var i = 0u; i < 4u; i++) {
        y = vec4(y.yzw, activate(kind, alpha, beta, y.x));
    }
    return y;
}

// Applies the stages to result number `index`.
fn finish(index: u32, value: f32) -> f32 {
    var result = value;
    for (var i = 0u; i < params.epilogue.count; i++) {
        let kind = params.epilogue.kinds[i];
        var other = 0.0;
        if kind >= BINARY {
            other = extra[index % params.epilogue.period];
        }
        result = apply(kind, params.epilogue.alphas[i], params.epilogue.betas[i], result, other);
    }
    return result;
}

// Applies the stages to the four results from number 4 * `quad` on.
fn finish4(quad: u32, value: vec4<f32>) -> vec4<f32> {
    var result = value;
    for (var i = 0u; i < params.epilogue.count; i++) {
        let kind = params.epilogue.kinds[i];
        var other = vec4(0.0);
        if kind >= BINARY {
            let period = vec4(params.epilogue.period);
            let at = (vec4(quad * 4u) + vec4(0u, 1u, 2u, 3u)) % period;
            other = vec4(extra[at.x], extra[at.y], extra[at.z], extra[at.w]);
        }
        result = apply4(kind, params.epilogue.alphas[i], params.epilogue.betas[i], result, other);
    }
    return result;
}
