//! Convolutions that gather: conv2d, depthwise_conv2d and separable_conv2d, NHWC.
//!
//! A tap outside the image contributes nothing. With a stride and a dilation together, the padding is that of
//! the dilated kernel at that stride.

use ndarray::{ArrayD, IxDyn};

use super::{EPSILON, Expected, Sum, sizes4};

/// How an image is extended with zeros before a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// ceil(in / stride) outputs; of an odd total the larger half comes after (Keras `same`).
    Same,
    /// ceil(in / stride) outputs; of an odd total the larger half comes before (ONNX `SAME_LOWER`).
    SameLower,
    /// No zeros.
    Valid,
    /// Given amounts.
    Explicit { top: usize, bottom: usize, left: usize, right: usize },
}

impl Padding {
    /// Zeros before and after one axis (0 is height), from image size, dilated kernel size and stride.
    fn amounts(self, axis: usize, size: usize, reach: usize, stride: usize) -> (usize, usize) {
        let outputs = size.div_ceil(stride);
        let total = ((outputs - 1) * stride + reach).saturating_sub(size);
        let smaller = total / 2;
        match self {
            Padding::Same => (smaller, total - smaller),
            Padding::SameLower => (total - smaller, smaller),
            Padding::Valid => (0, 0),
            Padding::Explicit { top, bottom, left, right } => [(top, bottom), (left, right)][axis],
        }
    }
}

/// One axis of a convolution: how many outputs, and which input each tap of each output reads.
struct Axis {
    size: usize,
    outputs: usize,
    before: usize,
    stride: usize,
    dilation: usize,
}

impl Axis {
    fn new(
        padding: Padding,
        axis: usize,
        size: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
    ) -> Self {
        let reach = (kernel - 1) * dilation + 1;
        let (before, after) = padding.amounts(axis, size, reach, stride);
        let padded = size + before + after;
        assert!(
            padded >= reach,
            "axis {axis}: kernel reaches {reach} but the padded image has {padded}"
        );
        let outputs = (padded - reach) / stride + 1;
        Self { size, outputs, before, stride, dilation }
    }

    fn source(&self, output: usize, tap: usize) -> Option<usize> {
        let position = (output * self.stride + tap * self.dilation).checked_sub(self.before)?;
        (position < self.size).then_some(position)
    }
}

/// conv2d: input (N, H, W, Cin), kernel (kh, kw, Cin / groups, Cout), bias (Cout).
pub fn conv2d(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    groups: usize,
    padding: Padding,
) -> Expected {
    let [batch, height, width, channels] = sizes4(input);
    let [kh, kw, cin, cout] = sizes4(kernel);
    assert_eq!(channels, cin * groups, "input channels are groups times kernel channels");
    assert_eq!(cout % groups, 0, "filters divide into the groups");
    let rows = Axis::new(padding, 0, height, kh, strides.0, dilation.0);
    let cols = Axis::new(padding, 1, width, kw, strides.1, dilation.1);

    let mut result = Expected::zeros(&[batch, rows.outputs, cols.outputs, cout]);
    for n in 0..batch {
        for y in 0..rows.outputs {
            for x in 0..cols.outputs {
                for o in 0..cout {
                    let first = o / (cout / groups) * cin;
                    let mut sum = Sum::default();
                    for i in 0..kh {
                        let Some(row) = rows.source(y, i) else { continue };
                        for j in 0..kw {
                            let Some(col) = cols.source(x, j) else { continue };
                            for c in 0..cin {
                                sum.add(input[[n, row, col, first + c]] * kernel[[i, j, c, o]]);
                            }
                        }
                    }
                    if let Some(bias) = bias {
                        sum.add(bias[[o]]);
                    }
                    result.value[[n, y, x, o]] = sum.value;
                    result.bound[[n, y, x, o]] = sum.bound();
                }
            }
        }
    }
    result
}

/// depthwise_conv2d: kernel (kh, kw, Cin, multiplier); output channel c * multiplier + m reads channel c.
pub fn depthwise_conv2d(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    padding: Padding,
) -> Expected {
    let [kh, kw, channels, multiplier] = sizes4(kernel);
    let mut grouped = ArrayD::zeros(IxDyn(&[kh, kw, 1, channels * multiplier]));
    for i in 0..kh {
        for j in 0..kw {
            for c in 0..channels {
                for m in 0..multiplier {
                    grouped[[i, j, 0, c * multiplier + m]] = kernel[[i, j, c, m]];
                }
            }
        }
    }
    conv2d(input, &grouped, bias, strides, dilation, channels, padding)
}

/// separable_conv2d: a depthwise convolution without bias, then a 1x1 convolution with the bias.
pub fn separable_conv2d(
    input: &ArrayD<f64>,
    depthwise: &ArrayD<f64>,
    pointwise: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    padding: Padding,
) -> Expected {
    let middle = depthwise_conv2d(input, depthwise, None, strides, dilation, padding);
    let one = (1, 1);
    let mut result = conv2d(&middle.value, pointwise, bias, one, one, 1, Padding::Valid);
    // What the first step may be wrong by passes through the second with the weights' magnitudes, and is
    // itself subject to the second's rounding.
    let spread =
        conv2d(&middle.bound, &pointwise.mapv(f64::abs), None, one, one, 1, Padding::Valid);
    let terms = pointwise.shape()[2] as f64;
    result.bound = result.bound + spread.value * (1.0 + (terms + 2.0) * EPSILON);
    result
}
