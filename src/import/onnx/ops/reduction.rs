//! Reductions, global pooling, positions of extremes, softmax and its kin.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::import::onnx::fold_shape;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::{ArgReduce, CumSum, Reduce, ReduceOp, TopK};

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("ArgMax", position),
    row("ArgMin", position),
    row("CumSum", cumsum).inputs(2).known(1, 1),
    row("GlobalAveragePool", global),
    row("GlobalLpPool", global),
    row("GlobalMaxPool", global),
    row("Hardmax", softmax),
    row("LogSoftmax", softmax),
    row("ReduceL1", reduce).inputs(2).known(1, 1),
    row("ReduceL2", reduce).inputs(2).known(1, 1),
    row("ReduceLogSum", reduce).inputs(2).known(1, 1),
    row("ReduceLogSumExp", reduce).inputs(2).known(1, 1),
    row("ReduceMax", reduce).inputs(2).known(1, 1),
    row("ReduceMean", reduce).inputs(2).known(1, 1),
    row("ReduceMin", reduce).inputs(2).known(1, 1),
    row("ReduceProd", reduce).inputs(2).known(1, 1),
    row("ReduceSum", reduce).inputs(2).known(1, 1),
    row("ReduceSumSquare", reduce).inputs(2).known(1, 1),
    row("Softmax", softmax),
    row("TopK", top_k).inputs_since(10, 2).known(1, 1),
];

fn reduce(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let operation = match node.op() {
        "ReduceL1" => ReduceOp::L1,
        "ReduceL2" => ReduceOp::L2,
        "ReduceLogSum" => ReduceOp::LogSum,
        "ReduceLogSumExp" => ReduceOp::LogSumExp,
        "ReduceMax" => ReduceOp::Max,
        "ReduceMean" => ReduceOp::Mean,
        "ReduceMin" => ReduceOp::Min,
        "ReduceProd" => ReduceOp::Prod,
        "ReduceSum" => ReduceOp::Sum,
        _ => ReduceOp::SumSquare,
    };
    let axes = inputs::ints_or_attribute(node, inputs, 1, "axes")?.unwrap_or_default();
    let layer = Reduce::new(operation)
        .axes(inputs::positions(node, &axes)?)
        .keepdims(node.flag("keepdims", true)?)
        .noop_with_empty_axes(node.flag("noop_with_empty_axes", false)?);
    Ok(vec![importer.graph.reduce(x, layer)?.into()])
}

/// Pools whole images: a reduction of every axis behind the channels.
fn global(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let operation = match node.op() {
        "GlobalMaxPool" => ReduceOp::Max,
        "GlobalAveragePool" => ReduceOp::Mean,
        _ => match node.int("p", 2)? {
            1 => ReduceOp::L1,
            2 => ReduceOp::L2,
            other => return Err(node.unsupported(&format!("p = {other}"))),
        },
    };
    let rank = isize::try_from(importer.shape(x).len()).unwrap_or(isize::MAX);
    if rank < 3 {
        return Err(node.unsupported(&format!("a value of {rank} dimensions")));
    }
    let layer = Reduce::new(operation).axes(2..rank);
    Ok(vec![importer.graph.reduce(x, layer)?.into()])
}

fn position(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let axis = inputs::positions(node, &[node.int("axis", 0)?])?;
    let layer = ArgReduce::new(axis.first().copied().unwrap_or(0))
        .keepdims(node.flag("keepdims", true)?)
        .select_last_index(node.flag("select_last_index", false)?);
    let graph = &mut importer.graph;
    let result =
        if node.op() == "ArgMax" { graph.arg_max(x, layer)? } else { graph.arg_min(x, layer)? };
    Ok(vec![result.into()])
}

fn cumsum(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let layer = CumSum::new()
        .axis(inputs::position(node, inputs, 1)?)
        .exclusive(node.flag("exclusive", false)?)
        .reverse(node.flag("reverse", false)?);
    Ok(vec![importer.graph.cumsum(x, layer)?.into()])
}

fn top_k(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let attribute = |name, default| inputs::positions(node, &[node.int(name, default)?]);
    let axis = attribute("axis", -1)?;
    let k = if node.opset < 10 {
        attribute("k", 0)?.first().copied().unwrap_or(0)
    } else {
        inputs::position(node, inputs, 1)?
    };
    // Without it any order would do, so this one does.
    node.flag("sorted", true)?;
    let negative = |_| node.refuse("k", format!("is {k}"), "it is 1 or more".to_owned());
    let layer = TopK::new(usize::try_from(k).map_err(negative)?)
        .axis(axis.first().copied().unwrap_or(-1))
        .largest(node.flag("largest", true)?);
    let found = importer.graph.top_k(x, layer)?;
    Ok(vec![found.values.into(), found.indices.into()])
}

fn softmax(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let shape = importer.shape(x);
    let default = if node.opset < 13 { 1 } else { -1 };
    let axis = fold_shape::axis(node, node.int("axis", default)?, shape.len())?;
    // Until version 13 the axes from this one on were taken as one.
    let is_flat = node.opset < 13 && axis + 1 < shape.len();
    let (x, axis) = if is_flat {
        let rows = fold_shape::product(node, &shape[..axis])?;
        let columns = fold_shape::product(node, &shape[axis..])?;
        (importer.reshape(x, &[rows, columns])?, 1)
    } else {
        (x, isize::try_from(axis).unwrap_or(isize::MAX))
    };
    let graph = &mut importer.graph;
    let result = match node.op() {
        "Hardmax" => graph.hardmax(x, axis)?,
        "LogSoftmax" => graph.log_softmax(x, axis)?,
        _ => graph.softmax(x, axis)?,
    };
    let result = if is_flat { importer.reshape(result, &shape)? } else { result };
    Ok(vec![result.into()])
}
