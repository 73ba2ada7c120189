//! The operators: one function for each, from a node's inputs to its outputs.

mod arity;
mod convolution;
mod elementwise;
mod inputs;
mod movement;
mod normalization;
mod pooling;
mod product;
mod reduction;
mod resampling;

pub(super) use arity::check_input_count;

use std::collections::BTreeSet;

use super::importer::Importer;
use super::node::Node;
use super::value::Value;
use crate::error::Result;
use crate::ops::{BinaryOp, UnaryOp};

/// The inputs of a node, none for one that is left out.
pub(super) type Inputs = [Option<Value>];

/// Adds a node to the graph, and returns what its outputs stand for.
type Translate = fn(&mut Importer<'_>, &Node<'_>, &Inputs) -> Result<Vec<Value>>;

/// Every operator but element-wise functions, which have a table of their own
/// (`src/ops/elementwise/functions.rs`), with its translation; sorted by name.
const OPERATORS: &[(&str, Translate)] = &[
    ("ArgMax", reduction::position),
    ("ArgMin", reduction::position),
    ("AveragePool", pooling::pool),
    ("BatchNormalization", normalization::batch),
    ("Cast", movement::cast),
    ("CastLike", movement::cast_like),
    ("CenterCropPad", movement::center_crop_pad),
    ("Clip", elementwise::clip),
    ("Concat", movement::concat),
    ("Constant", movement::constant),
    ("ConstantOfShape", movement::constant_of_shape),
    ("Conv", convolution::conv),
    ("ConvTranspose", convolution::conv_transpose),
    ("DepthToSpace", movement::depth_to_space),
    ("Dropout", movement::dropout),
    ("Expand", movement::expand),
    ("Flatten", movement::reshape),
    ("Gather", movement::gather),
    ("Gemm", product::gemm),
    ("GlobalAveragePool", reduction::global),
    ("GlobalLpPool", reduction::global),
    ("GlobalMaxPool", reduction::global),
    ("GridSample", resampling::grid_sample),
    ("GroupNormalization", normalization::group),
    ("Hardmax", reduction::softmax),
    ("Identity", movement::identity),
    ("InstanceNormalization", normalization::instance),
    ("LRN", normalization::local_response),
    ("LayerNormalization", normalization::layer),
    ("LogSoftmax", reduction::softmax),
    ("LpPool", pooling::pool),
    ("MatMul", product::matmul),
    ("Max", elementwise::several),
    ("MaxPool", pooling::pool),
    ("Mean", elementwise::several),
    ("MeanVarianceNormalization", normalization::mean_variance),
    ("Min", elementwise::several),
    ("Pad", movement::pad),
    ("RMSNormalization", normalization::rms),
    ("Range", movement::known_only),
    ("ReduceL1", reduction::reduce),
    ("ReduceL2", reduction::reduce),
    ("ReduceLogSum", reduction::reduce),
    ("ReduceLogSumExp", reduction::reduce),
    ("ReduceMax", reduction::reduce),
    ("ReduceMean", reduction::reduce),
    ("ReduceMin", reduction::reduce),
    ("ReduceProd", reduction::reduce),
    ("ReduceSum", reduction::reduce),
    ("ReduceSumSquare", reduction::reduce),
    ("Reshape", movement::reshape),
    ("Resize", resampling::resize),
    ("Shape", movement::shape),
    ("Size", movement::size),
    ("Slice", movement::slice),
    ("Softmax", reduction::softmax),
    ("SpaceToDepth", movement::space_to_depth),
    ("Split", movement::split),
    ("Squeeze", movement::reshape),
    ("Sum", elementwise::several),
    ("Tile", movement::tile),
    ("Transpose", movement::transpose),
    ("Unsqueeze", movement::reshape),
    ("Upsample", resampling::upsample),
    ("Where", elementwise::select),
];

fn find(op: &str) -> Option<Translate> {
    let found = OPERATORS.binary_search_by(|(name, _)| (*name).cmp(op));
    match found.ok().and_then(|number| OPERATORS.get(number)) {
        Some((_, translate)) => Some(*translate),
        None if UnaryOp::operators().any(|name| name == op) => Some(elementwise::unary),
        None if BinaryOp::operators().any(|name| name == op) => Some(elementwise::binary),
        None => None,
    }
}

/// Tells whether an operator of a domain is there.
pub(super) fn is_supported(domain: &str, op: &str) -> bool {
    (domain.is_empty() || domain == "ai.onnx") && find(op).is_some()
}

/// Returns the names of the ONNX operators that can be imported, in order.
pub fn supported_operators() -> impl Iterator<Item = &'static str> {
    let others = OPERATORS.iter().map(|(name, _)| *name);
    let all: BTreeSet<_> =
        others.chain(UnaryOp::operators()).chain(BinaryOp::operators()).collect();
    all.into_iter()
}

/// Tells whether an operand must be known before a plan is made: it shapes the network, or is the
/// weight of a layer.
pub(super) fn must_be_known(op: &str, number: usize) -> bool {
    match op {
        "BatchNormalization" => (1..=4).contains(&number),
        "Conv"
        | "ConvTranspose"
        | "Dropout"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "LayerNormalization" => matches!(number, 1 | 2),
        "CenterCropPad" | "Expand" | "Gather" | "RMSNormalization" | "Reshape" | "Split"
        | "Squeeze" | "Tile" | "Unsqueeze" | "Upsample" => number == 1,
        "Pad" | "Resize" | "Slice" => number >= 1,
        "ConstantOfShape" | "Range" => true,
        _ => op.starts_with("Reduce") && number == 1,
    }
}

/// Adds a node to the graph.
pub(super) fn translate(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    match find(node.op()) {
        Some(translate) => translate(importer, node, inputs),
        None => Err(node.unsupported("the operator")),
    }
}

#[cfg(test)]
mod tests {
    use super::OPERATORS;

    #[test]
    fn the_operators_are_sorted_and_named_once() {
        assert!(OPERATORS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
