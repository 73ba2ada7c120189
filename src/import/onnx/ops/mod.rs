//! The operators: one function for each, from a node's inputs to its outputs.

mod casting;
mod convolution;
mod elementwise;
pub(super) mod inputs;
mod movement;
mod normalization;
mod pooling;
mod product;
mod reduction;
mod resampling;

use std::collections::BTreeSet;

use super::importer::Importer;
use super::node::Node;
use super::numbers::Numbers;
use super::value::Value;
use super::whole::UNSUPPORTED;
use crate::array::DType;
use crate::error::Result;
use crate::ops::{BinaryOp, UnaryOp};

/// The inputs of a node, none for one that is left out.
pub(super) type Inputs = [Option<Value>];

/// Adds a node to the graph, and returns what its outputs stand for.
type Translate = fn(&mut Importer<'_>, &Node<'_>, &Inputs) -> Result<Vec<Value>>;

/// Tells what a node's first output holds, before it wraps, from what its first input does.
type Holds = fn(&mut Importer<'_>, &Node<'_>, &Inputs, Numbers) -> Result<Numbers>;

/// The numbers of the first input.
const KEPT: Holds = |_, _, _, x| Ok(x);
/// Truth values.
const TRUTH: Holds = |_, _, _, _| Ok(Numbers::of(DType::Bool));
/// Floats, whatever the first input holds.
const FLOATS: Holds = |_, _, _, _| Ok(Numbers::of(DType::F32));
/// The numbers of all inputs.
const JOINED: Holds = |importer, node, inputs, x| {
    Ok((1..inputs.len()).fold(x, |all, number| all.or(importer.numbers(node, inputs, number))))
};
/// Floats from 0 to 1, of floats.
const SHARES: Holds = |_, node, _, x| {
    if x.is_whole() { Err(node.unsupported(UNSUPPORTED)) } else { Ok(x.within(0.0, 1.0)) }
};

/// What the importer knows of an operator; each file lists its own.
#[derive(Clone, Copy)]
pub(super) struct Row {
    op: &'static str,
    translate: Translate,
    /// The most inputs it has; one more would be left aside, and the result be wrong.
    inputs: usize,
    /// The most inputs from an operator set on, where that is another number.
    later: Option<(i64, usize)>,
    /// The first and last input that must be known before a plan is made: they shape the network,
    /// or are weights of a layer.
    known: Option<(usize, usize)>,
    /// What its first output holds; none where whole numbers are refused.
    holds: Option<Holds>,
    /// Whether that is asked of whole numbers alone: of floats its results are any.
    of_whole: bool,
}

/// Makes the row of an operator with one input, which need not be known.
const fn row(op: &'static str, translate: Translate) -> Row {
    Row { op, translate, inputs: 1, later: None, known: None, holds: None, of_whole: true }
}

impl Row {
    const fn inputs(mut self, most: usize) -> Self {
        self.inputs = most;
        self
    }

    const fn any_inputs(self) -> Self {
        self.inputs(usize::MAX)
    }

    const fn inputs_since(mut self, opset: i64, most: usize) -> Self {
        self.later = Some((opset, most));
        self
    }

    const fn known(mut self, first: usize, last: usize) -> Self {
        self.known = Some((first, last));
        self
    }

    const fn known_from(self, first: usize) -> Self {
        self.known(first, usize::MAX)
    }

    /// Says what the first output holds.
    const fn holds(mut self, holds: Holds) -> Self {
        self.holds = Some(holds);
        self.of_whole = false;
        self
    }

    /// Says what the first output holds where the first input is of whole numbers.
    const fn whole(mut self, holds: Holds) -> Self {
        self.holds = Some(holds);
        self
    }
}

/// Every operator but element-wise functions, which have a table of their own
/// (`src/ops/elementwise/functions.rs`).
fn rows() -> impl Iterator<Item = Row> {
    let files = [
        casting::ROWS,
        convolution::ROWS,
        elementwise::ROWS,
        movement::ROWS,
        normalization::ROWS,
        pooling::ROWS,
        product::ROWS,
        reduction::ROWS,
        resampling::ROWS,
    ];
    files.into_iter().flatten().copied()
}

fn find(op: &str) -> Option<Row> {
    rows()
        .chain(UnaryOp::operators().map(elementwise::unary_row))
        .chain(BinaryOp::operators().map(elementwise::binary_row))
        .find(|row| row.op == op)
}

/// Tells whether an operator of a domain is there.
pub(super) fn is_supported(domain: &str, op: &str) -> bool {
    (domain.is_empty() || domain == "ai.onnx") && find(op).is_some()
}

/// Returns the names of the ONNX operators that can be imported, in order.
pub fn supported_operators() -> impl Iterator<Item = &'static str> {
    let others = rows().map(|row| row.op);
    let all: BTreeSet<_> =
        others.chain(UnaryOp::operators()).chain(BinaryOp::operators()).collect();
    all.into_iter()
}

/// Tells whether an operand must be known before a plan is made.
pub(super) fn must_be_known(op: &str, number: usize) -> bool {
    let known = find(op).and_then(|row| row.known);
    known.is_some_and(|(first, last)| (first..=last).contains(&number))
}

/// Refuses inputs behind the last that a node's operator has.
///
/// # Errors
///
/// [`Error::Operand`](crate::Error::Operand) that names the first of them.
pub(super) fn check_input_count(node: &Node<'_>) -> Result<()> {
    let Some(row) = find(node.op()) else { return Ok(()) };
    let most = match row.later {
        Some((opset, most)) if node.opset >= opset => most,
        _ => row.inputs,
    };
    match (most..node.input_count()).find_map(|number| node.input(number)) {
        None => Ok(()),
        Some(name) => {
            let expected = format!("{} has at most {most} inputs", node.op());
            Err(node.refuse(&format!("input \"{name}\""), "is one too many".to_owned(), expected))
        }
    }
}

/// Adds a node to the graph.
pub(super) fn translate(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    match find(node.op()) {
        Some(row) => (row.translate)(importer, node, inputs),
        None => Err(node.unsupported("the operator")),
    }
}

/// Tells what a node's first output holds, before it wraps.
///
/// # Errors
///
/// [`Error::Unsupported`](crate::Error::Unsupported) for whole numbers of an operator that has no
/// whole results here, and what its rule reports.
pub(super) fn outcome(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    match find(node.op()) {
        Some(row) if row.of_whole && !x.is_whole() => Ok(Numbers::of(x.dtype)),
        Some(Row { holds: Some(holds), .. }) => holds(importer, node, inputs, x),
        Some(_) | None => Err(node.unsupported(UNSUPPORTED)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rows;

    #[test]
    fn an_operator_has_one_row() {
        let mut seen = BTreeSet::new();
        let again: Vec<&str> = rows().map(|row| row.op).filter(|op| !seen.insert(*op)).collect();
        assert!(again.is_empty() && seen.len() > 50, "{again:?}");
    }
}
