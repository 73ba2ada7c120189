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

use super::importer::Importer;
use super::node::Node;
use super::value::Value;
use crate::error::Result;

/// The inputs of a node, none for one that is left out.
pub(super) type Inputs = [Option<Value>];

/// Adds a node to the graph, and returns what its outputs stand for.
type Translate = fn(&mut Importer<'_>, &Node<'_>, &Inputs) -> Result<Vec<Value>>;

/// Every operator, with its translation; sorted by name.
const OPERATORS: &[(&str, Translate)] = &[
    ("Abs", elementwise::unary),
    ("Acos", elementwise::unary),
    ("Acosh", elementwise::unary),
    ("Add", elementwise::binary),
    ("And", elementwise::binary),
    ("ArgMax", reduction::position),
    ("ArgMin", reduction::position),
    ("Asin", elementwise::unary),
    ("Asinh", elementwise::unary),
    ("Atan", elementwise::unary),
    ("Atanh", elementwise::unary),
    ("AveragePool", pooling::pool),
    ("BatchNormalization", normalization::batch),
    ("Cast", movement::cast),
    ("CastLike", movement::cast_like),
    ("Ceil", elementwise::unary),
    ("Celu", elementwise::unary),
    ("CenterCropPad", movement::center_crop_pad),
    ("Clip", elementwise::clip),
    ("Concat", movement::concat),
    ("Constant", movement::constant),
    ("ConstantOfShape", movement::constant_of_shape),
    ("Conv", convolution::conv),
    ("ConvTranspose", convolution::conv_transpose),
    ("Cos", elementwise::unary),
    ("Cosh", elementwise::unary),
    ("DepthToSpace", movement::depth_to_space),
    ("Div", elementwise::binary),
    ("Dropout", movement::dropout),
    ("Elu", elementwise::unary),
    ("Equal", elementwise::binary),
    ("Erf", elementwise::unary),
    ("Exp", elementwise::unary),
    ("Expand", movement::expand),
    ("Flatten", movement::reshape),
    ("Floor", elementwise::unary),
    ("Gather", movement::gather),
    ("Gelu", elementwise::unary),
    ("Gemm", product::gemm),
    ("GlobalAveragePool", reduction::global),
    ("GlobalLpPool", reduction::global),
    ("GlobalMaxPool", reduction::global),
    ("Greater", elementwise::binary),
    ("GreaterOrEqual", elementwise::binary),
    ("GridSample", resampling::grid_sample),
    ("GroupNormalization", normalization::group),
    ("HardSigmoid", elementwise::unary),
    ("HardSwish", elementwise::unary),
    ("Hardmax", reduction::softmax),
    ("Identity", movement::identity),
    ("InstanceNormalization", normalization::instance),
    ("IsInf", elementwise::unary),
    ("IsNaN", elementwise::unary),
    ("LRN", normalization::local_response),
    ("LayerNormalization", normalization::layer),
    ("LeakyRelu", elementwise::unary),
    ("Less", elementwise::binary),
    ("LessOrEqual", elementwise::binary),
    ("Log", elementwise::unary),
    ("LogSoftmax", reduction::softmax),
    ("LpPool", pooling::pool),
    ("MatMul", product::matmul),
    ("Max", elementwise::several),
    ("MaxPool", pooling::pool),
    ("Mean", elementwise::several),
    ("MeanVarianceNormalization", normalization::mean_variance),
    ("Min", elementwise::several),
    ("Mish", elementwise::unary),
    ("Mod", elementwise::binary),
    ("Mul", elementwise::binary),
    ("Neg", elementwise::unary),
    ("Not", elementwise::unary),
    ("Or", elementwise::binary),
    ("PRelu", elementwise::binary),
    ("Pad", movement::pad),
    ("Pow", elementwise::binary),
    ("RMSNormalization", normalization::rms),
    ("Range", movement::known_only),
    ("Reciprocal", elementwise::unary),
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
    ("Relu", elementwise::unary),
    ("Reshape", movement::reshape),
    ("Resize", resampling::resize),
    ("Round", elementwise::unary),
    ("Selu", elementwise::unary),
    ("Shape", movement::shape),
    ("Sigmoid", elementwise::unary),
    ("Sign", elementwise::unary),
    ("Sin", elementwise::unary),
    ("Sinh", elementwise::unary),
    ("Size", movement::size),
    ("Slice", movement::slice),
    ("Softmax", reduction::softmax),
    ("Softplus", elementwise::unary),
    ("Softsign", elementwise::unary),
    ("SpaceToDepth", movement::space_to_depth),
    ("Split", movement::split),
    ("Sqrt", elementwise::unary),
    ("Squeeze", movement::reshape),
    ("Sub", elementwise::binary),
    ("Sum", elementwise::several),
    ("Swish", elementwise::unary),
    ("Tan", elementwise::unary),
    ("Tanh", elementwise::unary),
    ("ThresholdedRelu", elementwise::unary),
    ("Tile", movement::tile),
    ("Transpose", movement::transpose),
    ("Unsqueeze", movement::reshape),
    ("Upsample", resampling::upsample),
    ("Where", elementwise::select),
    ("Xor", elementwise::binary),
];

fn find(op: &str) -> Option<Translate> {
    let found = OPERATORS.binary_search_by(|(name, _)| (*name).cmp(op)).ok()?;
    OPERATORS.get(found).map(|(_, translate)| *translate)
}

/// Tells whether an operator of a domain is there.
pub(super) fn is_supported(domain: &str, op: &str) -> bool {
    (domain.is_empty() || domain == "ai.onnx") && find(op).is_some()
}

/// Returns the names of the ONNX operators that can be imported, in order.
pub fn supported_operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, _)| *name)
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
