// Element-wise functions of two operands, but for those that combine_rare.wgsl adds. The numbers are
// those of `code` in src/kernels/binary.rs.
//
// A comparison gives 1 or 0, and 0 where an operand is NaN. To a logical function whatever is
// not zero is true, NaN too.
//! uses exponential

const ADD: u32 = 0u;
const MULTIPLY: u32 = 1u;
const SUBTRACT: u32 = 2u;
const DIVIDE: u32 = 3u;
const MINIMUM: u32 = 4u;
const MAXIMUM: u32 = 5u;
const P_RELU: u32 = 6u;
// From here on results are 0 or 1.
const EQUAL: u32 = 16u;
const GREATER: u32 = 17u;
const GREATER_EQUAL: u32 = 18u;
const LESS: u32 = 19u;
const LESS_EQUAL: u32 = 20u;
const LOGICAL_AND: u32 = 21u;
const LOGICAL_OR: u32 = 22u;
const LOGICAL_XOR: u32 = 23u;

// By its bits: NaN and subnormal numbers are not zero.
fn is_true(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}

fn decide(kind: u32, a: f32, b: f32) -> bool {
    let ordered = !(is_nan(a) || is_nan(b));
    switch kind {
        case EQUAL: { return ordered && a == b; }
        case GREATER: { return ordered && a > b; }
        case GREATER_EQUAL: { return ordered && a >= b; }
        case LESS: { return ordered && a < b; }
        case LESS_EQUAL: { return ordered && a <= b; }
        case LOGICAL_AND: { return is_true(a) && is_true(b); }
        case LOGICAL_OR: { return is_true(a) || is_true(b); }
        default: { return is_true(a) != is_true(b); }
    }
}

fn combine(kind: u32, a: f32, b: f32) -> f32 {
    if !ALL_FUNCTIONS {
        return combine_common(kind, vec4(a), vec4(b)).x;
    }
    if kind >= EQUAL {
        return select(0.0, 1.0, decide(kind, a, b));
    }
    switch kind {
        case MULTIPLY: { return a * b; }
        case SUBTRACT: { return a - b; }
        case DIVIDE: { return a / b; }
        // Of two numbers where one is NaN that one, as NumPy's minimum and maximum.
        case MINIMUM: { return select(b, a, is_nan(a) || (a <= b && !is_nan(b))); }
        case MAXIMUM: { return select(b, a, is_nan(a) || (a >= b && !is_nan(b))); }
        case P_RELU: { return select(a, b * a, a < 0.0 && !is_nan(a)); }
        default: { return a + b; }
    }
}

// The functions that every kernel has, four at once.
fn combine_common(kind: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    switch kind {
        case MULTIPLY: { return a * b; }
        case SUBTRACT: { return a - b; }
        case DIVIDE: { return a / b; }
        default: { return a + b; }
    }
}

// Four at once; those that networks use most without the loop.
fn combine4(kind: u32, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    if !ALL_FUNCTIONS || kind <= DIVIDE {
        return combine_common(kind, a, b);
    }
    var left = a;
    var right = b;
    for (var i = 0u; i < 4u; i++) {
        left = vec4(left.yzw, combine(kind, left.x, right.x));
        right = right.yzwx;
    }
    return left;
}
