//! Element-wise operators.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::{BinaryOp, UnaryOp};

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("Clip", clip).inputs_since(11, 3),
    row("Max", several).any_inputs(),
    row("Mean", several).any_inputs(),
    row("Min", several).any_inputs(),
    row("Sum", several).any_inputs(),
    row("Where", select).inputs(3),
];

pub(super) fn unary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let function = match node.op() {
        // The two forms of gelu are one operator.
        "Gelu" => match node.text("approximate", "none")?.as_str() {
            "none" => Some(UnaryOp::Gelu),
            "tanh" => Some(UnaryOp::GeluTanh),
            other => return Err(node.unsupported(&format!("approximate = \"{other}\""))),
        },
        "IsInf" => Some(UnaryOp::IsInf {
            positive: node.flag("detect_positive", true)?,
            negative: node.flag("detect_negative", true)?,
        }),
        name => UnaryOp::import(name, &|constant, default| node.float(constant, default))?,
    };
    let function = function.ok_or_else(|| node.unsupported("the operator"))?;
    Ok(vec![importer.graph.activation(x, function)?.into()])
}

pub(super) fn binary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let (left, right) =
        (inputs::symbol(importer, node, inputs, 0)?, inputs::symbol(importer, node, inputs, 1)?);
    if node.op() == "Mod" && !node.flag("fmod", false)? {
        return Err(node.unsupported("fmod = 0 on floating-point values"));
    }
    let operation = BinaryOp::import(node.op()).ok_or_else(|| node.unsupported("the operator"))?;
    Ok(vec![importer.graph.binary(operation, left, right)?.into()])
}

fn several(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
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

fn clip(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
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
    // ONNX gives the maximum where the two are crossed. NaN stays one, and is refused.
    let min = if lowest > highest { highest } else { lowest };
    let clip = UnaryOp::Clip { min, max: highest };
    Ok(vec![importer.graph.activation(x, clip)?.into()])
}

fn select(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let condition = inputs::symbol(importer, node, inputs, 0)?;
    let yes = inputs::symbol(importer, node, inputs, 1)?;
    let no = inputs::symbol(importer, node, inputs, 2)?;
    Ok(vec![importer.graph.select(condition, yes, no)?.into()])
}
