//! Functions of one element that ONNX and NumPy have beside Keras's activations: one formula for each, by the name
//! that the crate prints. A function that is added to the crate needs one here.
//!
//! Those that f32 computes exactly have a bound of zero. The others' bounds say what the kernels promise: a
//! relative error of some units in the last place over the whole range, near the zeros of a function too.

use super::erf::erf;
use super::{EPSILON, SMALLEST};

/// The constants of a function; 0 for those that it does not have.
type Constants = [f64; 2];

/// What is known of a function.
struct Formula {
    name: &'static str,
    /// The exact value at a number.
    value: fn(f64, Constants) -> f64,
    rounding: Rounding,
    reach: Reach,
}

/// How far f32 may be from the exact value at an exact x.
enum Rounding {
    /// Not at all, not even by flushing.
    Exact,
    /// Some units in the last place.
    Units(f64),
    /// As x, the constants and the value's magnitude say.
    By(fn(f64, Constants, f64) -> f64),
}

/// How far the value can move with its argument.
enum Reach {
    /// As far as the steepest slope says.
    Slope(fn(Constants) -> f64),
    /// As far as x and how far that moves say; NaN where that may be outside of the domain or at a jump.
    By(fn(&Unary, f64, f64) -> f64),
}

use self::Reach::Slope;
use self::Rounding::{Exact, Units};

/// A reach within a domain, or at the side of a jump.
fn within(holds: bool, reach: f64) -> f64 {
    if holds { reach } else { f64::NAN }
}

/// How far a function that only rises or only falls can get.
fn monotone(of: &Unary, x: f64, bound: f64) -> f64 {
    let moved = |to: f64| (of.value(to) - of.value(x)).abs();
    moved(x - bound).max(moved(x + bound))
}

fn one(_: Constants) -> f64 {
    1.0
}

const FORMULAS: &[Formula] = &[
    Formula {
        name: "affine",
        value: |x, [scale, offset]| scale * x + offset,
        rounding: Rounding::By(|x, [scale, _], value| {
            EPSILON * ((scale * x).abs() + value) + SMALLEST
        }),
        reach: Slope(|[scale, _]| scale.abs()),
    },
    Formula {
        name: "clip",
        value: |x, [min, max]| if x.is_nan() { x } else { x.max(min).min(max) },
        rounding: Exact,
        reach: Slope(one),
    },
    Formula {
        name: "celu",
        value: |x, [alpha, _]| if x < 0.0 { alpha * (x / alpha).exp_m1() } else { x },
        rounding: Rounding::By(|x, [alpha, _], value| {
            if x >= 0.0 {
                return SMALLEST;
            }
            let t = x / alpha;
            let exp = t.exp() * (3.0 + 5.0 * t.abs()) * EPSILON;
            alpha * (exp + EPSILON) + 2.0 * EPSILON * value + SMALLEST
        }),
        reach: Slope(one),
    },
    Formula {
        name: "selu",
        value: |x, [alpha, gamma]| gamma * if x < 0.0 { alpha * x.exp_m1() } else { x },
        rounding: Rounding::By(|x, [alpha, gamma], value| {
            if x >= 0.0 {
                return EPSILON * value + SMALLEST;
            }
            let exp = x.exp() * (3.0 + 2.0 * x.abs()) * EPSILON;
            (alpha * gamma).abs() * (exp + EPSILON) + 3.0 * EPSILON * value + SMALLEST
        }),
        reach: Slope(|[alpha, gamma]| gamma.abs() * alpha.abs().max(1.0)),
    },
    Formula {
        name: "hard_sigmoid",
        value: |x, [alpha, beta]| (alpha * x + beta).clamp(0.0, 1.0),
        rounding: Rounding::By(|x, [alpha, beta], _| {
            let is_flat = !(-0.01..=1.01).contains(&(alpha * x + beta));
            if is_flat { 0.0 } else { 2.0 * EPSILON * ((alpha * x).abs() + beta.abs()) }
        }),
        reach: Slope(|[alpha, _]| alpha.abs()),
    },
    Formula {
        name: "swish",
        value: |x, [alpha, _]| x / (1.0 + (-alpha * x).exp()),
        rounding: Rounding::By(|x, [alpha, _], value| {
            let (u, sigmoid) = ((alpha * x).abs(), 1.0 / (1.0 + (-alpha * x).exp()));
            let slope = (1.0 - sigmoid) * (3.0 + 3.0 * u);
            value * (slope + 6.0) * EPSILON + SMALLEST * (1.0 + x.abs())
        }),
        reach: Slope(|_| 1.11),
    },
    Formula {
        name: "thresholded_relu",
        value: |x, [alpha, _]| if x <= alpha { 0.0 } else { x },
        rounding: Exact,
        reach: Reach::By(|of, x, bound| within((x - of.constants[0]).abs() > bound, bound)),
    },
    Formula { name: "abs", value: |x, _| x.abs(), rounding: Units(0.0), reach: Slope(one) },
    Formula { name: "negative", value: |x, _| -x, rounding: Units(0.0), reach: Slope(one) },
    Formula {
        name: "sqrt",
        value: |x, _| x.sqrt(),
        // WGSL's sqrt is 1 / inverseSqrt(x), its division 2.5 units off.
        rounding: Units(4.0),
        reach: Reach::By(|of, x, bound| within(x - bound > 0.05, monotone(of, x, bound))),
    },
    Formula {
        name: "reciprocal",
        value: |x, _| 1.0 / x,
        rounding: Units(3.0),
        reach: Reach::By(|of, x, bound| within(x.abs() - bound > 0.05, monotone(of, x, bound))),
    },
    Formula {
        name: "floor",
        value: |x, _| x.floor(),
        rounding: Exact,
        reach: Reach::By(|_, x, bound| {
            let low = x - bound;
            within(low.floor() == (x + bound).floor() && low != low.floor(), 0.0)
        }),
    },
    Formula {
        name: "ceil",
        value: |x, _| x.ceil(),
        rounding: Exact,
        reach: Reach::By(|_, x, bound| {
            let high = x + bound;
            within(high.ceil() == (x - bound).ceil() && high != high.ceil(), 0.0)
        }),
    },
    Formula {
        name: "round",
        value: |x, _| {
            // Of two neighbors as near, the even one.
            let low = x.floor();
            if x - low == 0.5 && low % 2.0 == 0.0 { low } else { (x + 0.5).floor() }
        },
        rounding: Exact,
        reach: Reach::By(|_, x, bound| within((x - x.floor() - 0.5).abs() > bound, 0.0)),
    },
    Formula {
        name: "half",
        value: |x, _| {
            // The last place of a number of 11 bits, 2^-24 at the least.
            let place = 2f64.powi((x.abs().log2().floor() as i32).saturating_sub(10).max(-24));
            let rounded = (x / place).round_ties_even() * place;
            if x.abs() < 65520.0 { rounded } else { x * f64::INFINITY }
        },
        rounding: Exact,
        reach: Reach::By(|of, x, bound| within(of.value(x - bound) == of.value(x + bound), 0.0)),
    },
    Formula {
        name: "sign",
        value: |x, _| if x == 0.0 { 0.0 } else { x.signum() },
        rounding: Exact,
        reach: Reach::By(|_, x, bound| within(x.abs() > bound, 0.0)),
    },
    Formula {
        name: "logical_not",
        value: |x, _| f64::from(x == 0.0),
        rounding: Exact,
        reach: Reach::By(|_, x, bound| within(x.abs() > bound, 0.0)),
    },
    Formula {
        name: "log",
        value: |x, _| x.ln(),
        rounding: Units(6.0),
        reach: Reach::By(|of, x, bound| within(x - bound > 0.05, monotone(of, x, bound))),
    },
    Formula { name: "erf", value: |x, _| erf(x), rounding: Units(8.0), reach: Slope(|_| 1.13) },
    Formula {
        name: "erfc",
        value: |x, _| {
            if x < 1.0 {
                return 1.0 - erf(x);
            }
            // A continued fraction from its 200th term on, as 1 - erf(x) would cancel.
            let rest = (1..=200).rev().fold(0.0, |rest, term| 0.5 * f64::from(term) / (x + rest));
            (-x * x).exp() / (std::f64::consts::PI.sqrt() * (x + rest))
        },
        // The square that the exponential is taken of is rounded.
        rounding: Rounding::By(|x, _, value| {
            let tail = if x < 0.0 { 2.0 - value } else { value };
            EPSILON * (8.0 * value + 3.0 * x * x * tail) + SMALLEST
        }),
        reach: Slope(|_| 1.13),
    },
    Formula { name: "sin", value: |x, _| x.sin(), rounding: Units(6.0), reach: Slope(one) },
    Formula { name: "cos", value: |x, _| x.cos(), rounding: Units(6.0), reach: Slope(one) },
    Formula {
        name: "tan",
        value: |x, _| x.tan(),
        rounding: Units(16.0),
        reach: Reach::By(|of, x, bound| within(x.abs() + bound < 1.4, monotone(of, x, bound))),
    },
    Formula {
        name: "asin",
        value: |x, _| x.asin(),
        rounding: Units(8.0),
        reach: Reach::By(|of, x, bound| within(x.abs() + bound < 0.95, monotone(of, x, bound))),
    },
    Formula {
        name: "acos",
        value: |x, _| x.acos(),
        rounding: Units(8.0),
        reach: Reach::By(|of, x, bound| within(x.abs() + bound < 0.95, monotone(of, x, bound))),
    },
    Formula { name: "atan", value: |x, _| x.atan(), rounding: Units(8.0), reach: Slope(one) },
    Formula {
        name: "sinh",
        value: |x, _| x.sinh(),
        rounding: Units(16.0),
        reach: Reach::By(monotone),
    },
    Formula {
        name: "cosh",
        value: |x, _| x.cosh(),
        rounding: Units(16.0),
        reach: Reach::By(|_, x, bound| (x.abs() + bound).sinh() * bound),
    },
    Formula {
        name: "asinh",
        value: |x, _| {
            if x.is_infinite() {
                return x;
            }
            (x.abs() + x * x / (1.0 + (x * x + 1.0).sqrt())).ln_1p() * x.signum()
        },
        rounding: Units(16.0),
        reach: Slope(one),
    },
    Formula {
        name: "acosh",
        value: |x, _| {
            if x < 1.0 {
                return f64::NAN;
            }
            ((x - 1.0) + ((x - 1.0) * (x + 1.0)).sqrt()).ln_1p()
        },
        rounding: Units(16.0),
        reach: Reach::By(|of, x, bound| within(x - bound > 1.05, monotone(of, x, bound))),
    },
    Formula {
        name: "atanh",
        value: |x, _| 0.5 * (2.0 * x.abs() / (1.0 - x.abs())).ln_1p() * x.signum(),
        rounding: Units(16.0),
        reach: Reach::By(|of, x, bound| within(x.abs() + bound < 0.95, monotone(of, x, bound))),
    },
    Formula {
        name: "is_nan",
        value: |x, _| f64::from(x.is_nan()),
        rounding: Exact,
        reach: Slope(|_| 0.0),
    },
    Formula {
        name: "is_inf",
        value: |x, counts| {
            let [positive, negative] = counts;
            if x.is_infinite() { if x > 0.0 { positive } else { negative } } else { 0.0 }
        },
        rounding: Exact,
        reach: Slope(|_| 0.0),
    },
];

/// A function with its constants.
#[derive(Clone, Copy)]
pub struct Unary {
    formula: &'static Formula,
    constants: Constants,
}

impl std::fmt::Debug for Unary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.formula.name, self.constants)
    }
}

impl PartialEq for Unary {
    fn eq(&self, other: &Self) -> bool {
        (self.formula.name, self.constants) == (other.formula.name, other.constants)
    }
}

impl Unary {
    /// The function of this name.
    pub fn named(name: &str, constants: [f64; 2]) -> Option<Self> {
        let formula = FORMULAS.iter().find(|formula| formula.name == name)?;
        Some(Unary { formula, constants })
    }

    /// The exact value at x.
    pub fn value(&self, x: f64) -> f64 {
        (self.formula.value)(x, self.constants)
    }

    /// How far f32 may be from the exact value at an exact x.
    pub fn rounding(&self, x: f64) -> f64 {
        let value = self.value(x).abs();
        match self.formula.rounding {
            Exact => 0.0,
            Units(units) => units * EPSILON * value + SMALLEST,
            Rounding::By(rounding) => rounding(x, self.constants, value),
        }
    }

    /// How far the value can be from that at x, when the argument is within a bound of x; NaN where the argument can
    /// be outside of the domain or at a jump.
    pub fn reach(&self, x: f64, bound: f64) -> f64 {
        if bound == 0.0 {
            return 0.0;
        }
        match self.formula.reach {
            Slope(slope) => slope(self.constants) * bound,
            Reach::By(reach) => reach(self, x, bound),
        }
    }
}
