//! Affine nodes: those that scale and shift their operand by channel, by numbers that are known.

use super::rewrite::Rewrite;
use super::values;
use crate::graph::Node;
use crate::ops::{BinaryOp, Op};
use crate::shape::Dim;

/// `x * scale + shift` on the last axis, in f64.
pub(super) struct Affine {
    /// One number for each channel, or one for all.
    scale: Vec<f64>,
    /// As `scale`.
    shift: Vec<f64>,
}

impl Affine {
    fn shifting(shift: Vec<f64>) -> Self {
        Affine { scale: vec![1.0], shift }
    }

    fn scaling(scale: Vec<f64>) -> Self {
        Affine { scale, shift: vec![0.0] }
    }

    pub(super) fn scale(&self, channel: usize) -> f64 {
        at(&self.scale, channel)
    }

    pub(super) fn shift(&self, channel: usize) -> f64 {
        at(&self.shift, channel)
    }

    /// Tells whether it only shifts.
    pub(super) fn keeps_scale(&self) -> bool {
        self.scale.iter().all(|scale| scale.to_bits() == 1.0_f64.to_bits())
    }

    /// Tells whether it only scales.
    pub(super) fn keeps_zero(&self) -> bool {
        self.shift.iter().all(|&shift| shift == 0.0)
    }
}

fn each(values: Vec<f64>, change: fn(f64) -> f64) -> Vec<f64> {
    values.into_iter().map(change).collect()
}

fn at(values: &[f64], channel: usize) -> f64 {
    let last = values.len().saturating_sub(1);
    values.get(channel.min(last)).copied().unwrap_or(f64::NAN)
}

/// Why a rule that is there cannot be used.
pub(super) type Reason = &'static str;

/// What is said of weights that the host does not have.
pub(super) const STAGED: Reason = "its numbers are staged already, or cannot be read";

/// Returns an affine node's operand, and its rule or why that is unknown; `None` for others.
pub(super) fn affine(rewrite: &Rewrite, index: usize) -> Option<(usize, Result<Affine, Reason>)> {
    let node = rewrite.node(index);
    if let Op::BatchNormalization(layer) = &node.op {
        let &x = own_operands(node).first()?;
        let is_last = layer.axis.checked_add(1) == Some(node.shape.rank());
        return is_last.then(|| (x, batch_normalization(rewrite, node, layer)));
    }
    let Op::Binary(operation) = &node.op else { return None };
    let &[left, right] = own_operands(node) else { return None };
    let (x, constant, is_left) = match (known(rewrite, left), known(rewrite, right)) {
        (None, Some(weight)) => (left, (right, weight), false),
        (Some(weight), None) => (right, (left, weight), true),
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let make: fn(Vec<f64>) -> Affine = if *operation == BinaryOp::Add {
        Affine::shifting
    } else if *operation == BinaryOp::Multiply {
        Affine::scaling
    } else if *operation == BinaryOp::Subtract && is_left {
        |values| Affine { scale: vec![-1.0], shift: values }
    } else if *operation == BinaryOp::Subtract {
        |values| Affine::shifting(each(values, |value| -value))
    } else if *operation == BinaryOp::Divide && !is_left {
        |values| Affine::scaling(each(values, |value| 1.0 / value))
    } else {
        return None;
    };
    Some((x, by_channel(rewrite, node, constant)?.map(make)))
}

/// Reads what a batch normalization scales and shifts by.
fn batch_normalization(
    rewrite: &Rewrite,
    node: &Node,
    layer: &crate::ops::normalization::batch_normalization::Resolved,
) -> Result<Affine, Reason> {
    let mut weights = node.weights.iter();
    let mut next = |is_there: bool, otherwise: f64| -> Result<Vec<f64>, Reason> {
        if !is_there {
            return Ok(vec![otherwise]);
        }
        weights.next().map_or(Err(STAGED), |&weight| read(rewrite, weight))
    };
    let (gamma, beta) = (next(layer.scale, 1.0)?, next(layer.center, 0.0)?);
    let (mean, variance) = (next(true, 0.0)?, next(true, 1.0)?);
    let (mut scale, mut shift) = (Vec::new(), Vec::new());
    for (channel, (mean, variance)) in mean.iter().zip(&variance).enumerate() {
        let by = at(&gamma, channel) / (variance + f64::from(layer.epsilon)).sqrt();
        scale.push(by);
        shift.push(at(&beta, channel) - mean * by);
    }
    Ok(Affine { scale, shift })
}

/// Returns a node's operands without its epilogue's.
pub(super) fn own_operands(node: &Node) -> &[usize] {
    match node.operands.split_last() {
        Some((_, own)) if node.stages.iter().any(crate::ops::Stage::reads_extra) => own,
        _ => &node.operands,
    }
}

/// Returns the weight of a constant, or of what reshapes one, as passes do that move transposes.
fn known(rewrite: &Rewrite, mut index: usize) -> Option<usize> {
    loop {
        let node = rewrite.node(index);
        if !node.stages.is_empty() {
            return None;
        }
        if matches!(node.op, Op::Constant) {
            return node.weights.first().copied();
        }
        let Op::Reshape = node.op else { return None };
        index = *node.operands.first()?;
    }
}

/// Reads an operand of one element, or of one for each channel; `None` for other shapes.
fn by_channel(
    rewrite: &Rewrite,
    node: &Node,
    (operand, weight): (usize, usize),
) -> Option<Result<Vec<f64>, Reason>> {
    let dims = rewrite.node(operand).shape.dims().iter().skip_while(|&&dim| dim == Dim::Fixed(1));
    let longer: Vec<Dim> = dims.copied().collect();
    let fits = match longer.as_slice() {
        [] => true,
        [channels] => node.shape.dims().last() == Some(channels),
        _ => false,
    };
    fits.then(|| read(rewrite, weight))
}

/// Reads a weight's numbers in C order.
pub(super) fn read(rewrite: &Rewrite, weight: usize) -> Result<Vec<f64>, Reason> {
    let values = values::read(rewrite.weight(weight)).ok_or(STAGED)?;
    Ok(values.iter().map(|&value| f64::from(value)).collect())
}
