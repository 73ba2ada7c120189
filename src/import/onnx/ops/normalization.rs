//! Normalizations: channels stay the second axis, where ONNX has them.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::graph::{LayerWeights, Weight};
use crate::import::onnx::fold_shape;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::value::Value;
use crate::ops::{
    BatchNormalization, GroupNormalization, InstanceNormalization, LayerNormalization, Lrn,
    MeanVarianceNormalization, RmsNormalization,
};

/// What ONNX adds to a variance, unless a node says otherwise.
const EPSILON: f32 = 1e-5;

type Outputs = Result<Vec<Value>>;

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("BatchNormalization", batch).inputs(5).known(1, 4),
    row("GroupNormalization", group).inputs(3).known(1, 2),
    row("InstanceNormalization", instance).inputs(3).known(1, 2),
    row("LRN", local_response),
    row("LayerNormalization", layer).inputs(3).known(1, 2),
    row("MeanVarianceNormalization", mean_variance),
    row("RMSNormalization", rms).inputs(2).known(1, 1),
];

fn batch(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    // It acts while a network is trained.
    node.float("momentum", 0.9)?;
    if node.flag("training_mode", false)? || (1..5).any(|number| node.wants(number)) {
        return Err(node.unsupported("training_mode"));
    }
    if !node.flag("spatial", true)? {
        return Err(node.unsupported("spatial = 0"));
    }
    let layer = BatchNormalization::new().axis(1).epsilon(node.float("epsilon", EPSILON)?);
    let mut weights = LayerWeights::default();
    for (number, name) in ["gamma", "beta", "moving_mean", "moving_variance"].iter().enumerate() {
        weights = weights.with(*name, weight(importer, node, inputs, number.saturating_add(1))?);
    }
    Ok(vec![importer.graph.batch_normalization(x, layer, &weights)?.into()])
}

/// Returns a weight that must be there.
fn weight(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    number: usize,
) -> Result<Weight> {
    inputs::weight(importer, node, inputs, number)?.ok_or_else(|| {
        let expected = format!("{} needs it", node.op());
        node.refuse(&format!("input {number}"), "is left out".to_owned(), expected)
    })
}

fn instance(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let layer = InstanceNormalization::new().axis(1).epsilon(node.float("epsilon", EPSILON)?);
    let weights = LayerWeights::default().with("gamma", weight(importer, node, inputs, 1)?);
    let weights = weights.with("beta", weight(importer, node, inputs, 2)?);
    Ok(vec![importer.graph.instance_normalization(x, layer, &weights)?.into()])
}

fn group(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    check_stash_type(node)?;
    let groups = inputs::positions(node, &[node.int("num_groups", 0)?])?;
    let layer = GroupNormalization::new(groups.first().copied().unwrap_or(0))
        .axis(1)
        .epsilon(node.float("epsilon", EPSILON)?);
    let weights = LayerWeights::default().with("gamma", weight(importer, node, inputs, 1)?);
    let weights = weights.with("beta", weight(importer, node, inputs, 2)?);
    Ok(vec![importer.graph.group_normalization(x, layer, &weights)?.into()])
}

fn layer(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    check_stash_type(node)?;
    let bias = inputs::weight(importer, node, inputs, 2)?;
    let layer = LayerNormalization::new()
        .axis(axes_from(importer, node, x)?)
        .epsilon(node.float("epsilon", EPSILON)?)
        .center(bias.is_some());
    let mut weights = LayerWeights::default().with("gamma", weight(importer, node, inputs, 1)?);
    if let Some(bias) = bias {
        weights = weights.with("beta", bias);
    }
    if node.wants(1) || node.wants(2) {
        let made = importer.graph.layer_normalization_with_moments(x, layer, &weights)?;
        return Ok(vec![made.output.into(), made.mean.into(), made.inv_std_dev.into()]);
    }
    Ok(vec![importer.graph.layer_normalization(x, layer, &weights)?.into()])
}

fn rms(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    check_stash_type(node)?;
    let layer = RmsNormalization::new()
        .axis(axes_from(importer, node, x)?)
        .epsilon(node.float("epsilon", EPSILON)?);
    let weights = LayerWeights::default().with("scale", weight(importer, node, inputs, 1)?);
    Ok(vec![importer.graph.rms_normalization(x, layer, &weights)?.into()])
}

fn mean_variance(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let axes = node.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]);
    let layer = MeanVarianceNormalization::new().axes(inputs::positions(node, &axes)?);
    Ok(vec![importer.graph.mean_variance_normalization(x, layer)?.into()])
}

fn local_response(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let size = inputs::lengths(node, &[node.int("size", 0)?])?;
    let layer = Lrn::new(size.first().copied().unwrap_or(0))
        .alpha(node.float("alpha", 1e-4)?)
        .beta(node.float("beta", 0.75)?)
        .bias(node.float("bias", 1.0)?)
        .axis(1);
    Ok(vec![importer.graph.lrn(x, layer)?.into()])
}

/// Refuses moments in another type than f32, in which they are computed here.
fn check_stash_type(node: &Node<'_>) -> Result<()> {
    match node.int("stash_type", 1)? {
        1 => Ok(()),
        other => Err(node.unsupported(&format!("stash_type = {other}"))),
    }
}

/// Returns the axes from the attribute's on.
fn axes_from(
    importer: &Importer<'_>,
    node: &Node<'_>,
    x: crate::graph::Symbol,
) -> Result<Vec<isize>> {
    let rank = importer.shape(x).len();
    let first = fold_shape::axis(node, node.int("axis", -1)?, rank)?;
    (first..rank)
        .map(|axis| isize::try_from(axis).map_err(|_| node.unsupported("an axis of this number")))
        .collect()
}
