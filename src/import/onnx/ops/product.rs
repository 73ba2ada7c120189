//! Matrix products.

use super::{Inputs, inputs};
use crate::error::Result;
use crate::graph::Gemm;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;

pub(super) fn matmul(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let left = inputs::symbol(importer, node, inputs, 0)?;
    let right = inputs::symbol(importer, node, inputs, 1)?;
    Ok(vec![importer.graph.matmul(left, right)?.into()])
}

pub(super) fn gemm(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let a = inputs::symbol(importer, node, inputs, 0)?;
    let b = inputs::symbol(importer, node, inputs, 1)?;
    let c = match inputs::optional(inputs, 2) {
        Some(_) => Some(inputs::symbol(importer, node, inputs, 2)?),
        None => None,
    };
    // Until version 7 it said whether C broadcasts, which it does.
    node.int("broadcast", 1)?;
    let options = Gemm::new()
        .alpha(node.float("alpha", 1.0)?)
        .beta(node.float("beta", 1.0)?)
        .trans_a(node.flag("transA", false)?)
        .trans_b(node.flag("transB", false)?);
    Ok(vec![importer.graph.gemm(a, b, c, options)?.into()])
}
