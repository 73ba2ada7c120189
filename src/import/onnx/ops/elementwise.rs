//! Element-wise operators.

use super::{Inputs, inputs};
use crate::error::Result;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::{Activation, BinaryOp};

pub(super) fn unary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let activation = activation(node)?;
    Ok(vec![importer.graph.activation(x, activation)?.into()])
}

fn activation(node: &Node<'_>) -> Result<Activation> {
    Ok(match node.op() {
        "Abs" => Activation::Abs,
        "Acos" => Activation::Acos,
        "Acosh" => Activation::Acosh,
        "Asin" => Activation::Asin,
        "Asinh" => Activation::Asinh,
        "Atan" => Activation::Atan,
        "Atanh" => Activation::Atanh,
        "Ceil" => Activation::Ceil,
        "Celu" => Activation::Celu(node.float("alpha", 1.0)?),
        "Cos" => Activation::Cos,
        "Cosh" => Activation::Cosh,
        "Elu" => Activation::Elu(node.float("alpha", 1.0)?),
        "Erf" => Activation::Erf,
        "Exp" => Activation::Exponential,
        "Floor" => Activation::Floor,
        "Gelu" => match node.text("approximate", "none")?.as_str() {
            "none" => Activation::Gelu,
            "tanh" => Activation::GeluTanh,
            other => return Err(node.unsupported(&format!("approximate = \"{other}\""))),
        },
        "HardSigmoid" => Activation::HardSigmoidWith {
            alpha: node.float("alpha", 0.2)?,
            beta: node.float("beta", 0.5)?,
        },
        "HardSwish" => Activation::HardSilu,
        "IsInf" => Activation::IsInf {
            positive: node.flag("detect_positive", true)?,
            negative: node.flag("detect_negative", true)?,
        },
        "IsNaN" => Activation::IsNan,
        "LeakyRelu" => Activation::LeakyRelu(node.float("alpha", 0.01)?),
        "Log" => Activation::Log,
        "Mish" => Activation::Mish,
        "Neg" => Activation::Negative,
        "Not" => Activation::LogicalNot,
        "Reciprocal" => Activation::Reciprocal,
        "Relu" => Activation::Relu,
        "Round" => Activation::Round,
        "Selu" => Activation::SeluWith {
            alpha: node.float("alpha", 1.673_263_2)?,
            gamma: node.float("gamma", 1.050_701)?,
        },
        "Sigmoid" => Activation::Sigmoid,
        "Sign" => Activation::Sign,
        "Sin" => Activation::Sin,
        "Sinh" => Activation::Sinh,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Sqrt" => Activation::Sqrt,
        "Swish" => Activation::Swish(node.float("alpha", 1.0)?),
        "Tan" => Activation::Tan,
        "Tanh" => Activation::Tanh,
        "ThresholdedRelu" => Activation::ThresholdedRelu(node.float("alpha", 1.0)?),
        _ => return Err(node.unsupported("the operator")),
    })
}

pub(super) fn binary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let (left, right) =
        (inputs::symbol(importer, node, inputs, 0)?, inputs::symbol(importer, node, inputs, 1)?);
    let operation = match node.op() {
        "Add" => BinaryOp::Add,
        "And" => BinaryOp::LogicalAnd,
        "Div" => BinaryOp::Divide,
        "Equal" => BinaryOp::Equal,
        "Greater" => BinaryOp::Greater,
        "GreaterOrEqual" => BinaryOp::GreaterEqual,
        "Less" => BinaryOp::Less,
        "LessOrEqual" => BinaryOp::LessEqual,
        "Mod" if node.flag("fmod", false)? => BinaryOp::Fmod,
        "Mod" => return Err(node.unsupported("fmod = 0 on floating-point values")),
        "Mul" => BinaryOp::Multiply,
        "Or" => BinaryOp::LogicalOr,
        "PRelu" => BinaryOp::PRelu,
        "Pow" => BinaryOp::Power,
        "Sub" => BinaryOp::Subtract,
        "Xor" => BinaryOp::LogicalXor,
        _ => return Err(node.unsupported("the operator")),
    };
    Ok(vec![importer.graph.binary(operation, left, right)?.into()])
}

pub(super) fn several(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let mut symbols = Vec::with_capacity(inputs.len());
    for number in 0..inputs.len() {
        symbols.push(inputs::symbol(importer, node, inputs, number)?);
    }
    let graph = &mut importer.graph;
    let result = match node.op() {
        "Max" => graph.max(&symbols)?,
        "Mean" => graph.mean(&symbols)?,
        "Min" => graph.min(&symbols)?,
        _ => graph.sum(&symbols)?,
    };
    Ok(vec![result.into()])
}

pub(super) fn clip(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let mut x = inputs::symbol(importer, node, inputs, 0)?;
    let is_computed = |number| matches!(inputs::optional(inputs, number), Some(Value::Symbol(_)));
    if is_computed(1) || is_computed(2) {
        // ONNX gives the maximum where the two are crossed, so it comes last.
        for (number, operation) in [(1, BinaryOp::Maximum), (2, BinaryOp::Minimum)] {
            if inputs::optional(inputs, number).is_some() {
                let bound = inputs::symbol(importer, node, inputs, number)?;
                x = importer.graph.binary(operation, x, bound)?;
            }
        }
        return Ok(vec![x.into()]);
    }
    let (lowest, highest) = if node.opset < 11 {
        (node.float("min", f32::MIN)?, node.float("max", f32::MAX)?)
    } else {
        let lowest = inputs::number(node, inputs, 1)?.unwrap_or(f32::NEG_INFINITY);
        (lowest, inputs::number(node, inputs, 2)?.unwrap_or(f32::INFINITY))
    };
    // ONNX gives the maximum where the two are crossed.
    let clip = Activation::Clip { min: lowest.min(highest), max: highest };
    Ok(vec![importer.graph.activation(x, clip)?.into()])
}

pub(super) fn select(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let condition = inputs::symbol(importer, node, inputs, 0)?;
    let yes = inputs::symbol(importer, node, inputs, 1)?;
    let no = inputs::symbol(importer, node, inputs, 2)?;
    Ok(vec![importer.graph.select(condition, yes, no)?.into()])
}
