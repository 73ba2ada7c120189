// sin, cos and tan of every finite number, with an error of a few units in the last place.
//
// WGSL promises its own within [-pi, pi] alone, and 2^-11 there. Here
//     x = (4 n + q + f) * pi / 2,  q from 0 to 3,  |f| <= 1/2
// where q and 62 bits of f come from x * 2 / pi in whole numbers: x = m * 2^e, and of the bits of
// 2 / pi those whose product with m is a multiple of 4, or too small to matter, are left out.

// Bits of 2 / pi behind the point, after 32 zeros, so that a window of them may begin before it.
const TWO_OVER_PI = array<u32, 8>(
    0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u,
    0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
);

// The 64 bits of a product, the lower half first; a is below 2^24.
fn multiply_wide(a: u32, b: u32) -> vec2<u32> {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let crossed = (a & 0xffffu) * (b >> 16u);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u) + (crossed & 0xffffu);
    let high = (a >> 16u) * (b >> 16u) + (crossed >> 16u) + (middle >> 16u);
    return vec2((middle << 16u) | (low & 0xffffu), high);
}

// What `circular` gives.
const SIN: u32 = 0u;
const COS: u32 = 1u;
const TAN: u32 = 2u;

// SIN, COS or TAN of x. NaN stays NaN; of an infinity all are NaN.
fn circular(x: f32, kind: u32) -> f32 {
    let quarters = select(0u, 1u, kind == COS);
    let bits = bitcast<u32>(x);
    let power = (bits >> 23u) & 0xffu;
    if power == 255u {
        return bitcast<f32>(bits | 0x7fc00000u);
    }
    var quadrant = quarters;
    var r = abs(x);
    // Below 1/2 x is its own remainder.
    if power >= 126u {
        var table = TWO_OVER_PI;
        let start = power - 120u;
        let word = start >> 5u;
        let shift = start & 31u;
        // Two shifts, as one by 32 is none.
        let back = 31u - shift;
        let w2 = (table[word] << shift) | ((table[word + 1u] >> 1u) >> back);
        let w1 = (table[word + 1u] << shift) | ((table[word + 2u] >> 1u) >> back);
        let w0 = (table[word + 2u] << shift) | ((table[word + 3u] >> 1u) >> back);
        let m = (bits & 0x7fffffu) | 0x800000u;
        let p0 = multiply_wide(m, w0);
        let p1 = multiply_wide(m, w1);
        let low = p0.y + p1.x;
        let high = m * w2 + p1.y + select(0u, 1u, low < p1.x);
        // Two bits for the quadrant, then those of the fraction, rounded to the nearest.
        let fraction = (high << 2u) | (low >> 30u);
        let tail = (low << 2u) | (p0.x >> 30u);
        quadrant += (high >> 30u) + (fraction >> 31u);
        let turn = (f32(bitcast<i32>(fraction)) + f32(tail) * 2.3283064365e-10) * 2.3283064365e-10;
        r = turn * 1.57079633;
    }
    // sin is odd, cos is even.
    if (bits >> 31u) == 1u {
        r = -r;
        quadrant = quarters - (quadrant - quarters);
    }
    let t = r * r;
    let odd = r + r * t * (-0.16666667 + t * (0.0083333310 + t * (-0.00019840874 + t * 2.7525562e-6)));
    let even = 1.0 + t * (-0.5 + t * (0.041666642 + t * (-0.0013888397 + t * 2.4760495e-5)));
    let is_turned = (quadrant & 1u) == 1u;
    if kind == TAN {
        return select(odd, -even, is_turned) / select(even, odd, is_turned);
    }
    let value = select(odd, even, is_turned);
    return select(value, -value, (quadrant & 2u) == 2u);
}
