// What the functions of two operands are made of; src/ops/elementwise/functions.rs has the functions.
//! uses binary, activate, exponential

fn are_numbers(a: f32, b: f32) -> bool {
    return !(is_nan(a) || is_nan(b));
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
