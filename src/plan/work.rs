//! From a node to its step's work.

use super::products::image;
use super::{movement, products};
use crate::error::{Error, Result};
use crate::graph::{Activation, Epilogue, Graph, Node, Op, Stage};
use crate::kernels::{Work, activation, binary, resize2d, softmax};

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
        Op::Conv2d(_) | Op::Conv2dTranspose(_) | Op::Dense | Op::MatMul(_) => {
            let operands = (0..node.operands.len()).map(operand).collect::<Result<Vec<_>>>()?;
            products::work(node, &operands, &shape, epilogue()?).ok_or_else(|| defect(&title))
        }
        Op::Resize2d(layer) => {
            let (interpolation, coordinates) = layer.rule();
            let images = (image(&shape), image(&operand(0)?));
            let (Some([_, height, width, _]), Some(input)) = images else {
                return Err(defect(&title));
            };
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

/// Puts a function in front of an epilogue.
fn first(activation: Activation, mut epilogue: Epilogue) -> Epilogue {
    let own = Epilogue::from(activation).stages;
    epilogue.stages.splice(..0, own);
    epilogue
}

fn defect(title: &str) -> Error {
    Error::Unsupported {
        node: title.to_owned(),
        what: "a node without a kernel".to_owned(),
        remedy: "report this as a defect".to_owned(),
    }
}
