//! Nodes: what they compute, and what their shape rules need to speak about them.

use super::{
    Activation, BinaryOp, Resampling, Stage, Weight, batch_normalization, conv2d, conv2d_transpose,
    depth_to_space, grid_sample, lrn, matmul, moments, normalization, pad, pool2d, reduce,
};
use crate::error::{Error, Result};
use crate::own;
use crate::shape::{Dim, Shape};

/// What a node computes, with every option resolved.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// A value that each run brings.
    Input,
    /// Resampling of one axis, or of two neighbours.
    Resize2d(Resampling),
    /// Convolution with resolved padding over images, or over lines as images of one row;
    /// weights: kernel, then bias.
    Conv2d(conv2d::Resolved),
    /// Transposed convolution with resolved cropping over images, or over lines as images of
    /// one row; weights: kernel, then bias.
    Conv2dTranspose(conv2d_transpose::Resolved),
    /// Matrix product on the last axis; weights: kernel, then bias.
    Dense,
    /// Matrix product of two operands, and of a third one added to it.
    MatMul(matmul::Resolved),
    /// An element-wise activation.
    Activation(Activation),
    /// Batch normalisation; weights: scale and bias where there are any, mean, variance.
    BatchNormalization(batch_normalization::Resolved),
    /// Softmax over one axis.
    Softmax {
        /// The axis, counted from the first.
        axis: usize,
    },
    /// An element-wise function of two operands.
    Binary(BinaryOp),
    /// Log-softmax over one axis.
    LogSoftmax {
        /// The axis, counted from the first.
        axis: usize,
    },
    /// Hardmax over one axis.
    Hardmax {
        /// The axis, counted from the first.
        axis: usize,
    },
    /// Local response normalisation.
    Lrn(lrn::Resolved),
    /// Mean and inverse deviation of each row.
    Moments(moments::Resolved),
    /// Normalisation; operands: x and its moments; weights: scale and bias where there are any.
    Normalization(normalization::Resolved),
    /// One number for each row that the reduced axes span.
    Reduce(reduce::Resolved),
    /// A kernel of the user's own, with the values of its parameters.
    Own(own::Bound),
    /// The same elements in another shape; moves nothing.
    Reshape,
    /// Where a condition is not zero one value, else another one.
    Select,
    /// Values joined along one axis, in the order of the operands.
    Concat {
        /// The axis, counted from the first.
        axis: usize,
    },
    /// A value that is the node's one weight; moves nothing.
    Constant,
    /// Channels spread over blocks of pixels.
    DepthToSpace(depth_to_space::Resolved),
    /// The operand repeated along axes of length 1, to the node's shape.
    Expand,
    /// Entries along one axis, picked by constant indices.
    Gather {
        /// The axis, counted from the first.
        axis: usize,
        /// The entries, in C order, each counted from the first; their own shape stands in the
        /// node's, at the place of the axis.
        indices: Vec<usize>,
    },
    /// The first operand at the places that the second gives.
    GridSample(grid_sample::Resolved),
    /// The operand cropped, and with something around it.
    Pad(pad::Resolved),
    /// Pooling with resolved padding.
    Pool2d(pool2d::Resolved),
    /// A part of the operand, in steps; how many steps stands in the node's shape.
    Slice {
        /// The first entry of each axis, counted from the first; 0 for an empty axis.
        starts: Vec<usize>,
        /// The distance to the next one, never 0; negative ones walk backwards.
        steps: Vec<isize>,
    },
    /// Blocks of pixels gathered in the channels.
    SpaceToDepth(depth_to_space::Resolved),
    /// The operand repeated as a whole along each axis.
    Tile {
        /// How often, for each axis.
        repeats: Vec<usize>,
    },
    /// The axes in another order.
    Transpose {
        /// For each axis of the result, the operand's axis that it is.
        perm: Vec<usize>,
    },
}

impl Op {
    /// Returns the operation's name, as messages and plans print it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Resize2d(_) => "resize2d",
            Op::Conv2d(_) => "conv2d",
            Op::Conv2dTranspose(_) => "conv2d_transpose",
            Op::Dense => "dense",
            Op::MatMul(_) => "matmul",
            Op::Activation(activation) => activation.name(),
            Op::BatchNormalization(_) => "batch_normalization",
            Op::Softmax { .. } => "softmax",
            Op::Binary(operation) => operation.name(),
            Op::LogSoftmax { .. } => "log_softmax",
            Op::Hardmax { .. } => "hardmax",
            Op::Lrn(_) => "lrn",
            Op::Moments(_) => "moments",
            Op::Normalization(_) => "normalization",
            Op::Reduce(layer) => layer.operation.name(),
            Op::Own(_) => "own",
            Op::Reshape => "reshape",
            Op::Select => "where",
            Op::Concat { .. } => "concat",
            Op::Constant => "constant",
            Op::DepthToSpace(_) => "depth_to_space",
            Op::Expand => "expand",
            Op::Gather { .. } => "gather",
            Op::GridSample(_) => "grid_sample",
            Op::Pad(_) => "pad",
            Op::Pool2d(_) => "pool2d",
            Op::Slice { .. } => "slice",
            Op::SpaceToDepth(_) => "space_to_depth",
            Op::Tile { .. } => "tile",
            Op::Transpose { .. } => "transpose",
        }
    }
}

/// One operation of a graph and the value it gives.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) operands: Vec<usize>,
    pub(crate) weights: Vec<usize>,
    /// Applied to each result; a stage of two operands takes the last operand.
    pub(crate) stages: Vec<Stage>,
    pub(crate) shape: Shape,
}

impl Node {
    /// Returns the node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it computes.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Returns what is applied to each result before it is stored.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Returns the shape of its value.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Returns kind and name, as messages print them: `conv2d "edges"`.
    #[must_use]
    pub fn title(&self) -> String {
        title(self.op.name(), &self.name)
    }
}

pub(crate) fn title(kind: &str, name: &str) -> String {
    format!("{kind} \"{name}\"")
}

/// A node on its way into the graph: everything but what it computes.
pub(crate) struct Draft {
    /// Kind and name, for messages.
    pub title: String,
    pub name: String,
    pub operands: Vec<usize>,
    pub weights: Vec<Weight>,
    pub shape: Shape,
}

/// An operand that has been looked up.
pub(crate) struct Operand {
    pub index: usize,
    pub name: String,
    pub shape: Shape,
}

impl Operand {
    /// Returns name and shape as messages print them: `image [1, 64, 64, 4]`.
    pub(crate) fn describe(&self) -> String {
        format!("{} {}", self.name, self.shape)
    }

    /// Takes an image apart: height, width, channels of (batch, height, width, channels).
    pub(crate) fn image(&self, site: &Site) -> Result<[usize; 3]> {
        match self.shape.dims() {
            [_, Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(channels)] => {
                Ok([*height, *width, *channels])
            }
            _ => Err(site.refuse(
                &format!("\"{}\"", self.name),
                format!("has {} dimensions", self.shape.rank()),
                "an image has 4: (batch, height, width, channels)",
                "reshape it",
            )),
        }
    }
}

/// Where a rule stands: the node, and the shapes and options it looks at.
pub(crate) struct Site {
    pub node: String,
    pub shapes: String,
}

impl Site {
    pub(crate) fn new(node: &str, shapes: impl Into<String>) -> Self {
        Site { node: node.to_owned(), shapes: shapes.into() }
    }

    /// Makes the error of an operand that does not fit; `got` opens with a verb.
    pub(crate) fn refuse(
        &self,
        operand: &str,
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: &str,
    ) -> Error {
        Error::Operand {
            node: self.node.clone(),
            operand: operand.to_owned(),
            got: got.into(),
            expected: expected.into(),
            shapes: self.shapes.clone(),
            remedy: remedy.to_owned(),
        }
    }
}
