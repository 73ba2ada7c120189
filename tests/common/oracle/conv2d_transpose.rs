//! Transposed convolution as Keras defines it: scatter every input over the output, then crop.
//!
//! With k the dilated kernel size, the full result of an axis has (in - 1) * stride + k elements. Keras
//! describes the crop as padding (left, right) of the input with zeros between its elements; element i of the
//! output is element i + (k - 1) - left of the full result, and zero where that is outside of it.

use ndarray::ArrayD;

use super::{Expected, Sum, sizes4};

/// The two paddings Keras has for this layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransposePadding {
    Same,
    Valid,
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

/// conv2d_transpose: input (N, H, W, Cin), kernel (kh, kw, Cout, Cin), bias (Cout).
pub fn conv2d_transpose(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    bias: Option<&ArrayD<f64>>,
    strides: (usize, usize),
    dilation: (usize, usize),
    padding: TransposePadding,
    output_padding: Option<(usize, usize)>,
) -> Expected {
    let [batch, height, width, _] = sizes4(input);
    let [kh, kw, cout, _] = sizes4(kernel);
    let reach = ((kh - 1) * dilation.0 + 1, (kw - 1) * dilation.1 + 1);
    let (rows, top) = window(height, reach.0, strides.0, padding, output_padding.map(|p| p.0));
    let (cols, left) = window(width, reach.1, strides.1, padding, output_padding.map(|p| p.1));

    let full = scatter(input, kernel, strides, dilation, reach);
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

/// The full result, before the crop.
fn scatter(
    input: &ArrayD<f64>,
    kernel: &ArrayD<f64>,
    strides: (usize, usize),
    dilation: (usize, usize),
    reach: (usize, usize),
) -> ndarray::Array4<Sum> {
    let [batch, height, width, channels] = sizes4(input);
    let [kh, kw, cout, cin] = sizes4(kernel);
    assert_eq!(channels, cin, "the kernel's last dimension is the input's channels");
    let rows = (height - 1) * strides.0 + reach.0;
    let cols = (width - 1) * strides.1 + reach.1;
    let mut full = ndarray::Array4::default((batch, rows, cols, cout));
    for n in 0..batch {
        for y in 0..height {
            for x in 0..width {
                for i in 0..kh {
                    for j in 0..kw {
                        let row = y * strides.0 + i * dilation.0;
                        let col = x * strides.1 + j * dilation.1;
                        for o in 0..cout {
                            let sum: &mut Sum = &mut full[[n, row, col, o]];
                            for c in 0..cin {
                                sum.add(input[[n, y, x, c]] * kernel[[i, j, o, c]]);
                            }
                        }
                    }
                }
            }
        }
    }
    full
}
