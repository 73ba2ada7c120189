// Element-wise activations, fused behind other kernels or on their own.
//
// The numbers are those of `code` in src/kernels/activation.rs. NaN stays NaN; at infinity
// each gives what its formula gives in IEEE arithmetic, as NumPy does (silu(-inf) is NaN).

const LINEAR: u32 = 0u;
const RELU: u32 = 1u;
const RELU6: u32 = 2u;
const LEAKY_RELU: u32 = 3u;
const ELU: u32 = 4u;
const SELU: u32 = 5u;
const SIGMOID: u32 = 6u;
const HARD_SIGMOID: u32 = 7u;
const TANH: u32 = 8u;
const SOFTPLUS: u32 = 9u;
const SOFTSIGN: u32 = 10u;
const SILU: u32 = 11u;
const HARD_SILU: u32 = 12u;
const GELU: u32 = 13u;
const GELU_TANH: u32 = 14u;
const EXPONENTIAL: u32 = 15u;
const MISH: u32 = 16u;

// 1 / (1 + exp(-x)), with small relative error in the left tail too.
fn sigmoid(x: f32) -> f32 {
    let e = exponential(-abs(x));
    return select(1.0, e, x < 0.0) / (1.0 + e);
}

// tanh|x| = -m / (2 + m) with m = expm1(-2|x|): no overflow, no cancellation near 0.
fn hyperbolic_tangent(x: f32) -> f32 {
    let m = exponential_minus_one(-2.0 * abs(x));
    let t = -m / (2.0 + m);
    return select(t, -t, x < 0.0);
}

// max(x, 0) + log1p(exp(-|x|)). log1p(e) = 2 atanh(s) with s = e / (2 + e) <= 1/3, by its
// series: WGSL's log may be off by 2^-21 near 1.
fn softplus(x: f32) -> f32 {
    let e = exponential(-abs(x));
    let s = e / (2.0 + e);
    let t = s * s;
    let tail = 0.33333333 + t * (0.2 + t * (0.14285714 + t * (0.11111111
        + t * (0.09090909 + t * 0.07692308))));
    return max(x, 0.0) + 2.0 * (s + s * t * tail);
}

// Phi(x) = (1 + erf(x / sqrt 2)) / 2. The left tail is exp(-x^2 / 2) * t * P(t) with
// t = 1 / (1 + 0.35|x|) and P a minimax polynomial: relative error 3.2e-8 before rounding,
// so erf is within 1.5e-7 of the true one.
fn normal_cdf(x: f32) -> f32 {
    let a = abs(x);
    let t = 1.0 / (1.0 + 0.35 * a);
    let p = 0.139621405 + t * (0.139861845 + t * (0.119833086 + t * (0.105506980
        + t * (-0.0231070057 + t * (0.159169402 + t * (-0.255709481 + t * (0.143969076
        + t * -0.0291453239)))))));
    let tail = exponential(-0.5 * a * a) * t * p;
    return select(1.0 - tail, tail, x < 0.0);
}

// tanh(softplus(x)) as a quotient of polynomials in e = exp(-|x|).
fn mish_gate(x: f32) -> f32 {
    let e = exponential(-abs(x));
    let falling = e * (e + 2.0);
    let rising = 1.0 + 2.0 * e;
    return select(rising / (rising + 2.0 * e * e), falling / (falling + 2.0), x < 0.0);
}

fn activate(kind: u32, alpha: f32, beta: f32, x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    switch kind {
        case RELU: { return max(x, 0.0); }
        case RELU6: { return clamp(x, 0.0, 6.0); }
        case LEAKY_RELU: { return select(x, alpha * x, x < 0.0); }
        case ELU: { return select(x, alpha * exponential_minus_one(x), x < 0.0); }
        case SELU: {
            return 1.05070099 * select(x, 1.67326324 * exponential_minus_one(x), x < 0.0);
        }
        case SIGMOID: { return sigmoid(x); }
        case HARD_SIGMOID: { return clamp(x / 6.0 + 0.5, 0.0, 1.0); }
        case TANH: { return hyperbolic_tangent(x); }
        case SOFTPLUS: { return softplus(x); }
        case SOFTSIGN: { return x / (1.0 + abs(x)); }
        case SILU: { return x * sigmoid(x); }
        case HARD_SILU: { return x * clamp(x / 6.0 + 0.5, 0.0, 1.0); }
        case GELU: { return x * normal_cdf(x); }
        case GELU_TANH: { return x * sigmoid(1.59576912 * (x + 0.044715 * x * x * x)); }
        case EXPONENTIAL: { return exponential(x); }
        case MISH: { return x * mish_gate(x); }
        default: { return x; }
    }
}
