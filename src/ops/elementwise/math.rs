//! The functions in f32 that the rows of `functions.rs` are made of on the host, by the shaders'
//! formulas.
//!
//! `shaders/shared/exponential.wgsl` and `activate.wgsl` say where the numbers come from. Most are
//! made of plain arithmetic, without branches or calls, so that loops over them become vectors.

#![allow(clippy::inline_always, reason = "only what is inlined is compiled for wide vectors")]

/// Adding it moves the whole part of a small number into the lowest bits of the mantissa.
const WHOLE: f32 = 8_388_608.0; // 2^23

/// 2^power for a whole power within [-126, 127].
#[inline(always)]
fn power_of_two(power: f32) -> f32 {
    f32::from_bits((power + 127.0 + WHOLE).to_bits() << 23)
}

/// Returns k and expm1(r) with x = k * ln 2 + r, |r| <= ln 2 / 2, for a bounded x.
#[inline(always)]
fn reduce(x: f32) -> (f32, f32) {
    let k = (x * std::f32::consts::LOG2_E).round_ties_even();
    // ln 2 in two parts, the first short enough for an exact product with k.
    let r = (x - k * 0.693_359_4) + k * 2.121_944_4e-4;
    let q = 0.499_999_98
        + r * (0.166_665_39 + r * (0.041_667_22 + r * (0.008_367_173 + r * 0.001_388_239_6)));
    (k, r + r * r * q)
}

/// exp(x).
#[inline(always)]
pub(crate) fn exponential(x: f32) -> f32 {
    // Beyond these bounds the result is 0 or infinity anyway.
    let (k, fraction) = reduce(x.clamp(-104.0, 89.0));
    // Two factors, as 2^k alone may be too small or too large where the product is neither.
    let half = (k * 0.5).trunc();
    (1.0 + fraction) * power_of_two(half) * power_of_two(k - half)
}

/// exp(x) - 1 for x <= 0, without cancellation near 0.
#[inline(always)]
pub(super) fn exponential_minus_one(x: f32) -> f32 {
    let (k, fraction) = reduce(x.clamp(-40.0, 0.0));
    let scale = power_of_two(k);
    scale * fraction + (scale - 1.0)
}

/// 1 / (1 + exp(-x)), with small relative error in the left tail too.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let e = exponential(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// tanh|x| = -m / (2 + m) with m = expm1(-2|x|): no overflow, no cancellation near 0.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let m = exponential_minus_one(-2.0 * x.abs());
    let t = -m / (2.0 + m);
    if x < 0.0 { -t } else { t }
}

/// max(x, 0) + log1p(exp(-|x|)), with log1p(e) = 2 atanh(s), s = e / (2 + e), by its series.
#[inline(always)]
pub(super) fn softplus(x: f32) -> f32 {
    let e = exponential(-x.abs());
    let s = e / (2.0 + e);
    let t = s * s;
    let tail = 0.333_333_34
        + t * (0.2
            + t * (0.142_857_15 + t * (0.111_111_11 + t * (0.090_909_09 + t * 0.076_923_08))));
    (if x < 0.0 { 0.0 } else { x }) + 2.0 * (s + s * t * tail)
}

/// Phi(-a) = (1 - erf(a / sqrt 2)) / 2 for a >= 0 and e = exp(-a^2 / 2).
#[inline(always)]
pub(super) fn normal_tail(a: f32, e: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.35 * a);
    let p = 0.139_621_4
        + t * (0.139_861_84
            + t * (0.119_833_09
                + t * (0.105_506_98
                    + t * (-0.023_107_006
                        + t * (0.159_169_4
                            + t * (-0.255_709_48 + t * (0.143_969_08 + t * -0.029_145_324)))))));
    e * t * p
}

/// erf(x): by its series near 0, so that the relative error stays small.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = x * x;
    let series = x
        * (std::f32::consts::FRAC_2_SQRT_PI
            + t * (-0.376_126_38
                + t * (0.112_837_92
                    + t * (-0.026_866_17
                        + t * (0.005_223_978 + t * (-0.000_854_832_7 + t * 0.000_120_553_33))))));
    let value = 1.0 - 2.0 * normal_tail(std::f32::consts::SQRT_2 * a, exponential(-a * a));
    let signed = if x < 0.0 { -value } else { value };
    if a < 0.5 { series } else { signed }
}

/// x * Phi(x) through tanh, written with a sigmoid.
#[inline(always)]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(1.595_769 * (x + 0.044_715 * x * x * x))
}

/// x * tanh(softplus(x)), as a quotient of polynomials in exp(-|x|).
#[inline(always)]
pub(super) fn mish(x: f32) -> f32 {
    let e = exponential(-x.abs());
    let falling = e * (e + 2.0);
    let rising = 1.0 + 2.0 * e;
    let gate = if x < 0.0 { falling / (falling + 2.0) } else { rising / (rising + 2.0 * e * e) };
    x * gate
}

/// -1, 0 or 1; NaN stays NaN.
#[inline(always)]
pub(super) fn sign(x: f32) -> f32 {
    // Adding 0 leaves NaN, and of -0 makes 0.
    let falling = if x < 0.0 { -1.0 } else { x + 0.0 };
    if x > 0.0 { 1.0 } else { falling }
}

/// A function in f64: the standard library makes some of logarithms, which in f32 lose digits.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is wanted")]
#[inline(always)]
pub(super) fn wide(x: f32, function: impl Fn(f64) -> f64) -> f32 {
    function(f64::from(x)) as f32
}

/// The remainder with the divisor's sign, a zero's too.
#[inline(always)]
pub(super) fn floored_remainder(a: f32, b: f32) -> f32 {
    let rest = a % b;
    if rest == 0.0 {
        0.0f32.copysign(b)
    } else if (rest < 0.0) == (b < 0.0) {
        rest
    } else {
        rest + b
    }
}

/// 1 or 0.
#[inline(always)]
pub(super) fn truth(holds: bool) -> f32 {
    if holds { 1.0 } else { 0.0 }
}
