// log with an error of about 4 units in the last place on every device, near 1 too.
//
// WGSL allows its own log an absolute error of 2^-21 within [0.5, 2]. Here
//     x = 2^k * m,  sqrt(1/2) <= m < sqrt(2),  log(x) = k * ln 2 + 2 atanh(s),  s = (m - 1) / (m + 1)
// with atanh(s) by its series: |s| <= 0.1716, so what is left out is below 2e-9, relatively.

// log(x); log(0) is -inf, log(inf) is inf, log of a negative number is NaN, NaN stays NaN.
fn logarithm(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let magnitude = bits & 0x7fffffffu;
    if magnitude == 0u {
        return bitcast<f32>(bits | 0xff800000u);
    }
    if bits >= 0x7f800000u {
        // inf and NaN are their own logarithm; a negative number has none.
        return bitcast<f32>(select(bits | 0x7fc00000u, bits, bits == 0x7f800000u));
    }
    // A subnormal number is read as a whole number of units 2^-149, which no device flushes to 0.
    let is_subnormal = bits < 0x00800000u;
    let normal = select(bits, bitcast<u32>(f32(bits)), is_subnormal);
    let offset = select(0, -149, is_subnormal);
    // Subtracting the bits of sqrt(1/2) carries into the exponent exactly where m reaches sqrt(2).
    let shifted = normal - 0x3f3504f3u;
    let k = f32((i32(shifted) >> 23u) + offset);
    let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u);
    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    let tail = t * (0.33333333 + t * (0.2 + t * (0.14285714 + t * 0.11111111)));
    // ln 2 in two parts, the first short enough for an exact product with k.
    return k * 0.693359375 + (2.0 * (s + s * tail) - k * 2.12194440e-4);
}
