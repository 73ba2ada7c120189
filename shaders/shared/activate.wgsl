// What the functions of one operand are made of; src/ops/elementwise/functions.rs has the functions.
//
// At infinity each gives what its formula gives in IEEE arithmetic, as NumPy does (silu(-inf) is
// NaN). `e` is exp of an argument that is at most 0, so nothing overflows, and `m` is e - 1.

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

// What through_logarithm gives.
const LOG: u32 = 0u;
const ASINH: u32 = 1u;
const ACOSH: u32 = 2u;
const ATANH: u32 = 3u;

// log(x), and the inverse hyperbolic functions as log1p of what does not cancel:
//     asinh a = log1p(a + a^2 / (1 + sqrt(a^2 + 1)))
//     acosh a = log1p(t + sqrt(t (t + 2))),  t = a - 1
//     atanh a = log1p(2 a / (1 - a)) / 2
// Where a^2 could overflow both of the first are log(a) + log(2), to the last bit.
fn through_logarithm(kind: u32, x: f32) -> f32 {
    let a = abs(x);
    if (kind == ACOSH && x < 1.0) || (kind == ATANH && a > 1.0) {
        return quiet(x);
    }
    let is_large = a >= 16384.0 || kind == LOG;
    var y = 0.0;
    switch kind {
        case ASINH: { y = a + a * a / (1.0 + sqrt(a * a + 1.0)); }
        case ACOSH: {
            let t = x - 1.0;
            y = t + sqrt(t * (t + 2.0));
        }
        case ATANH: { y = 2.0 * a / (1.0 - a); }
        default: {}
    }
    // Rounding 1 + y costs digits where y is small alone. At 1 atanh is infinite.
    let log_of = logarithm(select(1.0 + y, select(a, x, kind == LOG), is_large));
    if kind == LOG {
        return log_of;
    }
    var value = log_of + select(0.0, 0.69314718, is_large);
    if y <= 1.0 && !is_large {
        value = log_of_one_plus(y);
    }
    if kind == ATANH {
        value = select(0.5 * value, bitcast<f32>(0x7f800000u), a == 1.0);
    }
    return select(value, -value, x < 0.0);
}

// erf(x) with e = exp(-x^2): by its series near 0, so that the relative error stays small, else
// 1 - 2 Phi(-|x| sqrt 2).
fn erf(x: f32, e: f32) -> f32 {
    let a = abs(x);
    let t = x * x;
    let series = a * (1.12837923 + t * (-0.376126379 + t * (0.112837918 + t * (-0.0268661715
        + t * (0.00522397785 + t * (-0.000854832702 + t * 0.000120553326))))));
    return odd(x, select(1.0 - 2.0 * normal_tail(1.41421356 * a, e), series, a < 0.5));
}

// sinh a = 2 sinh(a / 2) cosh(a / 2), from e = exp(-a / 2) and m = e - 1, and cosh a likewise: in
// two factors, as exp(a) overflows before they do.
fn sinh_of_half(x: f32, e: f32, m: f32) -> f32 {
    return odd(x, 0.5 * (-m * (1.0 + e) / e) * ((1.0 + e * e) / e));
}

fn cosh_of_half(e: f32) -> f32 {
    return (0.5 + 0.5 * e * e * e * e) / e / e;
}

// What `inverse` gives.
const ASIN: u32 = 0u;
const ACOS: u32 = 1u;
const ATAN: u32 = 2u;

// atan by a minimax polynomial on [-tan(pi / 8), tan(pi / 8)], of relative error 2.0e-8;
// asin by one on [-1/2, 1/2], of 5.0e-9, and as pi / 2 - 2 asin(sqrt((1 - a) / 2)) beyond.
fn inverse(kind: u32, x: f32) -> f32 {
    let a = abs(x);
    if kind == ATAN {
        let turned = select(a, 1.0 / a, a > 1.0);
        let is_steep = turned > 0.41421356;
        let z = select(turned, (turned - 1.0) / (turned + 1.0), is_steep);
        let t = z * z;
        let angle = z + z * t * (-0.33332956 + t * (0.19977926 + t * (-0.138798505 + t * 0.080603085)));
        let low = angle + select(0.0, 0.78539816, is_steep);
        let value = select(low, 1.57079633 - low, a > 1.0);
        return select(value, -value, x < 0.0);
    }
    if a > 1.0 {
        return quiet(x);
    }
    let is_outer = a > 0.5;
    let t = select(a * a, 0.5 * (1.0 - a), is_outer);
    let z = select(a, sqrt(t), is_outer);
    let angle = z + z * t * (0.166667536 + t * (0.0749524161 + t * (0.0454770997
        + t * (0.0241476 + t * 0.0422185659))));
    if kind == ASIN {
        let value = select(angle, 1.57079633 - 2.0 * angle, is_outer);
        return select(value, -value, x < 0.0);
    }
    if is_outer {
        return select(2.0 * angle, 3.14159265 - 2.0 * angle, x < 0.0);
    }
    return 1.57079633 - select(angle, -angle, x < 0.0);
}

// Which infinities count: 1 where positive and negative ones do, else 0.
fn infinite(x: f32, positive: f32, negative: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return select(select(0.0, negative, bits == 0xff800000u), positive, bits == 0x7f800000u);
}
