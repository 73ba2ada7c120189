// What the functions of one operand are made of; src/ops/elementwise/functions.rs has the functions.
//
// At infinity each gives what its formula gives in IEEE arithmetic, as NumPy does (silu(-inf) is
// NaN). `e` is exp of an argument that is at most 0, so nothing overflows, and `m` is e - 1.
//! uses unary, exponential

// The value for |x|, of an odd function.
fn odd(x: f32, value: f32) -> f32 {
    return select(value, -value, x < 0.0);
}

fn truth(holds: bool) -> f32 {
    return select(0.0, 1.0, holds);
}

// By its bits: NaN and subnormal numbers are not zero.
fn is_true(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) != 0u;
}

// NaN, made of the bits of x.
fn quiet(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// log1p(e) = 2 atanh(s) with s = e / (2 + e) <= 1/3, by its series: WGSL's log may be off by
// 2^-21 near 1.
fn log_of_one_plus(e: f32) -> f32 {
    let s = e / (2.0 + e);
    let t = s * s;
    let tail = 0.33333333 + t * (0.2 + t * (0.14285714 + t * (0.11111111
        + t * (0.09090909 + t * 0.07692308))));
    return 2.0 * (s + s * t * tail);
}

// Phi(-a) = (1 - erf(a / sqrt 2)) / 2 for a >= 0 and e = exp(-a^2 / 2): e * t * P(t) with
// t = 1 / (1 + 0.35 a) and P a minimax polynomial, of relative error 3.2e-8 before rounding.
fn normal_tail(a: f32, e: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.35 * a);
    let p = 0.139621405 + t * (0.139861845 + t * (0.119833086 + t * (0.105506980
        + t * (-0.0231070057 + t * (0.159169402 + t * (-0.255709481 + t * (0.143969076
        + t * -0.0291453239)))))));
    return e * t * p;
}

// tanh(softplus(x)) as a quotient of polynomials in e = exp(-|x|).
fn mish_gate(x: f32, e: f32) -> f32 {
    let falling = e * (e + 2.0);
    let rising = 1.0 + 2.0 * e;
    return select(rising / (rising + 2.0 * e * e), falling / (falling + 2.0), x < 0.0);
}

// 1 / (1 + exp(-u)) with e = exp(-|u|), of small relative error in the left tail too.
fn logistic(u: f32, e: f32) -> f32 {
    return select(1.0, e, u < 0.0) / (1.0 + e);
}

// Phi(x) with e = exp(-x^2 / 2).
fn normal(x: f32, e: f32) -> f32 {
    let tail = normal_tail(abs(x), e);
    return select(1.0 - tail, tail, x < 0.0);
}

// What the sigmoid is taken of in the approximate gelu.
fn gelu_inner(x: f32) -> f32 {
    return 1.59576912 * (x + 0.044715 * x * x * x);
}
