// What the functions of two operands are made of; src/ops/elementwise/functions.rs has the functions.

fn are_numbers(a: f32, b: f32) -> bool {
    return !(is_nan(a) || is_nan(b));
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

// The remainder with the sign of b, as Python and NumPy have it; a zero has that sign too.
fn floored_remainder(a: f32, b: f32) -> f32 {
    let rest = remainder(a, b);
    if is_nan(rest) {
        return rest;
    }
    let b_sign = bitcast<u32>(b) & 0x80000000u;
    if (bitcast<u32>(rest) & 0x7fffffffu) == 0u {
        return bitcast<f32>(b_sign);
    }
    return select(rest, rest + b, (bitcast<u32>(rest) & 0x80000000u) != b_sign);
}
