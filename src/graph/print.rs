//! A graph as text: one line for each node.

use std::fmt;

use super::{Epilogue, Graph};
use crate::error::escaped;

/// Writes `conv2d "edges" + relu of "image", weights "kernel", "bias": [batch, 6, 6, 4]`.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.nodes {
            let stages = Epilogue { stages: node.stages.clone(), period: 0 };
            write!(f, "{}{stages}", escaped(node.title()))?;
            let operands = node.operands.iter().map(|&index| self.nodes[index].name.as_str());
            list(f, " of ", operands)?;
            let weights = node.weights.iter().map(|&index| self.weights[index].label());
            list(f, ", weights ", weights)?;
            writeln!(f, ": {}", node.shape)?;
        }
        for (name, index) in &self.outputs {
            let node = escaped(&self.nodes[*index].name);
            writeln!(f, "output \"{}\" is \"{node}\"", escaped(name))?;
        }
        Ok(())
    }
}

/// Writes quoted names behind an opening word, or nothing for no names.
fn list<'a>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    names: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    for (number, name) in names.enumerate() {
        write!(f, "{}\"{}\"", if number == 0 { open } else { ", " }, escaped(name))?;
    }
    Ok(())
}
