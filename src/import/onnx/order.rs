//! The order of a model's nodes: each behind those whose results it takes.

use std::collections::{HashMap, HashSet};

use super::node::label;
use super::proto::{GraphProto, NodeProto};
use super::tensor::Origin;
use crate::error::{Result, listed};

/// Where the walk is with a node.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Ahead,
    /// What it takes is being placed.
    Open,
    Placed,
}

/// Sorts the nodes so that each comes behind those whose results it takes.
///
/// ONNX asks for that order, but tools that add nodes append them, and ONNX Runtime sorts. Nodes in
/// order stay as they are, and a node that is moved goes right before the first that needs it. Takes
/// time and memory in proportion to the graph.
///
/// # Errors
///
/// [`Error::Format`](crate::Error::Format) that names the nodes of a cycle.
pub(super) fn sort(origin: &Origin, graph: &mut GraphProto) -> Result<()> {
    let order = order(graph).map_err(|cycle| {
        let names = cycle.iter().filter_map(|&number| graph.node.get(number)).map(label);
        let got = format!("has a cycle of nodes: {}", listed(names));
        let expected = "no node takes what is computed of its own result";
        origin.error("the graph", &got, expected, "export the model again")
    })?;
    if order.is_sorted() {
        return Ok(());
    }
    let mut nodes: Vec<Option<NodeProto>> = graph.node.drain(..).map(Some).collect();
    let sorted = order.into_iter().filter_map(|number| nodes.get_mut(number)?.take());
    graph.node.extend(sorted);
    Ok(())
}

/// Returns the numbers of the nodes in an order in which they can be computed, or those of a cycle.
fn order(graph: &GraphProto) -> std::result::Result<Vec<usize>, Vec<usize>> {
    let inputs = graph.input.iter().map(|input| input.name.as_str());
    let initializers = graph.initializer.iter().map(|tensor| tensor.name.as_str());
    let declared: HashSet<&str> = inputs.chain(initializers).collect();
    let mut makers: HashMap<&str, usize> = HashMap::new();
    for (number, node) in graph.node.iter().enumerate() {
        for name in &node.output {
            // A name that is an input too is refused when it is made.
            if !name.is_empty() && !declared.contains(name.as_str()) {
                makers.entry(name).or_insert(number);
            }
        }
    }
    let mut visits = vec![Visit::Ahead; graph.node.len()];
    let mut order = Vec::with_capacity(graph.node.len());
    // The nodes under way, each with how many of its inputs have been looked at: a chain may be as
    // long as the file, so there is no recursion.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for first in 0..graph.node.len() {
        if visits.get(first) == Some(&Visit::Ahead) {
            path.push((first, 0));
        }
        while let Some((number, taken)) = path.last_mut() {
            let number = *number;
            let (Some(node), Some(visit)) = (graph.node.get(number), visits.get_mut(number)) else {
                path.pop();
                continue;
            };
            *visit = Visit::Open;
            let Some(input) = node.input.get(*taken) else {
                *visit = Visit::Placed;
                order.push(number);
                path.pop();
                continue;
            };
            *taken += 1;
            let Some(&maker) = makers.get(input.as_str()) else { continue };
            match visits.get(maker) {
                Some(Visit::Ahead) => path.push((maker, 0)),
                Some(Visit::Open) => {
                    let numbers = path.iter().map(|(number, _)| *number);
                    return Err(numbers.skip_while(|&number| number != maker).collect());
                }
                Some(Visit::Placed) | None => {}
            }
        }
    }
    Ok(order)
}
