//! Reductions, global pooling, positions of extremes, softmax and its kin.

use super::{Holds, Inputs, KEPT, Row, SHARES, inputs, row};
use crate::error::Result;
use crate::import::onnx::fold_shape;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::Numbers;
use crate::import::onnx::value::Value;
use crate::import::onnx::whole::UNSUPPORTED;
use crate::ops::{ArgReduce, CumSum, Reduce, ReduceOp, TopK};

/// Positions along an axis.
const POSITION: Holds = |importer, _, inputs, _| Ok(importer.position(inputs));

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("ArgMax", position).holds(POSITION),
    row("ArgMin", position).holds(POSITION),
    row("CumSum", cumsum).inputs(2).known(1, 1).whole(reduced),
    row("GlobalAveragePool", global),
    row("GlobalLpPool", global),
    row("GlobalMaxPool", global).holds(KEPT),
    row("Hardmax", softmax).holds(SHARES),
    row("LogSoftmax", softmax),
    row("ReduceL1", reduce).inputs(2).known(1, 1).whole(reduced),
    row("ReduceL2", reduce).inputs(2).known(1, 1),
    row("ReduceLogSum", reduce).inputs(2).known(1, 1),
    row("ReduceLogSumExp", reduce).inputs(2).known(1, 1),
    row("ReduceMax", reduce).inputs(2).known(1, 1).whole(reduced),
    row("ReduceMean", reduce).inputs(2).known(1, 1),
    row("ReduceMin", reduce).inputs(2).known(1, 1).whole(reduced),
    row("ReduceProd", reduce).inputs(2).known(1, 1).whole(reduced),
    row("ReduceSum", reduce).inputs(2).known(1, 1).whole(reduced),
    row("ReduceSumSquare", reduce).inputs(2).known(1, 1).whole(reduced),
    row("Softmax", softmax).holds(SHARES),
    row("TopK", top_k).inputs_since(10, 2).known(1, 1).holds(KEPT),
];

/// Sums, products and extremes along axes.
fn reduced(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let lengths = importer.lengths(inputs);
    if matches!(node.op(), "ReduceMax" | "ReduceMin") {
        // The largest of nothing is infinite for floats alone.
        if lengths.contains(&0) {
            return Err(node.unsupported(UNSUPPORTED));
        }
        return Ok(x);
    }
    let axes = match node.op() {
        "CumSum" => inputs::ints(node, inputs, 1)?,
        _ => inputs::ints_or_attribute(node, inputs, 1, "axes")?,
    };
    let rank = i64::try_from(lengths.len()).unwrap_or(i64::MAX);
    let length = |axis: &i64| {
        let axis = if *axis < 0 { axis.saturating_add(rank) } else { *axis };
        usize::try_from(axis).ok().and_then(|axis| lengths.get(axis)).map_or(1.0, |&l| l as f64)
    };
    let terms: f64 = match axes {
        Some(axes) if !axes.is_empty() => axes.iter().map(length).product(),
        _ if node.op() != "CumSum" && node.flag("noop_with_empty_axes", false)? => 1.0,
        _ => lengths.iter().map(|&length| length as f64).product(),
    };
    let size = x.size();
    let most = match node.op() {
        "ReduceSumSquare" => terms * size * size,
        "ReduceProd" => size.max(1.0).powf(terms),
        _ => terms * size,
    };
    let is_positive = x.low >= 0.0 || matches!(node.op(), "ReduceL1" | "ReduceSumSquare");
    let all = x.within(if is_positive { 0.0 } else { -most }, most);
    importer.check_exact(node, all)?;
    Ok(all)
}

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
