// Rounding to half precision, on the bits: 11 bits of the mantissa stay, of two neighbors as near
// the even one.
fn half_precision(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let sign = bits & 0x80000000u;
    let size = bits & 0x7fffffffu;
    if size > 0x7f800000u {
        return bitcast<f32>(bits | 0x7fc00000u);
    }
    // From 65520 on, halfway to 2^16.
    if size >= 0x477ff000u {
        return bitcast<f32>(sign | 0x7f800000u);
    }
    // Below 2^-14 all are multiples of 2^-24; less than half of one is 0.
    if size < 0x38800000u {
        let m = (size & 0x7fffffu) | 0x800000u;
        let behind = clamp(126u - (size >> 23u), 1u, 25u);
        let rounded = (m + (1u << (behind - 1u)) - 1u + ((m >> behind) & 1u)) >> behind;
        return bitcast<f32>(sign | bitcast<u32>(f32(rounded) * power_of_two(-24)));
    }
    let odd = (size >> 13u) & 1u;
    return bitcast<f32>(sign | ((size + 0xfffu + odd) & 0xffffe000u));
}
