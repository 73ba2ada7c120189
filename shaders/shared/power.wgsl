// x to the power y with an error of a few units in the last place, and C's rules (so NumPy's)
// for what is not a positive number.
//
// WGSL's own pow is undefined for negative x, and loses as many bits as the exponent has. Here
//     x = 2^k * m,  log2(x) = k + log2(32 / j) + log2(m * j / 32),  j = round(32 / m)
// in pieces so short that their products with the halves of y are exact; each product gives its
// whole part to the exponent of the result before the fractions are added up.

// log2(32 / j) for j from 23 to 45, to 12 bits, and what is left of it.
const LOG2_HIGH = array<f32, 23>(
    0.476318359, 0.414916992, 0.356079102, 0.299438477, 0.245056152, 0.192626953,
    0.141967773, 0.0931091309, 0.045791626, 0.0, -0.0443878174, -0.0874328613,
    -0.129272461, -0.169921875, -0.209411621, -0.247924805, -0.285400391, -0.321899414,
    -0.357543945, -0.392211914, -0.426147461, -0.459350586, -0.491821289,
);
const LOG2_LOW = array<f32, 23>(
    0.00011968457, 0.000120507095, 6.47086636e-05, 0.000121805293, 5.63454923e-05,
    1.81248179e-05, 5.12314364e-05, 2.73532095e-07, 1.20636369e-05, 0.0, -6.30197565e-06,
    -2.99799231e-05, -1.05560075e-05, -3.12644238e-06, -4.17445335e-05, -2.70875603e-06,
    -1.82823726e-06, -2.86808245e-05, -8.0593054e-06, -0.00010550872, -0.000117293763,
    -8.10326965e-05, -3.18072671e-05,
);

// The number without the last 12 bits: two such have an exact product.
fn truncated(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// Adds a term to a sum (whole part, fraction within [-1/2, 1/2]).
fn add_term(sum: vec2<f32>, term: f32) -> vec2<f32> {
    let whole = round(term);
    let fraction = sum.y + (term - whole);
    let carry = round(fraction);
    return vec2(sum.x + whole + carry, fraction - carry);
}

// x^y for a finite x > 0 and a finite y.
fn positive_power(x: f32, y: f32) -> f32 {
    let bits = bitcast<u32>(x);
    // A subnormal number is read as a whole number of units 2^-149, which no device flushes to 0.
    let is_subnormal = bits < 0x00800000u;
    let normal = select(bits, bitcast<u32>(f32(bits)), is_subnormal);
    let shifted = normal - 0x3f3504f3u;
    let k = f32((i32(shifted) >> 23u) + select(0, -149, is_subnormal));
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u);
    let j = clamp(round(32.0 / m), 23.0, 45.0);
    let c = j * 0.03125;
    var highs = LOG2_HIGH;
    var lows = LOG2_LOW;
    let high = highs[u32(j) - 23u];
    // m * c = 1 + r, |r| < 0.0225, r = r_high + r_low without rounding.
    let m_high = truncated(m);
    let r_high = m_high * c - 1.0;
    let r_low = (m - m_high) * c;
    let r = r_high + r_low;
    let square = r_high * r_high + r_low * (r_high + r);
    let cube = r * square * (0.33333333 + r * (-0.25 + r * (0.2 + r * -0.16666667)));
    // log2(1 + r): two parts exact, as 1.44238281 has 11 bits, and the rest far below them.
    let first = r_high * 1.44238281;
    let r_middle = truncated(r_low);
    let second = r_middle * 1.44238281;
    let rest = lows[u32(j) - 23u]
        + ((r_high + r_middle) * 0.000312228396 + 1.44269504 * ((r_low - r_middle) + (cube - 0.5 * square)));
    let estimate = y * (k + high + (first + (second + rest)));
    if abs(estimate) > 200.0 {
        // 0 or infinity, by an exponent that has no other
        return exponential(sign(estimate) * 200.0);
    }
    let y_high = truncated(y);
    let y_low = y - y_high;
    let first_high = truncated(first);
    let second_high = truncated(second);
    var sum = add_term(vec2(0.0), y_high * k);
    sum = add_term(sum, y_low * k);
    sum = add_term(sum, y_high * high);
    sum = add_term(sum, y_low * high);
    sum = add_term(sum, y_high * first_high);
    sum = add_term(sum, y_high * second_high);
    sum = add_term(sum, (y_high * (first - first_high) + y_low * first)
        + ((y_high * (second - second_high) + y_low * second) + y * rest));
    let parts = reduce(sum.y * 0.693147181);
    let exponent = i32(sum.x) + parts.power;
    let half = exponent / 2;
    return (1.0 + parts.fraction) * power_of_two(half) * power_of_two(exponent - half);
}

fn power(x: f32, y: f32) -> f32 {
    let x_bits = bitcast<u32>(x);
    let x_size = x_bits & 0x7fffffffu;
    let y_size = bitcast<u32>(y) & 0x7fffffffu;
    let y_falls = bitcast<u32>(y) > 0x80000000u;
    if y_size == 0u || x_bits == 0x3f800000u {
        return 1.0;
    }
    if x_size > 0x7f800000u || y_size > 0x7f800000u {
        return select(y, x, x_size > 0x7f800000u);
    }
    // From 2^23 on every float is whole, from 2^24 on even.
    let magnitude = min(abs(y), 16777216.0);
    let is_whole = floor(magnitude) == magnitude;
    let is_odd = is_whole && (u32(magnitude) & 1u) == 1u;
    let sign_bit = select(0u, x_bits & 0x80000000u, is_odd);
    if x_size == 0u || x_size == 0x7f800000u || y_size == 0x7f800000u {
        if x_size == 0x3f800000u {
            return 1.0;
        }
        let grows = (x_size > 0x3f800000u) != y_falls;
        return bitcast<f32>(sign_bit | select(0u, 0x7f800000u, grows));
    }
    if x_bits > 0x80000000u && !is_whole {
        return bitcast<f32>(x_bits | 0x7fc00000u);
    }
    return bitcast<f32>(sign_bit | bitcast<u32>(positive_power(abs(x), y)));
}
