//! Affine folding: batch normalization, and sums and products with constants, by channel become
//! part of the kernel and bias of the layer before or behind.

use ndarray::{ArrayD, IxDyn};

use super::affine::{Affine, Reason, affine, own_operands, read};
use super::rewrite::Rewrite;
use super::values;
use super::{PassReport, alone};
use crate::error::Result;
use crate::graph::{Graph, Node, Parts, Weight};
use crate::ops::Op;
use crate::shape::Dim;

/// The pass's name.
pub const NAME: &str = "fold_batch_norm";

/// Folds `x * scale + shift` by channel into the convolution, transposed convolution or dense
/// layer before it; or, where no padding is in the way, into the convolution or dense layer
/// behind it.
///
/// Kernel and bias are computed in f64 and rounded once. Nothing is folded where something else
/// uses the value between both, where there is an activation between them, and where the numbers
/// are tensors that are staged already.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn fold_batch_norm(graph: &Graph) -> Result<(Graph, PassReport)> {
    alone(graph, apply)
}

/// As [`fold_batch_norm`], over a graph taken apart.
#[expect(clippy::unnecessary_wraps, reason = "a pass may fail")]
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    for index in 0..rewrite.len() {
        fold_into_producer(&mut rewrite, index);
    }
    for index in 0..rewrite.len() {
        // A scale may stand before the shift that went in.
        while fold_into_consumer(&mut rewrite, index) == Some(true) {}
    }
    Ok(rewrite.finish())
}

/// Folds an affine node into the layer that makes its operand.
fn fold_into_producer(rewrite: &mut Rewrite, index: usize) {
    let Some((x, rule)) = affine(rewrite, index) else { return };
    let (from, to) = (rewrite.node(x), rewrite.node(index));
    let Some(layer) = Layer::of(rewrite, from) else { return };
    if rewrite.uses(x) != 1 || !from.stages.is_empty() || from.shape != to.shape {
        return;
    }
    let line = format!("{} into {}", to.title(), from.title());
    let extra = &to.operands[own_operands(to).len()..];
    let folded = Node {
        name: to.name.clone(),
        operands: from.operands.iter().chain(extra).copied().collect(),
        stages: to.stages.clone(),
        ..from.clone()
    };
    match rule.and_then(|rule| layer.scaled_behind(rewrite, &rule)) {
        Ok(weights) => {
            put(rewrite, index, folded, weights);
            rewrite.remove(x);
            rewrite.sweep();
            rewrite.report.did(line);
        }
        Err(reason) => rewrite.report.left_alone(format!("{line}: {reason}")),
    }
}

/// Folds the affine node that makes a layer's operand into the layer, and tells whether it did;
/// `None` where there is no such node.
fn fold_into_consumer(rewrite: &mut Rewrite, index: usize) -> Option<bool> {
    let to = rewrite.node(index);
    let (layer, &x) = Layer::of(rewrite, to).zip(to.operands.first())?;
    let (operand, rule) = affine(rewrite, x)?;
    let from = rewrite.node(x);
    let keeps_shape = rewrite.node(operand).shape == from.shape;
    if rewrite.uses(x) != 1 || !from.stages.is_empty() || !keeps_shape {
        return None;
    }
    let line = format!("{} into {}", from.title(), to.title());
    let mut folded = to.clone();
    folded.operands[0] = operand;
    match rule.and_then(|rule| layer.scaled_before(rewrite, &rule)) {
        Ok(weights) => {
            put(rewrite, index, folded, weights);
            rewrite.remove(x);
            rewrite.sweep();
            rewrite.report.did(line);
            Some(true)
        }
        Err(reason) => {
            rewrite.report.left_alone(format!("{line}: {reason}"));
            Some(false)
        }
    }
}

/// Puts a layer with new weights in the place of a node.
fn put(rewrite: &mut Rewrite, index: usize, mut node: Node, weights: Vec<New>) {
    node.weights = weights
        .into_iter()
        .map(|weight| match weight {
            New::Kept(number) => number,
            New::Made(weight) => rewrite.add_weight(weight),
        })
        .collect();
    rewrite.replace(index, node);
}

/// A weight of the folded layer.
enum New {
    Kept(usize),
    Made(Weight),
}

/// How a kernel's elements belong to channels.
enum Kind {
    /// (kh, kw, Cin/groups, Cout), or (kh, kw, Cin, multiplier), which lies in memory as
    /// (kh, kw, 1, Cout) does.
    Convolution { groups: usize, is_padded: bool },
    /// (kh, kw, Cout/groups, Cin), or (k, Cout/groups, Cin).
    Transposed { filters: usize },
    /// (in, units).
    Dense,
}

/// A layer with a kernel.
struct Layer {
    kind: Kind,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    bias: Option<usize>,
}

impl Layer {
    fn of(rewrite: &Rewrite, node: &Node) -> Option<Layer> {
        let last = |node: &Node| match node.shape.dims().last() {
            Some(Dim::Fixed(channels)) => Some(*channels),
            _ => None,
        };
        let kernel = *node.weights.first()?;
        let kind = if let Op::Conv2d(layer) = &node.op {
            let pads = layer.pads;
            let is_padded = [pads.top, pads.bottom, pads.left, pads.right] != [0; 4];
            Kind::Convolution { groups: layer.groups, is_padded }
        } else if let Op::Conv2dTranspose(_) = &node.op {
            // The last axis but one, over images and over lines.
            Kind::Transposed { filters: *rewrite.weight(kernel).shape().iter().nth_back(1)? }
        } else {
            let Op::Dense = &node.op else { return None };
            Kind::Dense
        };
        let inputs = last(rewrite.node(*node.operands.first()?))?;
        let bias = node.weights.get(1).copied();
        // Without elements there are no channels to divide by.
        let layer = Layer { kind, inputs, outputs: last(node)?, kernel, bias };
        (layer.inputs > 0 && layer.outputs > 0).then_some(layer)
    }

    /// Returns which output channel an element of the kernel belongs to.
    fn output(&self, element: usize) -> usize {
        match self.kind {
            Kind::Convolution { .. } | Kind::Dense => element % self.outputs,
            Kind::Transposed { filters } => {
                let (input, filter) = (element % self.inputs, element / self.inputs % filters);
                // Input channels come in as many groups as filters fit into the outputs.
                let group = input / (self.inputs * filters / self.outputs).max(1);
                group * filters + filter
            }
        }
    }

    /// Returns which input channel an element of the kernel belongs to; not for transposed ones.
    fn input(&self, element: usize) -> usize {
        match self.kind {
            Kind::Convolution { groups, .. } => {
                let (inputs, outputs) = (self.inputs / groups, self.outputs / groups);
                let group = element % self.outputs / outputs;
                group * inputs + element / self.outputs % inputs
            }
            Kind::Transposed { .. } | Kind::Dense => element / self.outputs,
        }
    }

    /// Computes kernel and bias of a layer whose result is scaled and shifted.
    fn scaled_behind(&self, rewrite: &Rewrite, rule: &Affine) -> Result<Vec<New>, Reason> {
        let kernel = if rule.keeps_scale() {
            New::Kept(self.kernel)
        } else {
            let values = read(rewrite, self.kernel)?.into_iter().enumerate();
            let scaled = values.map(|(element, k)| k * rule.scale(self.output(element)));
            New::Made(make(rewrite.weight(self.kernel), scaled.collect())?)
        };
        let mut bias = self.read_bias(rewrite)?;
        for (channel, value) in bias.iter_mut().enumerate() {
            *value = *value * rule.scale(channel) + rule.shift(channel);
        }
        self.with_bias(rewrite, kernel, bias)
    }

    /// Computes kernel and bias of a layer whose operand was scaled and shifted.
    fn scaled_before(&self, rewrite: &Rewrite, rule: &Affine) -> Result<Vec<New>, Reason> {
        match self.kind {
            Kind::Transposed { .. } => return Err("a transposed convolution adds zeros between"),
            Kind::Convolution { is_padded, .. } if is_padded && !rule.keeps_zero() => {
                return Err("the padding is zero before, and would be shifted");
            }
            Kind::Convolution { .. } | Kind::Dense => {}
        }
        let kernel = read(rewrite, self.kernel)?;
        let mut bias = self.read_bias(rewrite)?;
        for (element, k) in kernel.iter().enumerate() {
            bias[self.output(element)] += k * rule.shift(self.input(element));
        }
        let scaled = kernel.iter().enumerate();
        let scaled = scaled.map(|(element, k)| k * rule.scale(self.input(element)));
        let kernel = New::Made(make(rewrite.weight(self.kernel), scaled.collect())?);
        self.with_bias(rewrite, kernel, bias)
    }

    /// Reads the bias; zeros where there is none.
    fn read_bias(&self, rewrite: &Rewrite) -> Result<Vec<f64>, Reason> {
        self.bias.map_or_else(|| Ok(vec![0.0; self.outputs]), |bias| read(rewrite, bias))
    }

    fn with_bias(
        &self,
        rewrite: &Rewrite,
        kernel: New,
        bias: Vec<f64>,
    ) -> Result<Vec<New>, Reason> {
        if self.bias.is_none() && bias.iter().all(|&value| value == 0.0) {
            return Ok(vec![kernel]);
        }
        let label = match self.bias {
            Some(bias) => rewrite.weight(bias).label().to_owned(),
            None => format!("{}, bias", rewrite.weight(self.kernel).label()),
        };
        let bias = ArrayD::from_shape_vec(IxDyn(&[bias.len()]), bias).map_err(|_| TOO_LARGE)?;
        let bias = values::make(&label, values::round(&bias)).ok_or(TOO_LARGE)?;
        Ok(vec![kernel, New::Made(bias)])
    }
}

const TOO_LARGE: Reason = "a number would not be finite";

/// Makes a weight of an old one's label and shape.
fn make(old: &Weight, values: Vec<f64>) -> Result<Weight, Reason> {
    let values = ArrayD::from_shape_vec(IxDyn(old.shape()), values).map_err(|_| TOO_LARGE)?;
    values::make(old.label(), values::round(&values)).ok_or(TOO_LARGE)
}
