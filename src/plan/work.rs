//! From a node to its step's work.

use super::movement;
use crate::error::{Error, Result};
use crate::graph::{Activation, Epilogue, Graph, Node, Op, Pair, Stage};
use crate::kernels::{
    Work, activation, binary, conv2d, conv2d_transpose, dense, matmul, resize2d, softmax,
};

/// Describes the steps of a node for a number of items of the batch, each with the numbers of
/// the operands and weights that it reads; together they write the node's value.
pub(super) fn works(graph: &Graph, node: &Node, items: usize) -> Result<Vec<(Work, Vec<usize>)>> {
    if let Op::Concat { axis } = node.op {
        let shapes = node.operands.iter().map(|&index| graph.node(index).shape.resolve(items));
        let joins = movement::concat(axis, shapes.collect(), &node.shape.resolve(items));
        return joins.ok_or_else(|| defect(&node.title()));
    }
    let reads = (0..node.operands.len() + node.weights.len()).collect();
    Ok(vec![(work(graph, node, items)?, reads)])
}

fn work(graph: &Graph, node: &Node, items: usize) -> Result<Work> {
    let title = node.title();
    let shape = node.shape.resolve(items);
    let operand = |number: usize| -> Result<Vec<usize>> {
        let index = node.operands.get(number).ok_or_else(|| defect(&title))?;
        Ok(graph.node(*index).shape.resolve(items))
    };
    let image = |shape: Vec<usize>| match *shape {
        [batch, height, width, channels] => Ok([batch, height, width, channels]),
        // A line is an image of one row.
        [batch, steps, channels] => Ok([batch, 1, steps, channels]),
        _ => Err(defect(&title)),
    };
    let has_bias = node.weights.len() > 1;
    let epilogue = || -> Result<Epilogue> {
        let stages = node.stages.clone();
        let period = if stages.iter().any(Stage::reads_extra) {
            // The extra operand was checked to fit when the graph was made.
            operand(node.operands.len().saturating_sub(1))?.iter().product()
        } else {
            0
        };
        Ok(Epilogue { stages, period })
    };
    match &node.op {
        Op::Input | Op::Reshape | Op::Constant | Op::Concat { .. } => Err(defect(&title)),
        Op::Conv2d(layer) => {
            let geometry = conv2d::Geometry {
                input: image(operand(0)?)?,
                output: image(shape)?,
                kernel: sides(layer.kernel_size),
                strides: sides(layer.strides),
                dilation: sides(layer.dilation),
                pads: [layer.pads.top, layer.pads.left],
                groups: layer.groups,
                has_bias,
                epilogue: epilogue()?,
            };
            Ok(Work::Conv2d(geometry))
        }
        Op::Conv2dTranspose(layer) => {
            let geometry = conv2d_transpose::Geometry {
                input: image(operand(0)?)?,
                output: image(shape)?,
                kernel: sides(layer.kernel_size),
                strides: sides(layer.strides),
                dilation: sides(layer.dilation),
                crop: sides(layer.crop),
                groups: layer.groups,
                has_bias,
                epilogue: epilogue()?,
            };
            Ok(Work::Conv2dTranspose(geometry))
        }
        Op::Dense => {
            let (units, leading) = shape.split_last().ok_or_else(|| defect(&title))?;
            let geometry = dense::Geometry {
                // Both were checked to fit when the shape was made.
                rows: leading.iter().product(),
                inputs: operand(0)?.last().copied().ok_or_else(|| defect(&title))?,
                units: *units,
                has_bias,
                epilogue: epilogue()?,
            };
            Ok(Work::Dense(geometry))
        }
        Op::MatMul(product) => {
            let transposed = [product.transpose_left, product.transpose_right];
            let geometry = matmul::Geometry::product(&operand(0)?, &operand(1)?, transposed)
                .ok_or_else(|| defect(&title))?;
            let addend = match product.has_addend {
                true => Some(addend_strides(&operand(2)?)),
                false => None,
            };
            let crate::graph::matmul::Resolved { alpha, beta, .. } = *product;
            Ok(Work::MatMul(matmul::Geometry {
                addend,
                alpha,
                beta,
                epilogue: epilogue()?,
                ..geometry
            }))
        }
        Op::Resize2d(layer) => {
            let (interpolation, coordinates) = layer.rule();
            let [_, height, width, _] = image(shape)?;
            let input = image(operand(0)?)?;
            let geometry =
                resize2d::Geometry { input, size: [height, width], interpolation, coordinates };
            Ok(Work::Resize2d(geometry))
        }
        Op::Activation(kind) => Ok(Work::Activation(activation::Geometry {
            shape,
            epilogue: first(*kind, epilogue()?),
        })),
        Op::Softmax { axis } => {
            let (before, rest) = shape.split_at_checked(*axis).ok_or_else(|| defect(&title))?;
            let (length, after) = rest.split_first().ok_or_else(|| defect(&title))?;
            let geometry = softmax::Geometry {
                outer: before.iter().product(),
                length: *length,
                inner: after.iter().product(),
            };
            Ok(Work::Softmax(geometry))
        }
        Op::Binary(operation) => {
            let geometry = binary::Geometry {
                left: operand(0)?,
                right: operand(1)?,
                operation: *operation,
                epilogue: epilogue()?,
            };
            Ok(Work::Binary(geometry))
        }
        Op::DepthToSpace(_)
        | Op::Expand
        | Op::Gather { .. }
        | Op::Pad(_)
        | Op::Slice { .. }
        | Op::SpaceToDepth(_)
        | Op::Tile { .. }
        | Op::Transpose { .. } => {
            movement::work(&node.op, &operand(0)?, &shape).ok_or_else(|| defect(&title))
        }
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

/// Puts a function in front of an epilogue.
fn first(activation: Activation, mut epilogue: Epilogue) -> Epilogue {
    let own = Epilogue::from(activation).stages;
    epilogue.stages.splice(..0, own);
    epilogue
}

fn sides(pair: Pair) -> [usize; 2] {
    [pair.height, pair.width]
}

fn defect(title: &str) -> Error {
    Error::Unsupported {
        node: title.to_owned(),
        what: "a node without a kernel".to_owned(),
        remedy: "report this as a defect".to_owned(),
    }
}
