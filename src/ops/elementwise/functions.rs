//! The element-wise functions, one row each. A new one is a row here, and a formula in f64 in the
//! tests' oracle; the macros of `table.rs` make all else of a row.
//!
//! | column | is |
//! |---|---|
//! | variant and constants | as users write it, with ONNX's defaults for the constants |
//! | `method` | the builder, `Graph::NAME` |
//! | `name` | what messages and plans print, where that is not the builder's name |
//! | `onnx` | the operators of ONNX that it is; their attributes have the constants' names |
//! | `exp` | the number, at most 0 but for exp itself, whose exponential `e` the function is made of; `m` is `e - 1` |
//! | `wgsl` | an expression of `x`, or `a` and `b`, and of the constants `alpha` and `beta`, from functions in `shaders/shared/`; a NaN does not get there, but with `nan` and `any`. With `any` it may be of four elements at once, and `V(number)` is as wide |
//! | `host` | the same in Rust, so that loops over it become vectors |
//! | `tests` | with which constants it is tested |
//! | `domain` | where it is finite and continuous, if not within -8 and 8 |

#![allow(clippy::float_cmp, reason = "equality is a function")]

use serde::{Deserialize, Serialize};

use super::math::{
    erf, exponential, exponential_minus_one, floored_remainder, gelu_tanh, mish, normal_tail,
    sigmoid, sign, softplus, tanh, truth, wide,
};
use super::table::{
    Constant, Read, Row, Visit, VisitTwo, Wgsl, binary_functions, constants, given,
    unary_functions, wgsl,
};
use crate::error::Result;
use crate::graph::{Graph, Symbol};

unary_functions! {
    /// `x`.
    Linear {
        method: linear,
        onnx: [],
        wgsl: any "x",
        host: |x| x,
    }
    /// `max(x, 0)`.
    Relu {
        method: relu,
        onnx: ["Relu"],
        wgsl: any "select(x, V(0.0), x < V(0.0))",
        // Not `max`, which gives the other operand for NaN.
        host: |x| if x < 0.0 { 0.0 } else { x },
    }
    /// `x` if it is not negative, else `alpha * x`; Keras's default alpha is 0.2, ONNX's 0.01.
    LeakyRelu(alpha: f32 = 0.01) {
        method: leaky_relu,
        onnx: ["LeakyRelu"],
        wgsl: any "select(x, alpha * x, x < V(0.0))",
        host: |x| if x < 0.0 { alpha * x } else { x },
        tests: [LeakyRelu(0.375)],
    }
    /// `x` if it is not negative, else `alpha * (exp(x) - 1)`; the default alpha is 1.
    Elu(alpha: f32 = 1.0) {
        method: elu,
        onnx: ["Elu"],
        exp: "-abs(x)",
        wgsl: "select(x, alpha * m, x < 0.0)",
        host: |x| if x < 0.0 { alpha * exponential_minus_one(x) } else { x },
        tests: [Elu(1.75)],
    }
    /// `1 / (1 + exp(-x))`.
    Sigmoid {
        method: sigmoid,
        onnx: ["Sigmoid"],
        exp: "-abs(x)",
        wgsl: "logistic(x, e)",
        host: |x| sigmoid(x),
    }
    /// `tanh(x)`.
    Tanh {
        method: tanh,
        onnx: ["Tanh"],
        exp: "-2.0 * abs(x)",
        // tanh|x| = -m / (2 + m) with m = expm1(-2|x|): no overflow, no cancellation near 0.
        wgsl: "odd(x, -m / (2.0 + m))",
        host: |x| tanh(x),
    }
    /// `log(1 + exp(x))`, computed so that large `x` does not overflow.
    Softplus {
        method: softplus,
        onnx: ["Softplus"],
        exp: "-abs(x)",
        wgsl: "max(x, 0.0) + log_of_one_plus(e)",
        host: |x| softplus(x),
    }
    /// `x / (1 + |x|)`.
    Softsign {
        method: softsign,
        onnx: ["Softsign"],
        wgsl: "x / (1.0 + abs(x))",
        host: |x| x / (1.0 + x.abs()),
    }
    /// `x * min(max(x / 6 + 0.5, 0), 1)`: Keras's hard silu, ONNX's `HardSwish`.
    HardSilu {
        method: hard_silu,
        onnx: ["HardSwish"],
        wgsl: "x * clamp(x * 0.16666667 + 0.5, 0.0, 1.0)",
        host: |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
    }
    /// `x * Phi(x)` through erf, with the normal distribution's function Phi: Keras's
    /// `gelu(approximate=False)`.
    Gelu {
        method: gelu,
        onnx: ["Gelu"],
        exp: "-0.5 * x * x",
        wgsl: "x * normal(x, e)",
        host: |x| {
            let tail = normal_tail(x.abs(), exponential(-0.5 * x * x));
            x * if x < 0.0 { tail } else { 1.0 - tail }
        },
    }
    /// `x * Phi(x)` through tanh: Keras's `gelu(approximate=True)`.
    GeluTanh {
        method: gelu_tanh,
        onnx: [],
        exp: "-abs(gelu_inner(x))",
        wgsl: "x * logistic(gelu_inner(x), e)",
        host: |x| gelu_tanh(x),
    }
    /// `exp(x)`.
    Exponential {
        method: exp,
        name: "exponential",
        onnx: ["Exp"],
        exp: "x",
        wgsl: "e",
        host: |x| exponential(x),
    }
    /// `x * tanh(softplus(x))`.
    Mish {
        method: mish,
        onnx: ["Mish"],
        exp: "-abs(x)",
        wgsl: "x * mish_gate(x, e)",
        host: |x| mish(x),
    }
    /// `scale * x + offset`.
    Affine {
        /// The factor.
        scale: f32 = 1.0,
        /// What is added after it.
        offset: f32 = 0.0,
    } {
        method: affine,
        onnx: [],
        wgsl: any "x * alpha + beta",
        host: |x| x * scale + offset,
        tests: [Affine { scale: -1.5, offset: 0.625 }],
    }
    /// `min(max(x, min), max)`; an infinite bound means no bound.
    Clip {
        /// The least value.
        min: f32 = f32::NEG_INFINITY,
        /// The greatest value, which wins where it is below `min`.
        max: f32 = f32::INFINITY,
    } {
        method: clip,
        onnx: [],
        wgsl: any "select(select(x, V(min(alpha, beta)), x < V(alpha)), V(beta), x > V(beta))",
        host: |x| {
            // Not `f32::clamp`, which panics where the bounds are the wrong way round.
            let low = if x < min { min } else { x };
            if low > max { max } else { low }
        },
        tests: [Clip { min: 0.0, max: 6.0 }, Clip { min: -0.75, max: 1.25 }],
    }
    /// `max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))` for a positive alpha; ONNX's default is 1.
    Celu(alpha: f32 = 1.0) {
        method: celu,
        onnx: ["Celu"],
        exp: "-abs(x / alpha)",
        wgsl: "select(x, alpha * m, x < 0.0)",
        host: |x| if x < 0.0 { alpha * exponential_minus_one(x / alpha) } else { x },
        tests: [Celu(1.75)],
    }
    /// `gamma * (x if it is not negative, else alpha * (exp(x) - 1))`; [`Activation::Selu`] has the
    /// usual constants.
    SeluWith {
        /// The factor of the negative part.
        alpha: f32 = 1.673_263_2,
        /// The factor of the whole.
        gamma: f32 = 1.050_701,
    } {
        method: selu_with,
        name: "selu",
        onnx: ["Selu"],
        exp: "-abs(x)",
        wgsl: "beta * select(x, alpha * m, x < 0.0)",
        host: |x| gamma * if x < 0.0 { alpha * exponential_minus_one(x) } else { x },
        tests: [
            SeluWith { alpha: 1.673_263_2, gamma: 1.050_701 },
            SeluWith { alpha: 2.25, gamma: 0.75 }
        ],
    }
    /// `min(max(alpha * x + beta, 0), 1)`; ONNX's defaults are 0.2 and 0.5,
    /// [`Activation::HardSigmoid`] has Keras's constants.
    HardSigmoidWith {
        /// The slope.
        alpha: f32 = 0.2,
        /// The value at 0.
        beta: f32 = 0.5,
    } {
        method: hard_sigmoid,
        onnx: ["HardSigmoid"],
        wgsl: "clamp(alpha * x + beta, 0.0, 1.0)",
        host: |x| (alpha * x + beta).clamp(0.0, 1.0),
        tests: [
            HardSigmoidWith { alpha: 1.0 / 6.0, beta: 0.5 },
            HardSigmoidWith { alpha: 0.375, beta: 0.75 }
        ],
    }
    /// `x * sigmoid(alpha * x)`; with alpha 1 it is [`Activation::Silu`].
    Swish(alpha: f32 = 1.0) {
        method: swish,
        onnx: ["Swish"],
        exp: "-abs(alpha * x)",
        wgsl: "x * logistic(alpha * x, e)",
        host: |x| x * sigmoid(alpha * x),
        tests: [Swish(1.0), Swish(1.75)],
    }
    /// `x` if it exceeds alpha, else 0; ONNX's default alpha is 1.
    ThresholdedRelu(alpha: f32 = 1.0) {
        method: thresholded_relu,
        onnx: ["ThresholdedRelu"],
        wgsl: any "select(x, V(0.0), x <= V(alpha))",
        // NaN is neither above nor below.
        host: |x| if x <= alpha { 0.0 } else { x },
        tests: [ThresholdedRelu(0.75)],
        domain: 1.0..8.0,
    }
    /// `|x|`.
    Abs {
        method: abs,
        onnx: ["Abs"],
        wgsl: any "abs(x)",
        host: |x| x.abs(),
    }
    /// `-x`.
    Negative {
        method: negative,
        onnx: ["Neg"],
        wgsl: any "-x",
        host: |x| -x,
    }
    /// The square root, NaN for negative `x`.
    Sqrt {
        method: sqrt,
        onnx: ["Sqrt"],
        wgsl: "select(sqrt(x), quiet(x), x < 0.0)",
        host: |x| x.sqrt(),
        domain: 0.25..8.0,
    }
    /// `1 / x`; a device may be off by 2.5 units in the last place.
    Reciprocal {
        method: reciprocal,
        onnx: ["Reciprocal"],
        wgsl: any "1.0 / x",
        host: |x| x.recip(),
        domain: 0.25..8.0,
    }
    /// The greatest whole number that is not above `x`.
    Floor {
        method: floor,
        onnx: ["Floor"],
        wgsl: "floor(x)",
        host: |x| x.floor(),
        domain: 0.125..0.875,
    }
    /// The least whole number that is not below `x`.
    Ceil {
        method: ceil,
        onnx: ["Ceil"],
        wgsl: "ceil(x)",
        host: |x| x.ceil(),
        domain: 0.125..0.875,
    }
    /// The nearest whole number; of two, the even one.
    Round {
        method: round,
        onnx: ["Round"],
        wgsl: "round(x)",
        host: |x| x.round_ties_even(),
        domain: -0.375..0.375,
    }
    /// The nearest number of half precision; of two, the even one. From 65520 on it is infinite.
    Half {
        method: half,
        onnx: [],
        wgsl: nan "half_precision(x)",
        host: |x| half::f16::from_f32(x).to_f32(),
        domain: 0.9999..1.0003,
    }
    /// -1, 0 or 1.
    Sign {
        method: sign,
        onnx: ["Sign"],
        wgsl: "sign(x)",
        host: |x| sign(x),
        domain: 0.125..8.0,
    }
    /// 1 for 0, else 0; NaN is not 0.
    LogicalNot {
        method: logical_not,
        onnx: ["Not"],
        wgsl: nan "truth(!is_true(x))",
        host: |x| truth(x == 0.0),
        domain: 0.125..8.0,
    }
    /// The natural logarithm, -inf for 0, NaN for negative `x`.
    Log {
        method: log,
        onnx: ["Log"],
        wgsl: "through_logarithm(LOG, x)",
        host: |x| x.ln(),
        domain: 0.25..8.0,
    }
    /// The error function.
    Erf {
        method: erf,
        onnx: ["Erf"],
        exp: "-x * x",
        wgsl: "erf(x, e)",
        host: |x| erf(x),
    }
    /// `1 - erf(x)`, without cancellation where erf is near 1.
    Erfc {
        method: erfc,
        onnx: [],
        exp: "-x * x",
        wgsl: "select(0.0, 2.0, x < 0.0) + odd(x, 2.0 * normal_tail(1.41421356 * abs(x), e))",
        host: |x| {
            let tail = 2.0 * normal_tail(std::f32::consts::SQRT_2 * x.abs(), exponential(-x * x));
            if x < 0.0 { 2.0 - tail } else { tail }
        },
    }
    /// The sine of radians; every finite number is reduced exactly.
    Sin {
        method: sin,
        onnx: ["Sin"],
        wgsl: "circular(x, SIN)",
        host: |x| x.sin(),
    }
    /// The cosine of radians; every finite number is reduced exactly.
    Cos {
        method: cos,
        onnx: ["Cos"],
        wgsl: "circular(x, COS)",
        host: |x| x.cos(),
    }
    /// The tangent of radians; every finite number is reduced exactly.
    Tan {
        method: tan,
        onnx: ["Tan"],
        wgsl: "circular(x, TAN)",
        host: |x| x.tan(),
        domain: -1.25..1.25,
    }
    /// The inverse sine in radians, NaN beyond 1.
    Asin {
        method: asin,
        onnx: ["Asin"],
        wgsl: "inverse(ASIN, x)",
        host: |x| x.asin(),
        domain: -0.875..0.875,
    }
    /// The inverse cosine in radians, NaN beyond 1.
    Acos {
        method: acos,
        onnx: ["Acos"],
        wgsl: "inverse(ACOS, x)",
        host: |x| x.acos(),
        domain: -0.875..0.875,
    }
    /// The inverse tangent in radians.
    Atan {
        method: atan,
        onnx: ["Atan"],
        wgsl: "inverse(ATAN, x)",
        host: |x| x.atan(),
    }
    /// The hyperbolic sine.
    Sinh {
        method: sinh,
        onnx: ["Sinh"],
        exp: "-0.5 * abs(x)",
        wgsl: "sinh_of_half(x, e, m)",
        host: |x| x.sinh(),
    }
    /// The hyperbolic cosine.
    Cosh {
        method: cosh,
        onnx: ["Cosh"],
        exp: "-0.5 * abs(x)",
        wgsl: "cosh_of_half(e)",
        host: |x| x.cosh(),
    }
    /// The inverse hyperbolic sine.
    Asinh {
        method: asinh,
        onnx: ["Asinh"],
        wgsl: "through_logarithm(ASINH, x)",
        host: |x| wide(x, f64::asinh),
    }
    /// The inverse hyperbolic cosine, NaN below 1.
    Acosh {
        method: acosh,
        onnx: ["Acosh"],
        wgsl: "through_logarithm(ACOSH, x)",
        host: |x| wide(x, f64::acosh),
        domain: 1.25..8.0,
    }
    /// The inverse hyperbolic tangent, infinite at 1 and -1, NaN beyond.
    Atanh {
        method: atanh,
        onnx: ["Atanh"],
        wgsl: "through_logarithm(ATANH, x)",
        host: |x| wide(x, f64::atanh),
        domain: -0.875..0.875,
    }
    /// 1 for NaN, else 0.
    IsNan {
        method: is_nan,
        onnx: ["IsNaN"],
        wgsl: nan "truth(is_nan(x))",
        host: |x| truth(x.is_nan()),
    }
    /// 1 for an infinity that counts, else 0; to ONNX's `IsInf` both count.
    IsInf {
        /// Whether positive infinity counts.
        positive: bool = true,
        /// Whether negative infinity counts.
        negative: bool = true,
    } {
        method: is_inf,
        onnx: ["IsInf"],
        wgsl: nan "infinite(x, alpha, beta)",
        host: |x| truth(x == f32::INFINITY && positive || x == f32::NEG_INFINITY && negative),
        tests: [
            IsInf { positive: true, negative: true },
            IsInf { positive: true, negative: false },
            IsInf { positive: false, negative: true },
            IsInf { positive: false, negative: false }
        ],
    }
}

binary_functions! {
    /// `left + right`.
    Add {
        method: add,
        onnx: ["Add"],
        wgsl: any "a + b",
        host: |a, b| a + b,
    }
    /// `left * right`.
    Multiply {
        method: multiply,
        onnx: ["Mul"],
        wgsl: any "a * b",
        host: |a, b| a * b,
    }
    /// `left - right`.
    Subtract {
        method: subtract,
        onnx: ["Sub"],
        wgsl: any "a - b",
        host: |a, b| a - b,
    }
    /// `left / right`; a device may be off by 2.5 units in the last place.
    Divide {
        method: divide,
        onnx: ["Div"],
        wgsl: any "a / b",
        host: |a, b| a / b,
    }
    /// `left` to the power `right`, with NumPy's rules: of a negative number NaN, unless `right`
    /// is whole; 1 where `right` is 0 or `left` is 1, whatever the other is.
    Power {
        method: power,
        onnx: ["Pow"],
        wgsl: nan "power(a, b)",
        host: |a, b| a.powf(b),
    }
    /// The lesser one; NaN where one is NaN.
    Minimum {
        method: minimum,
        onnx: [],
        // Of two numbers where one is NaN that one, as NumPy's minimum and maximum.
        wgsl: nan "select(b, a, is_nan(a) || (a <= b && !is_nan(b)))",
        host: |a, b| if a <= b || a.is_nan() { a } else { b },
    }
    /// The greater one; NaN where one is NaN.
    Maximum {
        method: maximum,
        onnx: [],
        wgsl: nan "select(b, a, is_nan(a) || (a >= b && !is_nan(b)))",
        host: |a, b| if a >= b || a.is_nan() { a } else { b },
    }
    /// `left` if it is not negative, else `right * left`: ONNX's `PRelu`, whose slopes are an
    /// operand; [`Graph::p_relu`] is Keras's layer.
    PRelu {
        method: p_relu_with,
        name: "p_relu",
        onnx: ["PRelu"],
        wgsl: nan "select(a, b * a, a < 0.0 && !is_nan(a))",
        host: |a, b| if a < 0.0 { b * a } else { a },
    }
    /// The remainder of `left / right` with the sign of `left`, exact: ONNX's Mod with fmod = 1.
    Fmod {
        method: fmod,
        onnx: ["Mod"],
        wgsl: nan "remainder(a, b)",
        // Rust's remainder is C's fmod: exact, with the sign of the dividend.
        host: |a, b| a % b,
    }
    /// The remainder of `left / right` with the sign of `right`: NumPy's mod, ONNX's for integers.
    Mod {
        method: modulo,
        name: "mod",
        onnx: [],
        wgsl: nan "floored_remainder(a, b)",
        host: |a, b| floored_remainder(a, b),
    }
    /// 1 where both are equal, else 0; NaN equals nothing.
    Equal {
        method: equal,
        onnx: ["Equal"],
        wgsl: nan "truth(are_numbers(a, b) && a == b)",
        host: |a, b| truth(a == b),
    }
    /// 1 where `left > right`, else 0.
    Greater {
        method: greater,
        onnx: ["Greater"],
        wgsl: nan "truth(are_numbers(a, b) && a > b)",
        host: |a, b| truth(a > b),
    }
    /// 1 where `left >= right`, else 0.
    GreaterEqual {
        method: greater_equal,
        onnx: ["GreaterOrEqual"],
        wgsl: nan "truth(are_numbers(a, b) && a >= b)",
        host: |a, b| truth(a >= b),
    }
    /// 1 where `left < right`, else 0.
    Less {
        method: less,
        onnx: ["Less"],
        wgsl: nan "truth(are_numbers(a, b) && a < b)",
        host: |a, b| truth(a < b),
    }
    /// 1 where `left <= right`, else 0.
    LessEqual {
        method: less_equal,
        onnx: ["LessOrEqual"],
        wgsl: nan "truth(are_numbers(a, b) && a <= b)",
        host: |a, b| truth(a <= b),
    }
    /// 1 where neither is 0, else 0; NaN is not 0.
    LogicalAnd {
        method: logical_and,
        onnx: ["And"],
        wgsl: nan "truth(is_true(a) && is_true(b))",
        host: |a, b| truth(a != 0.0 && b != 0.0),
    }
    /// 1 where one is not 0, else 0; NaN is not 0.
    LogicalOr {
        method: logical_or,
        onnx: ["Or"],
        wgsl: nan "truth(is_true(a) || is_true(b))",
        host: |a, b| truth(a != 0.0 || b != 0.0),
    }
    /// 1 where exactly one is 0, else 0; NaN is not 0.
    LogicalXor {
        method: logical_xor,
        onnx: ["Xor"],
        wgsl: nan "truth(is_true(a) != is_true(b))",
        host: |a, b| truth((a != 0.0) != (b != 0.0)),
    }
}
