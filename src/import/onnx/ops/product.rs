//! Matrix products.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::graph::{LayerWeights, Symbol, Weight};
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::Numbers;
use crate::import::onnx::value::Value;
use crate::ops::{Dense, Gemm};

/// The operators of this file.
pub(super) const ROWS: &[Row] =
    &[row("Gemm", gemm).inputs(3).whole(summed), row("MatMul", matmul).inputs(2).whole(summed)];

/// Sums of products, of which every partial one is within what f32 holds.
fn summed(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let is_gemm = node.op() == "Gemm";
    let is_one = |factor: f32| factor.to_bits() == 1f32.to_bits();
    if is_gemm && !(is_one(node.float("alpha", 1.0)?) && is_one(node.float("beta", 1.0)?)) {
        return Err(node.unsupported("a factor of whole numbers"));
    }
    let lengths = importer.lengths(inputs);
    let is_first = is_gemm && node.flag("transA", false)?;
    let terms = if is_first { lengths.first() } else { lengths.last() };
    let terms = terms.copied().unwrap_or(1) as f64;
    let by = importer.numbers(node, inputs, 1);
    let most = terms * x.size() * by.size();
    let all = x.within(if x.low >= 0.0 && by.low >= 0.0 { 0.0 } else { -most }, most);
    // Every partial sum is within.
    importer.check_exact(node, all)?;
    if is_gemm && inputs::optional(inputs, 2).is_some() {
        return Ok(all.plus(importer.numbers(node, inputs, 2)));
    }
    Ok(all)
}

fn matmul(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let left = inputs::symbol(importer, node, inputs, 0)?;
    let kernel = kernel(importer, node, inputs, false)?;
    if let Some(kernel) = kernel.filter(|_| importer.shape(left).len() > 1) {
        return dense(importer, left, kernel, None);
    }
    let right = inputs::symbol(importer, node, inputs, 1)?;
    Ok(vec![importer.graph.matmul(left, right)?.into()])
}

/// Returns the right operand as a dense layer's kernel, where it is a constant matrix.
fn kernel(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    is_transposed: bool,
) -> Result<Option<Weight>> {
    match inputs::optional(inputs, 1) {
        None | Some(Value::Symbol(_)) => return Ok(None),
        Some(Value::Known(_) | Value::Weight(_)) => {}
    }
    let weight = inputs::weight(importer, node, inputs, 1)?;
    let Some(weight) = weight.filter(|weight| weight.shape().len() == 2) else { return Ok(None) };
    let order = if is_transposed { [1, 0] } else { [0, 1] };
    // A layer has neither inputs nor units of length 0.
    let is_layer = weight.host().is_some() && !weight.shape().contains(&0);
    if !is_layer {
        return Ok(None);
    }
    inputs::kernel(importer, node, &weight, &order, false).map(Some)
}

/// Multiplies by a constant, which the device keeps as a dense layer's weight: passes fold what
/// they know of the layer into it.
fn dense(
    importer: &mut Importer<'_>,
    x: Symbol,
    kernel: Weight,
    bias: Option<Weight>,
) -> Result<Vec<Value>> {
    let units = kernel.shape().last().copied().unwrap_or_default();
    let weights = LayerWeights::new(kernel);
    let weights = match bias {
        Some(bias) => weights.bias(bias),
        None => weights,
    };
    Ok(vec![importer.graph.dense(x, Dense::new(units), &weights)?.into()])
}

/// Imports a Gemm as a dense layer where it is one: a bias for each column, and no factors.
fn gemm_as_dense(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Option<Vec<Value>>> {
    let is_one = |factor: f32| factor.to_bits() == 1.0f32.to_bits();
    let is_plain = is_one(node.float("alpha", 1.0)?) && is_one(node.float("beta", 1.0)?);
    if !is_plain || node.flag("transA", false)? {
        return Ok(None);
    }
    let is_transposed = node.flag("transB", false)?;
    let Some(kernel) = kernel(importer, node, inputs, is_transposed)? else { return Ok(None) };
    let bias = match inputs::optional(inputs, 2) {
        None => None,
        Some(Value::Symbol(_)) => return Ok(None),
        Some(_) => inputs::weight(importer, node, inputs, 2)?,
    };
    if bias.as_ref().is_some_and(|bias| bias.shape() != &kernel.shape()[1..]) {
        return Ok(None);
    }
    let x = inputs::symbol(importer, node, inputs, 0)?;
    dense(importer, x, kernel, bias).map(Some)
}

fn gemm(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    // Until version 7 it said whether C broadcasts, which it does.
    node.int("broadcast", 1)?;
    if let Some(results) = gemm_as_dense(importer, node, inputs)? {
        return Ok(results);
    }
    let a = inputs::symbol(importer, node, inputs, 0)?;
    let b = inputs::symbol(importer, node, inputs, 1)?;
    let c = match inputs::optional(inputs, 2) {
        Some(_) => Some(inputs::symbol(importer, node, inputs, 2)?),
        None => None,
    };
    let options = Gemm::new()
        .alpha(node.float("alpha", 1.0)?)
        .beta(node.float("beta", 1.0)?)
        .trans_a(node.flag("transA", false)?)
        .trans_b(node.flag("transB", false)?);
    Ok(vec![importer.graph.gemm(a, b, c, options)?.into()])
}
