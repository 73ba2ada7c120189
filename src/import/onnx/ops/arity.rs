//! How many inputs an operator has: one more would be left aside, and the result be wrong.

use crate::error::Result;
use crate::import::onnx::node::Node;
use crate::ops::BinaryOp;

/// Refuses inputs behind the last that a node's operator has.
///
/// # Errors
///
/// [`Error::Operand`](crate::Error::Operand) that names the first of them.
pub(in crate::import::onnx) fn check_input_count(node: &Node<'_>) -> Result<()> {
    let Some(most) = most_inputs(node.op(), node.opset) else { return Ok(()) };
    match (most..node.input_count()).find_map(|number| node.input(number)) {
        None => Ok(()),
        Some(name) => {
            let expected = format!("{} has at most {most} inputs", node.op());
            Err(node.refuse(&format!("input \"{name}\""), "is one too many".to_owned(), expected))
        }
    }
}

/// Returns the most inputs of an operator, by its version where that matters; none for any number.
fn most_inputs(op: &str, opset: i64) -> Option<usize> {
    Some(match op {
        "Concat" | "Max" | "Mean" | "Min" | "Sum" => return None,
        "Constant" => 0,
        "BatchNormalization" => 5,
        "Slice" if opset >= 10 => 5,
        "Pad" | "Resize" if opset >= 11 => 4,
        "Clip" if opset >= 11 => 3,
        "Dropout" if opset >= 12 => 3,
        "Conv"
        | "ConvTranspose"
        | "Gemm"
        | "GroupNormalization"
        | "InstanceNormalization"
        | "LayerNormalization"
        | "Range"
        | "Where" => 3,
        "CastLike" | "CenterCropPad" | "Expand" | "Gather" | "GridSample" | "MatMul"
        | "RMSNormalization" | "Reshape" | "Resize" | "Split" | "Squeeze" | "Tile"
        | "Unsqueeze" | "Upsample" => 2,
        op if op.starts_with("Reduce") || BinaryOp::import(op).is_some() => 2,
        _ => 1,
    })
}
