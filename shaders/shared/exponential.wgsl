// exp and expm1 with an error of about 2 units in the last place on every device.
//
// WGSL allows its own exp an error that grows with |x|, and has no expm1. Here
//     x = k * ln 2 + r,  |r| <= ln 2 / 2,  exp(x) = 2^k * (1 + expm1(r))
// with expm1(r) = r + r^2 * Q(r), Q a minimax polynomial (relative error 1.4e-8).

struct Reduced {
    // k, a whole number within [-150, 128]
    power: i32,
    // expm1(r)
    fraction: f32,
}

// By its bits: a compiler may assume that no float is NaN, and fold `x != x` away.
fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// 2^power for a power within [-126, 127].
fn power_of_two(power: i32) -> f32 {
    return bitcast<f32>(u32(power + 127) << 23u);
}

fn reduce(x: f32) -> Reduced {
    // Beyond these bounds the result is 0 or infinity anyway.
    let bounded = clamp(x, -104.0, 89.0);
    let k = round(bounded * 1.44269504);
    // ln 2 in two parts, the first short enough for an exact product with k.
    let r = (bounded - k * 0.693359375) + k * 2.12194440e-4;
    let q = 0.49999998 + r * (0.16666539 + r * (0.041667221 + r * (0.0083671733 + r * 0.0013882396)));
    return Reduced(i32(k), r + r * r * q);
}

// exp(x); NaN stays NaN, exp(-inf) is 0, exp(inf) is inf.
fn exponential(x: f32) -> f32 {
    let parts = reduce(x);
    // Two factors, as 2^k alone may be too small or too large where the product is neither.
    let half = parts.power / 2;
    let value = (1.0 + parts.fraction) * power_of_two(half) * power_of_two(parts.power - half);
    return select(value, x, is_nan(x));
}

// exp(x), and for x <= 0 also exp(x) - 1, without cancellation near 0. NaN stays NaN.
fn exponentials(x: f32) -> vec2<f32> {
    let parts = reduce(x);
    let half = parts.power / 2;
    let one = power_of_two(half);
    let other = power_of_two(parts.power - half);
    let scale = one * other;
    let both = vec2((1.0 + parts.fraction) * one * other, scale * parts.fraction + (scale - 1.0));
    return select(both, vec2(x), is_nan(x));
}
