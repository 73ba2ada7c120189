//! Casts: f32 on the device, of the values that another type would have.

use super::{Inputs, KEPT, Row, inputs, row};
use crate::array::{DType, HostArray};
use crate::error::{Error, Result};
use crate::graph::{Symbol, Weight};
use crate::import::onnx::fold::cast_target;
use crate::import::onnx::fold_whole;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::{EXACT, Numbers, limits};
use crate::import::onnx::value::Value;
use crate::ops::{BinaryOp, UnaryOp};

/// The greatest number up to which f16 holds every whole one.
const MOST_HALF: f64 = 2048.0;

/// The operators of this file; they say themselves what they make.
pub(super) const ROWS: &[Row] =
    &[row("Cast", cast).holds(KEPT), row("CastLike", cast_like).inputs(2).holds(KEPT)];

fn cast(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let to = cast_target(node)?;
    convert(importer, node, inputs, to)
}

fn cast_like(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    node.int("saturate", 1)?;
    node.text("round_mode", "up")?;
    inputs::required(node, inputs, 1)?;
    let to = importer.numbers(node, inputs, 1).dtype;
    convert(importer, node, inputs, to)
}

fn convert(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    to: DType,
) -> Result<Vec<Value>> {
    let from = importer.numbers(node, inputs, 0);
    importer.made = Numbers { dtype: to, ..from };
    let is_float = !Numbers::of(to).is_whole();
    let value = inputs::required(node, inputs, 0)?;
    let x = match value {
        Value::Weight(weight) if is_float && to != DType::F16 => {
            return Ok(vec![Value::Weight(weight.clone())]);
        }
        Value::Weight(weight) if is_float => return Ok(vec![Value::Weight(halved(node, weight)?)]),
        Value::Known(_) | Value::Weight(_) => {
            let elements = value.known_len().unwrap_or_default();
            importer.budget.spend(&node.title, elements, size_of::<f64>())?;
            let known =
                value.to_known().ok_or_else(|| node.unsupported("a cast of a staged weight"))?;
            return Ok(vec![fold_whole::cast(node, &known, to)?.into()]);
        }
        Value::Symbol(symbol) => *symbol,
    };
    let result = match to {
        DType::F16 if from.dtype == DType::F16 || (from.is_whole() && from.size() <= MOST_HALF) => {
            x
        }
        DType::F16 => {
            let half = |value: f64| half::f16::from_f64(value).to_f64();
            importer.made = importer.made.within(half(from.low), half(from.high));
            importer.graph.activation(x, UnaryOp::Half)?
        }
        DType::F32 | DType::F64 => x,
        DType::Bool => {
            importer.made = Numbers::of(to);
            if from.dtype == DType::Bool {
                x
            } else {
                let not = importer.graph.activation(x, UnaryOp::LogicalNot)?;
                importer.graph.activation(not, UnaryOp::LogicalNot)?
            }
        }
        // Whole numbers wrap when the node's result is brought into its type.
        _ if from.is_whole() => x,
        _ => {
            importer.made = truncated(node, from, to)?;
            toward_zero(importer, x)?
        }
    };
    Ok(vec![result.into()])
}

/// Returns the range of truncated floats, which must be the type's: what is made of others
/// differs between runtimes.
fn truncated(node: &Node<'_>, from: Numbers, to: DType) -> Result<Numbers> {
    let (low, high) = limits(to);
    let made = Numbers { dtype: to, low: from.low.trunc(), high: from.high.trunc() };
    if made.fits() {
        return Ok(made);
    }
    Err(Error::Operand {
        node: node.title.clone(),
        operand: "input 0".to_owned(),
        got: format!("may be anything from {} to {}", from.low, from.high),
        expected: format!(
            "{to} takes floats from {} to {}, as runtimes differ beyond",
            low.max(-EXACT),
            high.min(EXACT)
        ),
        shapes: format!("a cast of a computed {} to {to}", from.dtype),
        remedy: "clip it to that range before".to_owned(),
    })
}

/// Drops what is behind the point: the sign times the floor of the magnitude.
fn toward_zero(importer: &mut Importer<'_>, x: Symbol) -> Result<Symbol> {
    let graph = &mut importer.graph;
    let magnitude = graph.activation(x, UnaryOp::Abs)?;
    let whole = graph.activation(magnitude, UnaryOp::Floor)?;
    let sign = graph.activation(x, UnaryOp::Sign)?;
    graph.binary(BinaryOp::Multiply, whole, sign)
}

/// Rounds a weight to f16.
fn halved(node: &Node<'_>, weight: &Weight) -> Result<Weight> {
    let Some(array) = weight.host() else {
        return Err(node.unsupported("a cast of a staged weight"));
    };
    if array.dtype() == DType::F16 {
        return Ok(weight.clone());
    }
    let halves = array.to_f64().mapv(half::f16::from_f64);
    Ok(Weight::from(HostArray::from(halves).with_name(weight.label().to_owned())))
}
