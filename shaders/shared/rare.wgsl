// Functions too long for every kernel's epilogue: the element-wise families alone have them, in
// entry points of their own. Their numbers have the bit RARE.

const RARE: u32 = 512u;
const LOG: u32 = 512u;
const ERF: u32 = 513u;
const SIN: u32 = 514u;
const COS: u32 = 515u;
// of two operands
const POWER: u32 = 512u;
const FMOD: u32 = 513u;

// By its series near 0, so that the relative error stays small, else 1 - 2 * Phi(-|x| sqrt 2).
fn error_function(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let a = abs(x);
    let t = x * x;
    let series = x * (1.12837923 + t * (-0.376126379 + t * (0.112837918 + t * (-0.0268661715
        + t * (0.00522397785 + t * (-0.000854832702 + t * 0.000120553326))))));
    let value = 1.0 - 2.0 * normal_tail(1.41421356 * a, exponential(-a * a));
    return select(select(value, -value, x < 0.0), series, a < 0.5);
}

// The remainder of a / b with the sign of a, exact: a long division of whole numbers, 8 bits
// at a time.
fn remainder(a: f32, b: f32) -> f32 {
    let a_bits = bitcast<u32>(a);
    let a_size = a_bits & 0x7fffffffu;
    let b_size = bitcast<u32>(b) & 0x7fffffffu;
    if a_size >= 0x7f800000u || b_size > 0x7f800000u || b_size == 0u {
        return bitcast<f32>(a_bits | 0x7fc00000u);
    }
    if a_size < b_size {
        return a;
    }
    // |a| = m * 2^(power - 150), and b so too; a subnormal number lacks the leading bit.
    let a_power = max(a_size >> 23u, 1u);
    let b_power = max(b_size >> 23u, 1u);
    let m = (a_size & 0x7fffffu) | select(0u, 0x800000u, a_size >= 0x800000u);
    let divisor = (b_size & 0x7fffffu) | select(0u, 0x800000u, b_size >= 0x800000u);
    var rest = m % divisor;
    for (var left = a_power - b_power; left > 0u;) {
        let bits = min(left, 8u);
        rest = (rest << bits) % divisor;
        left -= bits;
    }
    // Two factors, as one alone may be too small or too large.
    let power = i32(b_power) - 150;
    let half = power / 2;
    let value = f32(rest) * power_of_two(half) * power_of_two(power - half);
    return bitcast<f32>(bitcast<u32>(value) | (a_bits & 0x80000000u));
}

fn apply_rare(kind: u32, x: f32, other: f32) -> f32 {
    let swapped = kind >= BINARY + SWAPPED;
    let a = select(x, other, swapped);
    let b = select(other, x, swapped);
    switch kind {
        case LOG: { return logarithm(x); }
        case ERF: { return error_function(x); }
        case SIN: { return sine(x, 0u); }
        case COS: { return sine(x, 1u); }
        case BINARY + POWER, BINARY + SWAPPED + POWER: { return power(a, b); }
        default: { return remainder(a, b); }
    }
}

// As `apply`, for every function.
fn apply_any(kind: u32, alpha: f32, beta: f32, x: f32, other: f32) -> f32 {
    if (kind & RARE) != 0u {
        return apply_rare(kind, x, other);
    }
    return apply(kind, alpha, beta, x, other);
}

// As `finish`, for every function.
fn finish_any(index: u32, value: f32) -> f32 {
    var result = value;
    for (var i = 0u; i < params.epilogue.count; i++) {
        let kind = params.epilogue.kinds[i];
        var other = 0.0;
        if kind >= BINARY {
            other = extra[index % params.epilogue.period];
        }
        result = apply_any(kind, params.epilogue.alphas[i], params.epilogue.betas[i], result, other);
    }
    return result;
}
