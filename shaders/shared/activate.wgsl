// Element-wise functions of one operand, fused behind other kernels or on their own: Keras's
// activations and ONNX's unary operators, but for those that activate_rare.wgsl adds.
//
// The numbers are those of `code` in src/kernels/activation.rs. NaN stays NaN; at infinity
// each gives what its formula gives in IEEE arithmetic, as NumPy does (silu(-inf) is NaN).
//! uses exponential

const LINEAR: u32 = 0u;
const RELU: u32 = 1u;
const CLIP: u32 = 2u;
const LEAKY_RELU: u32 = 3u;
const AFFINE: u32 = 4u;
const ABS: u32 = 5u;
const NEGATIVE: u32 = 6u;
const SQRT: u32 = 7u;
const RECIPROCAL: u32 = 8u;
const FLOOR: u32 = 9u;
const CEIL: u32 = 10u;
const ROUND: u32 = 11u;
const SIGN: u32 = 12u;
const THRESHOLDED_RELU: u32 = 13u;
const HARD_SIGMOID: u32 = 14u;
const HARD_SILU: u32 = 15u;
const SOFTSIGN: u32 = 16u;
const LOGICAL_NOT: u32 = 17u;
// From here on functions are made of one exponential.
const EXPONENTIAL: u32 = 32u;
const ELU: u32 = 33u;
const CELU: u32 = 34u;
const SIGMOID: u32 = 35u;
const SWISH: u32 = 36u;
const TANH: u32 = 37u;
const SOFTPLUS: u32 = 38u;
const GELU: u32 = 39u;
const GELU_TANH: u32 = 40u;
const MISH: u32 = 41u;

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

// The functions made of an exponential, which is computed in one place: its argument is at
// most 0 but for exp itself, so nothing overflows.
fn through_exponential(kind: u32, alpha: f32, beta: f32, x: f32) -> f32 {
    // what the sigmoid is taken of
    var u = x;
    var t = -abs(x);
    switch kind {
        case EXPONENTIAL: { t = x; }
        case CELU: { t = -abs(x / alpha); }
        case SWISH: { u = alpha * x; t = -abs(u); }
        case TANH: { t = -2.0 * abs(x); }
        case GELU: { t = -0.5 * x * x; }
        case GELU_TANH: {
            u = 1.59576912 * (x + 0.044715 * x * x * x);
            t = -abs(u);
        }
        default: {}
    }
    let both = exponentials(t);
    let e = both.x;
    // 1 / (1 + exp(-u)), with small relative error in the left tail too.
    let sigmoid = select(1.0, e, u < 0.0) / (1.0 + e);
    switch kind {
        case ELU, CELU: { return beta * select(x, alpha * both.y, x < 0.0); }
        case SIGMOID: { return sigmoid; }
        case SWISH, GELU_TANH: { return x * sigmoid; }
        case TANH: {
            // tanh|x| = -m / (2 + m) with m = expm1(-2|x|): no overflow, no cancellation near 0.
            let value = -both.y / (2.0 + both.y);
            return select(value, -value, x < 0.0);
        }
        case SOFTPLUS: { return max(x, 0.0) + log_of_one_plus(e); }
        case GELU: {
            let tail = normal_tail(abs(x), e);
            return x * select(1.0 - tail, tail, x < 0.0);
        }
        case MISH: { return x * mish_gate(x, e); }
        default: { return e; }
    }
}

// The functions that every kernel has, four at once.
fn activate_common(kind: u32, alpha: f32, beta: f32, x: vec4<f32>) -> vec4<f32> {
    switch kind {
        case RELU: { return select(x, vec4(0.0), x < vec4(0.0)); }
        case CLIP: {
            let low = select(x, vec4(alpha), x < vec4(alpha));
            return select(low, vec4(beta), low > vec4(beta));
        }
        case LEAKY_RELU: { return select(x, alpha * x, x < vec4(0.0)); }
        case AFFINE: { return x * alpha + beta; }
        default: { return x; }
    }
}

fn activate(kind: u32, alpha: f32, beta: f32, x: f32) -> f32 {
    if !ALL_FUNCTIONS {
        return activate_common(kind, alpha, beta, vec4(x)).x;
    }
    if kind == LOGICAL_NOT {
        // By its bits: NaN and subnormal numbers are not zero.
        return select(0.0, 1.0, (bitcast<u32>(x) & 0x7fffffffu) == 0u);
    }
    if is_nan(x) {
        return x;
    }
    if kind >= EXPONENTIAL {
        return through_exponential(kind, alpha, beta, x);
    }
    switch kind {
        case RELU: { return max(x, 0.0); }
        case CLIP: { return min(max(x, alpha), beta); }
        case LEAKY_RELU: { return select(x, alpha * x, x < 0.0); }
        case AFFINE: { return x * alpha + beta; }
        case ABS: { return abs(x); }
        case NEGATIVE: { return -x; }
        case SQRT: {
            let no_number = bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
            return select(sqrt(x), no_number, x < 0.0);
        }
        case RECIPROCAL: { return 1.0 / x; }
        case FLOOR: { return floor(x); }
        case CEIL: { return ceil(x); }
        case ROUND: { return round(x); }
        case SIGN: { return sign(x); }
        case THRESHOLDED_RELU: { return select(0.0, x, x > alpha); }
        case HARD_SIGMOID: { return clamp(alpha * x + beta, 0.0, 1.0); }
        case HARD_SILU: { return x * clamp(alpha * x + beta, 0.0, 1.0); }
        case SOFTSIGN: { return x / (1.0 + abs(x)); }
        default: { return x; }
    }
}
