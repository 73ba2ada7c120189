//! ONNX's Resize, along any axes of an array of any rank.
//!
//! For an axis of length L, output index x, length O and scale s (a fraction n / d, or a number that was given):
//!
//!   half_pixel            (x + 1/2) / s - 1/2
//!   half_pixel_symmetric  L / 2 * (1 - O / (s L)) + (x + 1/2) / s - 1/2
//!   pytorch_half_pixel    as half_pixel; 0 if O == 1
//!   align_corners         x (L - 1) / (s L - 1); 0 if s L == 1
//!   asymmetric            x / s
//!   tf_half_pixel_for_nn  (x + 1/2) / s
//!   tf_crop_and_resize    start (L - 1) + x (end - start) (L - 1) / (W - 1), and 1/2 (start + end) (L - 1) if W <= 1,
//!                         W = s L for a fraction and s L (end - start) for a given scale; outside 0..L-1 the whole
//!                         element is the extrapolation value
//!
//! Nearest copies the pixel that its mode makes of the coordinate, clamped. The others weigh every pixel j, beyond the
//! ends too, with f(|j - coordinate| * shrink), shrink = min(s, 1) with antialias and 1 without, and divide by the sum
//! of the weights; pixels beyond an end count as the one at the end, or, excluded, not at all (nor in the sum).
//! An axis of scale 1, wholly taken, is copied.

use ndarray::{ArrayD, IxDyn};

use super::{EPSILON, Expected, SMALLEST};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
    Linear,
    Cubic(f64),
}

#[derive(Clone, Copy, Debug)]
pub enum Scale {
    Fraction(usize, usize),
    Given(f32),
}

#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub at: usize,
    pub length: usize,
    pub scale: Scale,
    pub roi: (f64, f64),
}

#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub mode: Mode,
    /// ONNX's name.
    pub coordinates: &'static str,
    pub exclude_outside: bool,
    pub antialias: bool,
    pub extrapolation_value: f64,
}

/// The length of an axis by a given scale: of an f32 product, as ONNX Runtime has it.
pub fn scaled(input: usize, scale: f32, roi: (f64, f64)) -> usize {
    (input as f32 * (roi.1 as f32 - roi.0 as f32) * scale).floor() as usize
}

/// resize, one axis behind another: the weights are products, so the order does not matter.
pub fn resize(input: &ArrayD<f64>, axes: &[Axis], rule: &Rule) -> Expected {
    let mut value = input.clone();
    let mut magnitude = input.mapv(f64::abs);
    let mut terms = 0;
    for axis in axes {
        let from = value.shape()[axis.at];
        let lines: Vec<Option<Vec<f64>>> =
            (0..axis.length).map(|x| weights(x, from, axis, rule)).collect();
        let most = |line: &Vec<f64>| line.iter().filter(|weight| **weight != 0.0).count();
        terms += lines.iter().flatten().map(most).max().unwrap_or(0) + 4;
        let outside = rule.extrapolation_value;
        value = along(&value, axis, &lines, outside, |weight| weight);
        magnitude = along(&magnitude, axis, &lines, outside.abs(), f64::abs);
    }
    let copies = !matches!(rule.mode, Mode::Linear | Mode::Cubic(_));
    let bound =
        magnitude.mapv(
            |magnitude| {
                if copies { 0.0 } else { terms as f64 * (EPSILON * magnitude + SMALLEST) }
            },
        );
    Expected { value, bound }
}

fn along(
    array: &ArrayD<f64>,
    axis: &Axis,
    lines: &[Option<Vec<f64>>],
    outside: f64,
    part: impl Fn(f64) -> f64,
) -> ArrayD<f64> {
    let mut shape = array.shape().to_vec();
    shape[axis.at] = axis.length;
    ArrayD::from_shape_fn(IxDyn(&shape), |at| {
        let Some(line) = &lines[at[axis.at]] else { return outside };
        let mut from = at.clone();
        let mut sum = 0.0;
        for (j, &weight) in line.iter().enumerate() {
            from[axis.at] = j;
            if weight != 0.0 {
                sum += part(weight) * array[&from];
            }
        }
        sum
    })
}

/// The weight of every pixel for one output index; none for what is extrapolated.
fn weights(x: usize, from: usize, axis: &Axis, rule: &Rule) -> Option<Vec<f64>> {
    let mut line = vec![0.0; from];
    let scale = match axis.scale {
        Scale::Fraction(n, d) => n as f64 / d as f64,
        Scale::Given(s) => f64::from(s),
    };
    if scale == 1.0 && axis.roi == (0.0, 1.0) {
        line[x] = 1.0;
        return Some(line);
    }
    let at = coordinate(x, from, axis, rule.coordinates)?;
    let last = from as i64 - 1;
    let rounded = match rule.mode {
        Mode::RoundPreferFloor => Some((at - 0.5).ceil()),
        Mode::RoundPreferCeil => Some((at + 0.5).floor()),
        Mode::Floor => Some(at.floor()),
        Mode::Ceil => Some(at.ceil()),
        Mode::Linear | Mode::Cubic(_) => None,
    };
    if let Some(pixel) = rounded {
        line[(pixel as i64).clamp(0, last) as usize] = 1.0;
        return Some(line);
    }
    let shrink = if rule.antialias { scale.min(1.0) } else { 1.0 };
    let reach = (2.0 / shrink).ceil() as i64 + 2;
    let mut total = 0.0;
    for j in at.floor() as i64 - reach..=at.floor() as i64 + reach {
        let inside = j.clamp(0, last);
        if rule.exclude_outside && inside != j {
            continue;
        }
        let weight = kernel((j as f64 - at).abs() * shrink, rule.mode);
        line[inside as usize] += weight;
        total += weight;
    }
    for weight in &mut line {
        *weight /= total;
    }
    Some(line)
}

fn kernel(t: f64, mode: Mode) -> f64 {
    match mode {
        Mode::Cubic(a) if t < 1.0 => (a + 2.0) * t.powi(3) - (a + 3.0) * t.powi(2) + 1.0,
        Mode::Cubic(a) if t < 2.0 => a * t.powi(3) - 5.0 * a * t.powi(2) + 8.0 * a * t - 4.0 * a,
        Mode::Cubic(_) => 0.0,
        _ => (1.0 - t).max(0.0),
    }
}

fn coordinate(x: usize, from: usize, axis: &Axis, rule: &str) -> Option<f64> {
    let (index, length, out) = (x as f64, from as f64, axis.length as f64);
    // A fraction's formulas are brought to one division, so that whole numbers and ties come out so.
    let by = |numerator: f64, given: f64| match axis.scale {
        Scale::Fraction(n, d) => (numerator * d as f64 - n as f64) / (2.0 * n as f64),
        Scale::Given(_) => given,
    };
    let (s, full) = match axis.scale {
        Scale::Fraction(n, d) => (n as f64 / d as f64, length * n as f64 / d as f64),
        Scale::Given(s) => (f64::from(s), length * f64::from(s)),
    };
    let half_pixel = by(2.0 * index + 1.0, (index + 0.5) / s - 0.5);
    Some(match rule {
        "half_pixel" => half_pixel,
        "pytorch_half_pixel" if axis.length == 1 => 0.0,
        "pytorch_half_pixel" => half_pixel,
        "half_pixel_symmetric" => length / 2.0 * (1.0 - out / full) + half_pixel,
        "align_corners" if full <= 1.0 => 0.0,
        "align_corners" => index * (length - 1.0) / (full - 1.0),
        "asymmetric" => match axis.scale {
            Scale::Fraction(n, d) => index * d as f64 / n as f64,
            Scale::Given(_) => index / s,
        },
        "tf_half_pixel_for_nn" => match axis.scale {
            Scale::Fraction(n, d) => (2.0 * index + 1.0) * d as f64 / (2.0 * n as f64),
            Scale::Given(_) => (index + 0.5) / s,
        },
        "tf_crop_and_resize" => {
            let (start, end) = axis.roi;
            let full = match axis.scale {
                Scale::Fraction(..) => full,
                Scale::Given(_) => full * (end - start),
            };
            let at = if full <= 1.0 {
                0.5 * (start + end) * (length - 1.0)
            } else {
                start * (length - 1.0) + index * (end - start) * (length - 1.0) / (full - 1.0)
            };
            // An end of exactly 1 may come out a rounding above it.
            let at = if (at - (length - 1.0)).abs() < 1e-12 { length - 1.0 } else { at };
            if at < 0.0 || at > length - 1.0 {
                return None;
            }
            at
        }
        other => panic!("coordinates {other}"),
    })
}
