//! Sampling at places that a grid gives, channels last, by the formulas of ONNX's GridSample.
//!
//! Along an axis of length L a coordinate n lies at
//!
//!   ((n + 1) * L - 1) / 2      between the outer edges -1/2 and L - 1/2
//!   (n + 1) / 2 * (L - 1)      with aligned corners, between the centers 0 and L - 1
//!
//! For nearest it is rounded, halves to even. Then, if it lies outside of these ends: border moves it to the nearest
//! center, reflection folds it back at the ends. The pixels around it count by the weights 1, (1 - t, t), or Keys' cubic
//! with a = -0.75; a pixel outside is 0, or the nearest, or the one that its number folds to. A weight of 0 leaves its
//! pixel out. NaN gives NaN, and so does infinity that would be folded.

use ndarray::{ArrayD, IxDyn};

use super::{EPSILON, Expected, SMALLEST};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Nearest,
    Linear,
    Cubic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    Zeros,
    Border,
    Reflection,
}

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub mode: Mode,
    pub padding: Padding,
    pub align_corners: bool,
}

impl Rule {
    /// The ends of an axis.
    fn ends(self, length: usize) -> (f64, f64) {
        let length = length as f64;
        if self.align_corners { (0.0, length - 1.0) } else { (-0.5, length - 0.5) }
    }

    /// Where a coordinate lies on an axis, before padding.
    pub fn place(self, coordinate: f64, length: usize) -> f64 {
        let length = length as f64;
        if self.align_corners {
            (coordinate + 1.0) * (length - 1.0) / 2.0
        } else {
            ((coordinate + 1.0) * length - 1.0) / 2.0
        }
    }

    /// The coordinate of a place.
    pub fn coordinate(self, place: f64, length: usize) -> f64 {
        let length = length as f64;
        if self.align_corners {
            2.0 * place / (length - 1.0) - 1.0
        } else {
            (2.0 * place + 1.0) / length - 1.0
        }
    }

    /// The pixels and weights of one axis; `None` for no place.
    fn taps(self, coordinate: f64, length: usize) -> Option<Vec<(usize, f64)>> {
        let mut at = self.place(coordinate, length);
        let (low, high) = self.ends(length);
        if at.is_nan() || (at.is_infinite() && self.padding == Padding::Reflection) {
            return None;
        }
        if self.mode == Mode::Nearest {
            at = at.round_ties_even();
        }
        if at < low || at > high {
            at = match self.padding {
                Padding::Zeros => at,
                Padding::Border => at.max(0.0).min(length as f64 - 1.0),
                Padding::Reflection => fold(at, low, high),
            };
        }
        if at.abs() > 1e12 {
            return Some(Vec::new());
        }
        let first = at.floor();
        let t = at - first;
        let weights = match self.mode {
            Mode::Nearest => vec![(0, 1.0)],
            Mode::Linear => vec![(0, 1.0 - t), (1, t)],
            Mode::Cubic => [-1, 0, 1, 2].map(|tap| (tap, keys((f64::from(tap) - t).abs()))).into(),
        };
        let mut taps = Vec::new();
        for (tap, weight) in weights {
            let at = first + f64::from(tap);
            let pixel = match self.padding {
                Padding::Zeros if at < 0.0 || at > length as f64 - 1.0 => continue,
                Padding::Zeros => at,
                Padding::Border => at.max(0.0).min(length as f64 - 1.0),
                Padding::Reflection => fold(at, low, high),
            };
            if weight != 0.0 {
                taps.push((pixel as usize, weight));
            }
        }
        Some(taps)
    }
}

/// Folds a number back between two ends, step by step.
fn fold(mut at: f64, low: f64, high: f64) -> f64 {
    if low == high {
        return low;
    }
    // Whole turns first.
    at -= ((at - low) / (2.0 * (high - low))).floor() * 2.0 * (high - low);
    if at > high { 2.0 * high - at } else { at }
}

/// Keys' cubic with a = -0.75.
fn keys(d: f64) -> f64 {
    let a = -0.75;
    if d < 1.0 {
        (a + 2.0) * d.powi(3) - (a + 3.0) * d.powi(2) + 1.0
    } else if d < 2.0 {
        a * d.powi(3) - 5.0 * a * d.powi(2) + 8.0 * a * d - 4.0 * a
    } else {
        0.0
    }
}

/// Samples (batch, axes..., channels) by (batch, points..., coordinates), x first.
///
/// Places are computed in f32, so they are off by some units of the axis's length and of their own size. An error of a
/// place counts with the steepest slope, 2 for the weights of linear and 4 for those of cubic, times the largest
/// magnitude, times what the other axes' weights sum to at most, 1 or 1.4 each.
pub fn grid_sample(input: &ArrayD<f64>, grid: &ArrayD<f64>, rule: Rule) -> Expected {
    let rank = input.ndim();
    let lengths = &input.shape()[1..rank - 1];
    let channels = input.shape()[rank - 1];
    let mut shape = grid.shape().to_vec();
    shape[rank - 1] = channels;
    let mut result = Expected::zeros(&shape);
    let (slope, sum): (f64, f64) = match rule.mode {
        Mode::Nearest => (0.0, 1.0),
        Mode::Linear => (2.0, 1.0),
        Mode::Cubic => (4.0, 1.4),
    };
    let finite = input.iter().filter(|value| value.is_finite());
    let largest = finite.fold(0.0f64, |most, value| most.max(value.abs()));
    let others = sum.powi(lengths.len() as i32 - 1);
    let indices: Vec<_> = ndarray::indices(result.value.raw_dim()).into_iter().collect();
    for index in indices {
        let mut place = index.clone();
        let mut error = 0.0;
        // From the first axis, whose coordinate is the point's last.
        let taps: Option<Vec<_>> = (0..lengths.len())
            .map(|axis| {
                place[rank - 1] = lengths.len() - 1 - axis;
                let coordinate = grid[&place];
                let size = (coordinate.abs() + 1.0) * lengths[axis] as f64 + 1.0;
                error += 4.0 * EPSILON * size.min(1e30);
                rule.taps(coordinate, lengths[axis])
            })
            .collect();
        let Some(taps) = taps else {
            result.value[&index] = f64::NAN;
            continue;
        };
        let mut partial = vec![(vec![index[0]], 1.0)];
        for axis in &taps {
            partial = partial
                .iter()
                .flat_map(|(pixels, weight)| {
                    axis.iter()
                        .map(move |(pixel, tap)| ([&pixels[..], &[*pixel]].concat(), weight * tap))
                })
                .collect();
        }
        let (mut value, mut magnitude) = (0.0, 0.0);
        for (mut pixels, weight) in partial.iter().cloned() {
            pixels.push(index[rank - 1]);
            let term = weight * input[IxDyn(&pixels)];
            value += term;
            magnitude += term.abs();
        }
        result.value[&index] = value;
        if value.is_finite() && rule.mode != Mode::Nearest {
            let terms = partial.len() as f64;
            // A weight is off by a few units of what it is made of, which is at most 12.
            let weights = 12.0 * EPSILON * sum.powi(lengths.len() as i32) * largest * 3.0;
            result.bound[&index] = slope * others * largest * error
                + weights
                + (terms + 4.0) * EPSILON * magnitude
                + terms * SMALLEST;
        }
    }
    result
}
