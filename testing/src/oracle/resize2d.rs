//! Resizing images, NHWC: resize2d (to a size) and up_sampling2d (by whole factors).
//!
//! The rule, for each axis alone; `in` and `out` are its sizes, x an output index.
//!
//! 1. An axis with in == out is copied, whatever the interpolation and coordinates.
//! 2. Nearest copies one input element, in integer arithmetic:
//!    half-pixel     floor((2x + 1) * in / (2 * out))         the true pixel center, as Keras
//!    align-corners  ceil(x * (in - 1) / (out - 1) - 1/2)     a tie goes down (ONNX round_prefer_floor)
//!    asymmetric     floor(x * in / out)
//! 3. The others sample the input at the coordinate
//!    half-pixel     (x + 1/2) * in / out - 1/2
//!    align-corners  x * (in - 1) / (out - 1), and 0 if out == 1
//!    asymmetric     x * in / out
//!    The scale is always that of the sizes. The coordinate is not clamped.
//! 4. Input element j gets the weight f(|coordinate - j|), for 0 <= j < in only; then the weights are divided by
//!    their sum. Taps outside the image are thus dropped and the rest renormalized: for bilinear this equals
//!    clamping the coordinate, for bicubic it is ONNX's exclude_outside = 1. There is no antialiasing: f is not
//!    widened when the image shrinks.
//!    bilinear       f(t) = max(0, 1 - t)
//!    bicubic        Keys, a = -1/2:  1.5 t^3 - 2.5 t^2 + 1 for t < 1;  -0.5 t^3 + 2.5 t^2 - 4 t + 2 for t < 2;  0
//!    lanczos R      R sin(pi t) sin(pi t / R) / (pi t)^2 for 0.001 < t <= R;  1 for t <= 0.001;  0 beyond R
//!    (the flat top of lanczos is Keras's and JAX's: it changes a raw weight by up to 2e-6, but the others are
//!    small there, so after the division a result moves by about 1e-9, which no f32 kernel can show)
//! 5. The result is the sum over rows and columns of weight * weight * input.
//!
//! up_sampling2d by (h, w) is resize2d to (h * H, w * W) with half-pixel coordinates; nearest is repetition.

use ndarray::ArrayD;

use super::{EPSILON, Expected, SMALLEST, sizes4};

/// How an output element is made from input elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    Nearest,
    Bilinear,
    Bicubic,
    Lanczos3,
    Lanczos5,
}

/// Where an output element lies in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    HalfPixel,
    AlignCorners,
    Asymmetric,
}

/// up_sampling2d by whole factors (height, width).
pub fn up_sampling2d(
    input: &ArrayD<f64>,
    factors: (usize, usize),
    interpolation: Interpolation,
) -> Expected {
    let [batch, height, width, channels] = sizes4(input);
    let (rows, cols) = (height * factors.0, width * factors.1);
    if interpolation != Interpolation::Nearest {
        return resize2d(input, rows, cols, interpolation, Coordinates::HalfPixel);
    }
    let mut result = Expected::zeros(&[batch, rows, cols, channels]);
    for n in 0..batch {
        for y in 0..rows {
            for x in 0..cols {
                for c in 0..channels {
                    result.value[[n, y, x, c]] = input[[n, y / factors.0, x / factors.1, c]];
                }
            }
        }
    }
    result
}

/// resize2d to a size.
///
/// The bound allows weights computed in f32 from an f32 coordinate (see [`Axis::new`]) and rounding in a sum of
/// all products of a row weight, a column weight and an input element. A copy must be exact.
pub fn resize2d(
    input: &ArrayD<f64>,
    out_h: usize,
    out_w: usize,
    interpolation: Interpolation,
    coordinates: Coordinates,
) -> Expected {
    let [batch, height, width, channels] = sizes4(input);
    let rows: Vec<Axis> =
        (0..out_h).map(|y| Axis::new(y, height, out_h, interpolation, coordinates)).collect();
    let cols: Vec<Axis> =
        (0..out_w).map(|x| Axis::new(x, width, out_w, interpolation, coordinates)).collect();

    let mut result = Expected::zeros(&[batch, out_h, out_w, channels]);
    for n in 0..batch {
        for (y, row) in rows.iter().enumerate() {
            for (x, col) in cols.iter().enumerate() {
                let copies = row.is_copy() && col.is_copy();
                let terms = (row.terms() * col.terms()) as f64;
                for c in 0..channels {
                    let (mut value, mut magnitude, mut spread) = (0.0, 0.0, 0.0);
                    for i in row.near() {
                        for j in col.near() {
                            let element = input[[n, i, j, c]];
                            let (wy, ey) = (row.weights[i], row.errors[i]);
                            let (wx, ex) = (col.weights[j], col.errors[j]);
                            value += wy * wx * element;
                            magnitude += (wy * wx * element).abs();
                            spread += (ey * wx.abs() + wy.abs() * ex + ey * ex) * element.abs();
                        }
                    }
                    result.value[[n, y, x, c]] = value;
                    if !copies {
                        result.bound[[n, y, x, c]] =
                            (terms + 2.0) * EPSILON * magnitude + spread + 2.0 * terms * SMALLEST;
                    }
                }
            }
        }
    }
    result
}

/// What one output index reads along one axis: a weight, and how far it may be off, for every input element.
struct Axis {
    weights: Vec<f64>,
    errors: Vec<f64>,
}

impl Axis {
    /// An f32 coordinate c is within 3 epsilon * (|c| + 1) of the exact one (three roundings). A weight follows
    /// with the steepest slope of f, plus the rounding of f itself; the division by the sum adds the errors of
    /// all weights in proportion. Lanczos needs a sine, for which WGSL promises 2^-11 only: its bound
    /// is met by weights made in f64 on the host, or by a sine as good as f32.
    fn new(
        x: usize,
        size: usize,
        out: usize,
        interpolation: Interpolation,
        coordinates: Coordinates,
    ) -> Self {
        let copied = match interpolation {
            _ if size == out => Some(x),
            Interpolation::Nearest => Some(nearest(x, size, out, coordinates)),
            _ => None,
        };
        let mut axis = Self { weights: vec![0.0; size], errors: vec![0.0; size] };
        if let Some(j) = copied {
            axis.weights[j] = 1.0;
            return axis;
        }
        let at = coordinate(x, size, out, coordinates);
        let slack = 3.0 * EPSILON * (at.abs() + 1.0);
        let (radius, slope, roundings) = shape(interpolation);
        for j in 0..size {
            let distance = (at - j as f64).abs();
            axis.weights[j] = weight(interpolation, distance);
            if distance <= radius + slack {
                axis.errors[j] = slope * slack + roundings * EPSILON;
            }
        }
        let total: f64 = axis.weights.iter().sum();
        let total_error: f64 = axis.errors.iter().sum();
        for (weight, error) in axis.weights.iter_mut().zip(&mut axis.errors) {
            *weight /= total;
            if *error > 0.0 {
                *error = (*error + weight.abs() * total_error) / total.abs()
                    + 3.0 * EPSILON * weight.abs();
            }
        }
        axis
    }

    /// The input elements that matter: those with a weight, and those that get one by a rounded coordinate.
    fn near(&self) -> impl Iterator<Item = usize> {
        (0..self.weights.len()).filter(|&j| self.weights[j] != 0.0 || self.errors[j] != 0.0)
    }

    fn terms(&self) -> usize {
        self.near().count()
    }

    fn is_copy(&self) -> bool {
        self.errors.iter().all(|&error| error == 0.0)
    }
}

/// Rule 2.
fn nearest(x: usize, size: usize, out: usize, coordinates: Coordinates) -> usize {
    match coordinates {
        Coordinates::HalfPixel => (2 * x + 1) * size / (2 * out),
        Coordinates::Asymmetric => x * size / out,
        Coordinates::AlignCorners if out == 1 => 0,
        Coordinates::AlignCorners => {
            // ceil(p / q - 1/2) = floor((2p + q - 1) / 2q)
            let (p, q) = (x * (size - 1), out - 1);
            (2 * p + q - 1) / (2 * q)
        }
    }
}

/// Rule 3; one division, so that a whole number comes out whole.
fn coordinate(x: usize, size: usize, out: usize, coordinates: Coordinates) -> f64 {
    let (x, size, out) = (x as f64, size as f64, out as f64);
    match coordinates {
        Coordinates::HalfPixel => ((2.0 * x + 1.0) * size - out) / (2.0 * out),
        Coordinates::Asymmetric => x * size / out,
        Coordinates::AlignCorners if out == 1.0 => 0.0,
        Coordinates::AlignCorners => x * (size - 1.0) / (out - 1.0),
    }
}

/// Radius, an upper bound of the slope, and the rounding of one weight in units of epsilon.
fn shape(interpolation: Interpolation) -> (f64, f64, f64) {
    match interpolation {
        Interpolation::Nearest => (0.0, 0.0, 0.0),
        Interpolation::Bilinear => (1.0, 1.0, 2.0),
        // The steepest point is t = 5/9, with 25/18; the polynomials pass through numbers up to 10.
        Interpolation::Bicubic => (2.0, 1.4, 16.0),
        Interpolation::Lanczos3 => (3.0, 1.5, 8.0),
        Interpolation::Lanczos5 => (5.0, 1.5, 8.0),
    }
}

/// Rule 4's f.
fn weight(interpolation: Interpolation, t: f64) -> f64 {
    match interpolation {
        Interpolation::Nearest => unreachable!("nearest copies"),
        Interpolation::Bilinear => (1.0 - t).max(0.0),
        Interpolation::Bicubic if t < 1.0 => (1.5 * t - 2.5) * t * t + 1.0,
        Interpolation::Bicubic if t < 2.0 => ((-0.5 * t + 2.5) * t - 4.0) * t + 2.0,
        Interpolation::Bicubic => 0.0,
        Interpolation::Lanczos3 => lanczos(3.0, t),
        Interpolation::Lanczos5 => lanczos(5.0, t),
    }
}

fn lanczos(radius: f64, t: f64) -> f64 {
    if t > radius {
        0.0
    } else if t > 1e-3 {
        let angle = std::f64::consts::PI * t;
        radius * angle.sin() * (angle / radius).sin() / (angle * angle)
    } else {
        1.0
    }
}
