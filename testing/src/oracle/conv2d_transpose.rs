//! Transposed convolution as Keras and ONNX define it: scatter every input over the output, then crop.
//!
//! With k the dilated kernel size, the full result of an axis has (in - 1) * stride + k elements. Keras
//! describes the crop as padding (left, right) of the input with zeros between its elements; element i of the
//! output is element i + (k - 1) - left of the full result, and zero where that is outside of it. ONNX says how
//! many elements are cut off at both ends.

use ndarray::ArrayD;

use super::{Expected, Sum, sizes4};

/// The two paddings Keras has for this layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransposePadding {
    Same,
    Valid,
}

/// The paddings ONNX has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnnxPadding {
    SameUpper,
    SameLower,
    /// pads, none being (0, 0)
    Pads(usize, usize),
    /// pads that follow from output_shape; the flag says whether auto_pad is SAME_UPPER
    OutputShape(usize, bool),
}

/// Output size and first element of the full result by ONNX's rules, for one axis.
pub fn onnx_window(
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: OnnxPadding,
    output_padding: usize,
) -> (usize, usize) {
    let full = stride * (size - 1) + output_padding + (kernel - 1) * dilation + 1;
    let (output, upper) = match padding {
        OnnxPadding::Pads(begin, end) => return (full - begin - end, begin),
        OnnxPadding::SameUpper => (size * stride, true),
        OnnxPadding::SameLower => (size * stride, false),
        OnnxPadding::OutputShape(output, upper) => (output, upper),
    };
    let total = full.saturating_sub(output);
    (output, if upper { total / 2 } else { total.div_ceil(2) })
}

/// Output size and first element of the full result, for one axis; k is the dilated kernel size.
fn window(
    size: usize,
    k: usize,
    stride: usize,
    padding: TransposePadding,
    output_padding: Option<usize>,
) -> (usize, usize) {
    match (padding, output_padding) {
        (TransposePadding::Valid, None) => ((size - 1) * stride + k.max(stride), 0),
        (TransposePadding::Valid, Some(extra)) => ((size - 1) * stride + k + extra, 0),
        (TransposePadding::Same, None) => (size * stride, (k - 1) - same_left(stride + k - 2, k)),
        (TransposePadding::Same, Some(extra)) => {
            let total = k + k % 2 + extra - 2;
            ((size - 1) * stride + k % 2 + extra, (k - 1) - same_left(total, k))
        }
    }
}

/// Of a total padding the larger half goes before, but no more than the kernel can reach.
fn same_left(total: usize, k: usize) -> usize {
    total.div_ceil(2).min(k - 1)
}

/// conv2d_transpose by Keras's rules: input (N, H, W, Cin), kernel (kh, kw, Cout, Cin), bias (Cout).
pub fn conv2d_transpose(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    padding: TransposePadding,
    output_padding: Option<(usize, usize)>,
) -> Expected {
    let windows = keras_windows(input, kernel, strides, dilation, padding, output_padding);
    grouped_conv2d_transpose(input, kernel, bias, strides, dilation, 1, windows)
}

/// Output size and first element of the full result by Keras's rules, for both axes.
pub fn keras_windows(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    strides: (usize, usize),
    dilation: (usize, usize),
    padding: TransposePadding,
    output_padding: Option<(usize, usize)>,
) -> [(usize, usize); 2] {
    let [_, height, width, _] = sizes4(input);
    let [kh, kw, ..] = sizes4(kernel);
    let reach = ((kh - 1) * dilation.0 + 1, (kw - 1) * dilation.1 + 1);
    [
        window(height, reach.0, strides.0, padding, output_padding.map(|p| p.0)),
        window(width, reach.1, strides.1, padding, output_padding.map(|p| p.1)),
    ]
}

/// conv2d_transpose with given windows: input (N, H, W, Cin), kernel (kh, kw, Cout / groups, Cin), bias (Cout).
pub fn grouped_conv2d_transpose(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    groups: usize,
    windows: [(usize, usize); 2],
) -> Expected {
    let batch = sizes4(input)[0];
    let cout = sizes4(kernel)[2] * groups;
    let [(rows, top), (cols, left)] = windows;
    let full = scatter(input, kernel, strides, dilation, groups);
    let mut result = Expected::zeros(&[batch, rows, cols, cout]);
    for n in 0..batch {
        for y in 0..rows {
            for x in 0..cols {
                for o in 0..cout {
                    let found = full.get([n, y + top, x + left, o]);
                    let mut sum = found.copied().unwrap_or_default();
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

/// The full result, before the crop: output channel o of group g is the kernel's o - g * (Cout / groups).
fn scatter(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    strides: (usize, usize),
    dilation: (usize, usize),
    groups: usize,
) -> ndarray::Array4<Sum> {
    let [batch, height, width, channels] = sizes4(input);
    let [kh, kw, each, cin] = sizes4(kernel);
    assert_eq!(channels, cin, "the kernel's last dimension is the input's channels");
    assert_eq!(cin % groups, 0, "input channels divide into the groups");
    let rows = (height - 1) * strides.0 + (kh - 1) * dilation.0 + 1;
    let cols = (width - 1) * strides.1 + (kw - 1) * dilation.1 + 1;
    let mut full = ndarray::Array4::default((batch, rows, cols, each * groups));
    for n in 0..batch {
        for y in 0..height {
            for x in 0..width {
                for i in 0..kh {
                    for j in 0..kw {
                        let row = y * strides.0 + i * dilation.0;
                        let col = x * strides.1 + j * dilation.1;
                        for g in 0..groups {
                            for o in 0..each {
                                let sum: &mut Sum = &mut full[[n, row, col, g * each + o]];
                                for c in g * (cin / groups)..(g + 1) * (cin / groups) {
                                    sum.add(input[[n, y, x, c]] * kernel[[i, j, o, c]]);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    full
}
