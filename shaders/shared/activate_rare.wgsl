// What the long functions of one operand are made of: element-wise nodes alone have them, in an
// entry point of its own. Their numbers have the bit RARE.
//! uses unary_rare, exponential, logarithm, trigonometry

const RARE: u32 = 512u;

// log(x), and the inverse hyperbolic functions as log1p of what does not cancel:
//     asinh a = log1p(a + a^2 / (1 + sqrt(a^2 + 1)))
//     acosh a = log1p(t + sqrt(t (t + 2))),  t = a - 1
//     atanh a = log1p(2 a / (1 - a)) / 2
// Where a^2 could overflow both of the first are log(a) + log(2), to the last bit.
fn through_logarithm(kind: u32, x: f32) -> f32 {
    let a = abs(x);
    if (kind == ACOSH && x < 1.0) || (kind == ATANH && a > 1.0) {
        return quiet(x);
    }
    let is_large = a >= 16384.0 || kind == LOG;
    var y = 0.0;
    switch kind {
        case ASINH: { y = a + a * a / (1.0 + sqrt(a * a + 1.0)); }
        case ACOSH: {
            let t = x - 1.0;
            y = t + sqrt(t * (t + 2.0));
        }
        case ATANH: { y = 2.0 * a / (1.0 - a); }
        default: {}
    }
    // Rounding 1 + y costs digits where y is small alone. At 1 atanh is infinite.
    let log_of = logarithm(select(1.0 + y, select(a, x, kind == LOG), is_large));
    if kind == LOG {
        return log_of;
    }
    var value = log_of + select(0.0, 0.69314718, is_large);
    if y <= 1.0 && !is_large {
        value = log_of_one_plus(y);
    }
    if kind == ATANH {
        value = select(0.5 * value, bitcast<f32>(0x7f800000u), a == 1.0);
    }
    return select(value, -value, x < 0.0);
}

// erf(x) with e = exp(-x^2): by its series near 0, so that the relative error stays small, else
// 1 - 2 Phi(-|x| sqrt 2).
fn erf(x: f32, e: f32) -> f32 {
    let a = abs(x);
    let t = x * x;
    let series = a * (1.12837923 + t * (-0.376126379 + t * (0.112837918 + t * (-0.0268661715
        + t * (0.00522397785 + t * (-0.000854832702 + t * 0.000120553326))))));
    return odd(x, select(1.0 - 2.0 * normal_tail(1.41421356 * a, e), series, a < 0.5));
}

// sinh a = 2 sinh(a / 2) cosh(a / 2), from e = exp(-a / 2) and m = e - 1, and cosh a likewise: in
// two factors, as exp(a) overflows before they do.
fn sinh_of_half(x: f32, e: f32, m: f32) -> f32 {
    return odd(x, 0.5 * (-m * (1.0 + e) / e) * ((1.0 + e * e) / e));
}

fn cosh_of_half(e: f32) -> f32 {
    return (0.5 + 0.5 * e * e * e * e) / e / e;
}

// atan by a minimax polynomial on [-tan(pi / 8), tan(pi / 8)], of relative error 2.0e-8;
// asin by one on [-1/2, 1/2], of 5.0e-9, and as pi / 2 - 2 asin(sqrt((1 - a) / 2)) beyond.
fn inverse(kind: u32, x: f32) -> f32 {
    let a = abs(x);
    if kind == ATAN {
        let turned = select(a, 1.0 / a, a > 1.0);
        let is_steep = turned > 0.41421356;
        let z = select(turned, (turned - 1.0) / (turned + 1.0), is_steep);
        let t = z * z;
        let angle = z + z * t * (-0.33332956 + t * (0.19977926 + t * (-0.138798505 + t * 0.080603085)));
        let low = angle + select(0.0, 0.78539816, is_steep);
        let value = select(low, 1.57079633 - low, a > 1.0);
        return select(value, -value, x < 0.0);
    }
    if a > 1.0 {
        return quiet(x);
    }
    let is_outer = a > 0.5;
    let t = select(a * a, 0.5 * (1.0 - a), is_outer);
    let z = select(a, sqrt(t), is_outer);
    let angle = z + z * t * (0.166667536 + t * (0.0749524161 + t * (0.0454770997
        + t * (0.0241476 + t * 0.0422185659))));
    if kind == ASIN {
        let value = select(angle, 1.57079633 - 2.0 * angle, is_outer);
        return select(value, -value, x < 0.0);
    }
    if is_outer {
        return select(2.0 * angle, 3.14159265 - 2.0 * angle, x < 0.0);
    }
    return 1.57079633 - select(angle, -angle, x < 0.0);
}

// Which infinities count: 1 where positive and negative ones do, else 0.
fn infinite(x: f32, positive: f32, negative: f32) -> f32 {
    let bits = bitcast<u32>(x);
    return select(select(0.0, negative, bits == 0xff800000u), positive, bits == 0x7f800000u);
}

// As `finish`, with every function of one operand.
fn finish_any(index: u32, value: f32) -> f32 {
    var result = value;
    for (var i = 0u; i < params.epilogue.count; i++) {
        let kind = params.epilogue.kinds[i];
        let alpha = params.epilogue.alphas[i];
        let beta = params.epilogue.betas[i];
        if kind < BINARY && (kind & RARE) != 0u {
            result = activate_rare(kind, alpha, beta, result);
            continue;
        }
        var other = 0.0;
        if kind >= BINARY {
            other = extra[index % params.epilogue.period];
        }
        result = apply(kind, alpha, beta, result, other);
    }
    return result;
}
