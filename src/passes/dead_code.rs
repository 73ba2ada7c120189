//! Dead code: nodes that no output needs, and nodes that only hand on their operand.

use super::rewrite::Rewrite;
use super::{PassReport, alone};
use crate::error::Result;
use crate::graph::{Graph, Node, Parts};
use crate::ops::{Op, UnaryOp};

/// The pass's name.
pub const NAME: &str = "remove_dead_code";

/// Removes nodes that no output needs, and what gives back its operand: a linear activation, a
/// reshape to the same shape. Weights that no node needs go with them; inputs stay.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn remove_dead_code(graph: &Graph) -> Result<(Graph, PassReport)> {
    alone(graph, apply)
}

/// As [`remove_dead_code`], over a graph taken apart.
#[expect(clippy::unnecessary_wraps, reason = "a pass may fail")]
pub(super) fn apply(parts: Parts) -> Result<(Parts, PassReport)> {
    let mut rewrite = Rewrite::new(parts, NAME);
    let mut is_output = vec![false; rewrite.len()];
    rewrite.outputs().iter().for_each(|(_, output)| is_output[*output] = true);
    // Which value stands for each: itself, or what it gives back.
    let mut stands: Vec<usize> = (0..rewrite.len()).collect();
    for index in 0..rewrite.len() {
        rewrite.redirect(index, &stands);
        let Some(operand) = hands_on(&rewrite, index) else { continue };
        // An output that copies an input keeps its copy, which is then the caller's own.
        if is_output[index] && rewrite.node(operand).op == Op::Input {
            continue;
        }
        let line = format!(
            "{}, which gives back {}",
            rewrite.node(index).title(),
            rewrite.node(operand).title()
        );
        stands[index] = operand;
        rewrite.remove(index);
        rewrite.report.did(line);
    }
    rewrite.redirect_outputs(&stands);
    for index in rewrite.remove_dead() {
        let line = format!("{}, which no output needs", rewrite.node(index).title());
        rewrite.report.did(line);
    }
    Ok(rewrite.finish())
}

/// Returns the operand of a node that changes nothing.
fn hands_on(rewrite: &Rewrite, index: usize) -> Option<usize> {
    let Node { op, operands, stages, shape, .. } = rewrite.node(index);
    let &[operand] = operands.as_slice() else { return None };
    let changes_nothing = matches!(op, Op::Activation(UnaryOp::Linear))
        || matches!(op, Op::Reshape if *shape == rewrite.node(operand).shape);
    (changes_nothing && stages.is_empty()).then_some(operand)
}
