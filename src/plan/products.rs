//! The work of the operators that are sums of products: convolutions, dense layers, products.

use crate::graph::{Epilogue, Node, Op, Pair, matmul as product};
use crate::kernels::{Work, conv2d, conv2d_transpose, dense, matmul};

/// Describes such a node, whose operands and result have these shapes; `None` for shapes that
/// the graph does not let through.
pub(super) fn work(
    node: &Node,
    operands: &[Vec<usize>],
    shape: &[usize],
    epilogue: Epilogue,
) -> Option<Work> {
    let input = operands.first()?;
    let has_bias = node.weights.len() > 1;
    match &node.op {
        Op::Conv2d(layer) => Some(Work::Conv2d(conv2d::Geometry {
            input: image(input)?,
            output: image(shape)?,
            kernel: sides(layer.kernel_size),
            strides: sides(layer.strides),
            dilation: sides(layer.dilation),
            pads: [layer.pads.top, layer.pads.left],
            groups: layer.groups,
            has_bias,
            epilogue,
        })),
        Op::Conv2dTranspose(layer) => Some(Work::Conv2dTranspose(conv2d_transpose::Geometry {
            input: image(input)?,
            output: image(shape)?,
            kernel: sides(layer.kernel_size),
            strides: sides(layer.strides),
            dilation: sides(layer.dilation),
            crop: sides(layer.crop),
            groups: layer.groups,
            has_bias,
            epilogue,
        })),
        Op::Dense => {
            let (units, leading) = shape.split_last()?;
            Some(Work::Dense(dense::Geometry {
                // Both were checked to fit when the shape was made.
                rows: leading.iter().product(),
                inputs: *input.last()?,
                units: *units,
                has_bias,
                epilogue,
            }))
        }
        Op::MatMul(options) => {
            let product::Resolved { transpose_left, transpose_right, alpha, beta, .. } = *options;
            let transposed = [transpose_left, transpose_right];
            let geometry = matmul::Geometry::product(input, operands.get(1)?, transposed)?;
            let addend =
                if options.has_addend { Some(addend_strides(operands.get(2)?)) } else { None };
            Some(Work::MatMul(matmul::Geometry { addend, alpha, beta, epilogue, ..geometry }))
        }
        _ => None,
    }
}

/// Returns the four lengths of an image, or of a line, which is an image of one row.
pub(super) fn image(shape: &[usize]) -> Option<[usize; 4]> {
    match *shape {
        [batch, height, width, channels] => Some([batch, height, width, channels]),
        [batch, steps, channels] => Some([batch, 1, steps, channels]),
        _ => None,
    }
}

/// Returns how far a value of up to two axes moves along rows and columns that it broadcasts to.
fn addend_strides(shape: &[usize]) -> [usize; 2] {
    let step = |length: usize, stride| if length == 1 { 0 } else { stride };
    match *shape {
        [rows, columns] => [step(rows, columns), step(columns, 1)],
        [columns] => [0, step(columns, 1)],
        _ => [0, 0],
    }
}

fn sides(pair: Pair) -> [usize; 2] {
    [pair.height, pair.width]
}
