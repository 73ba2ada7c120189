//! Pooling windows of images, NHWC.
//!
//! Along each axis, with extent = (k - 1) * dilation + 1 and before, after the padding:
//!
//!   valid       as explicit, with no padding
//!   same        ceil(in / stride), with ceil or without; padding max(0, (out - 1) * stride + extent - in), the odd one after (before, for
//!               same_lower)
//!   explicit    floor((in + before + after - extent) / stride) + 1; with ceil, rounded up instead, less one if that
//!               window would begin at or behind in + before
//!
//! Tap i of window y is pixel y * stride + i * dilation - before. Of the taps on the image
//!
//!   max         the largest, NaN if there is one, -infinity if there is no tap
//!   average     their sum, divided by their number; with count_include_pad by the number of taps before
//!               in + before + after; NaN for none
//!   lp          (sum of |tap|^p)^(1/p), 0 for none

use ndarray::ArrayD;

use super::conv2d::Padding;
use super::{EPSILON, Expected, SMALLEST, sizes4};

/// What is taken of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    Max,
    Average,
    Lp(u16),
}

/// A pooling with all its options; pairs are (height, width).
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub mode: Mode,
    pub kernel: (usize, usize),
    pub strides: (usize, usize),
    pub dilation: (usize, usize),
    pub padding: Padding,
    pub ceil: bool,
    pub count_include_pad: bool,
}

/// Windows along one axis.
#[derive(Clone, Copy)]
struct Line {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
    out: usize,
}

impl Line {
    fn new(pool: &Pool, size: usize, axis: usize) -> Self {
        let pick = |pair: (usize, usize)| if axis == 0 { pair.0 } else { pair.1 };
        let (kernel, stride, dilation) =
            (pick(pool.kernel), pick(pool.strides), pick(pool.dilation));
        let extent = (kernel - 1) * dilation + 1;
        let out = size.div_ceil(stride);
        let total = ((out - 1) * stride + extent).saturating_sub(size);
        let (before, after, out) = match pool.padding {
            Padding::Same => (total / 2, total - total / 2, out),
            Padding::SameLower => (total - total / 2, total / 2, out),
            Padding::Valid | Padding::Explicit { .. } => {
                let (before, after) = match (pool.padding, axis) {
                    (Padding::Explicit { top, bottom, .. }, 0) => (top, bottom),
                    (Padding::Explicit { left, right, .. }, _) => (left, right),
                    (Padding::Valid | Padding::Same | Padding::SameLower, _) => (0, 0),
                };
                let room = (size + before + after) as f64 - extent as f64;
                let steps = room / stride as f64;
                let mut out = if pool.ceil { steps.ceil() + 1.0 } else { steps.floor() + 1.0 };
                if pool.ceil && (out - 1.0) * stride as f64 >= (size + before) as f64 {
                    out -= 1.0;
                }
                (before, after, out as usize)
            }
        };
        Line { size, kernel, stride, dilation, before, after, out }
    }

    /// The pixels of window `at`, and how many of its taps lie on the padded image.
    fn window(&self, at: usize) -> (Vec<usize>, usize) {
        let mut pixels = Vec::new();
        let mut padded = 0;
        for tap in 0..self.kernel {
            let place = at * self.stride + tap * self.dilation;
            if place < self.size + self.before + self.after {
                padded += 1;
            }
            if place >= self.before && place - self.before < self.size {
                pixels.push(place - self.before);
            }
        }
        (pixels, padded)
    }
}

/// pool2d.
///
/// An average's bound is that of a sum, divided. A norm's allows, for each power, a division (2.5 units) and p
/// products, all of which the root divides by p, the sum, and a root of a few units.
pub fn pool2d(input: &ArrayD<f64>, pool: &Pool) -> Expected {
    let [batch, height, width, channels] = sizes4(input);
    let (rows, columns) = (Line::new(pool, height, 0), Line::new(pool, width, 1));
    let mut result = Expected::zeros(&[batch, rows.out, columns.out, channels]);
    for n in 0..batch {
        for y in 0..rows.out {
            let (lines, high) = rows.window(y);
            for x in 0..columns.out {
                let (pixels, wide) = columns.window(x);
                let divisor =
                    if pool.count_include_pad { high * wide } else { lines.len() * pixels.len() };
                for c in 0..channels {
                    let mut taken = Vec::new();
                    for &i in &lines {
                        taken.extend(pixels.iter().map(|&j| input[[n, i, j, c]]));
                    }
                    let (value, bound) = take(pool.mode, &taken, divisor);
                    result.value[[n, y, x, c]] = value;
                    result.bound[[n, y, x, c]] = bound;
                }
            }
        }
    }
    result
}

/// Pooling over the whole image, to (batch, 1, 1, channels).
///
/// The bound of an average or norm holds for one made of the rows' too: twice that of one.
pub fn global_pool2d(input: &ArrayD<f64>, mode: Mode) -> Expected {
    let [_, height, width, _] = sizes4(input);
    let pool = Pool {
        mode,
        kernel: (height, width),
        strides: (1, 1),
        dilation: (1, 1),
        padding: Padding::Valid,
        ceil: false,
        count_include_pad: false,
    };
    let mut result = pool2d(input, &pool);
    result.bound *= 2.0;
    result
}

fn take(mode: Mode, taken: &[f64], divisor: usize) -> (f64, f64) {
    let terms = taken.len() as f64;
    match mode {
        Mode::Max => {
            let mut best = f64::NEG_INFINITY;
            for &value in taken {
                if value.is_nan() || best.is_nan() {
                    best = f64::NAN;
                } else if value > best {
                    best = value;
                }
            }
            (best, 0.0)
        }
        Mode::Average => {
            let sum: f64 = taken.iter().sum();
            let magnitude: f64 = taken.iter().map(|value| value.abs()).sum();
            let divisor = divisor as f64;
            let bound =
                ((terms + 4.0) * EPSILON * magnitude + terms * SMALLEST) / divisor + SMALLEST;
            (sum / divisor, bound)
        }
        Mode::Lp(p) => {
            let p = f64::from(p);
            let largest = taken.iter().fold(0.0f64, |most, value| most.max(value.abs()));
            if taken.iter().any(|value| value.is_nan()) {
                return (f64::NAN, 0.0);
            }
            if largest == 0.0 || largest.is_infinite() {
                return (largest, 0.0);
            }
            let sum: f64 = taken.iter().map(|value| (value.abs() / largest).powf(p)).sum();
            let value = largest * sum.powf(1.0 / p);
            (value, (terms / p + 12.0) * EPSILON * value + (terms + 1.0) * SMALLEST)
        }
    }
}
