//! From a node to its step's work.

use super::movement;
use crate::error::{Error, Result};
use crate::graph::{Activation, Epilogue, Graph, Node, Op, Pair, Stage};
use crate::kernels::{
    Work, activation, batch_normalization, binary, conv2d, conv2d_transpose, dense, lrn, moments,
    normalization, reduce, resize2d, softmax,
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
    let image = |shape: Vec<usize>| <[usize; 4]>::try_from(shape).map_err(|_| defect(&title));
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
        Op::BatchNormalization(layer) => {
            let [outer, channels, inner] =
                round(&shape, layer.axis).ok_or_else(|| defect(&title))?;
            Ok(Work::BatchNormalization(batch_normalization::Geometry {
                outer,
                channels,
                inner,
                has_scale: layer.scale,
                has_bias: layer.center,
                epsilon: layer.epsilon,
            }))
        }
        Op::Softmax { axis } | Op::LogSoftmax { axis } | Op::Hardmax { axis } => {
            let [outer, length, inner] = round(&shape, *axis).ok_or_else(|| defect(&title))?;
            let function = match &node.op {
                Op::LogSoftmax { .. } => softmax::Function::LogSoftmax,
                Op::Hardmax { .. } => softmax::Function::Hardmax,
                _ => softmax::Function::Softmax,
            };
            Ok(Work::Softmax(softmax::Geometry { outer, length, inner, function }))
        }
        Op::Lrn(layer) => {
            let [outer, channels, inner] =
                round(&shape, layer.axis).ok_or_else(|| defect(&title))?;
            let crate::graph::lrn::Resolved { size, alpha, beta, bias, .. } = *layer;
            Ok(Work::Lrn(lrn::Geometry { outer, channels, inner, size, alpha, beta, bias }))
        }
        Op::Moments(layer) => Ok(Work::Moments(moments::Geometry {
            input: layer.split.resolve(items),
            reduced: layer.reduced.clone(),
            is_centered: layer.is_centered,
            epsilon: layer.epsilon,
            floor: layer.floor,
            part: layer.part,
        })),
        Op::Normalization(layer) => Ok(Work::Normalization(normalization::Geometry {
            input: layer.split.resolve(items),
            reduced: layer.reduced.clone(),
            scale: layer.scale.clone(),
            bias: layer.bias.clone(),
        })),
        Op::Reduce(layer) => Ok(Work::Reduce(reduce::Geometry {
            input: operand(0)?,
            reduced: layer.reduced.clone(),
            operation: layer.operation,
        })),
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

/// Puts a function in front of an epilogue.
fn first(activation: Activation, mut epilogue: Epilogue) -> Epilogue {
    let own = Epilogue::from(activation).stages;
    epilogue.stages.splice(..0, own);
    epilogue
}

/// The elements in front of an axis, on it and behind it.
fn round(shape: &[usize], axis: usize) -> Option<[usize; 3]> {
    let (before, rest) = shape.split_at_checked(axis)?;
    let (length, after) = rest.split_first()?;
    // Their products were checked to fit when the shape was made.
    Some([before.iter().product(), *length, after.iter().product()])
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
