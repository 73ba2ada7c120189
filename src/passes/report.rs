//! What passes did, in plain words.

use std::fmt;

use serde::Serialize;

use crate::error::escaped;

/// What one pass did, node by node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassReport {
    pass: &'static str,
    done: Vec<String>,
    left: Vec<String>,
}

impl PassReport {
    pub(crate) fn new(pass: &'static str) -> Self {
        PassReport { pass, done: Vec::new(), left: Vec::new() }
    }

    pub(crate) fn did(&mut self, what: impl Into<String>) {
        self.done.push(what.into());
    }

    pub(crate) fn left_alone(&mut self, what: impl Into<String>) {
        self.left.push(what.into());
    }

    /// Returns the pass's name, as [`Passes::without`](crate::Passes::without) takes it.
    #[must_use]
    pub fn pass(&self) -> &'static str {
        self.pass
    }

    /// Returns what it did: `relu "relu" into conv2d "edges"`.
    #[must_use]
    pub fn done(&self) -> &[String] {
        &self.done
    }

    /// Returns what it would have done but could not, and why: a weight that cannot be read, a
    /// piece of a concatenation that is an input.
    #[must_use]
    pub fn left(&self) -> &[String] {
        &self.left
    }

    /// Tells whether the graph, or its plan, is another one after the pass.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.done.is_empty()
    }
}

impl fmt::Display for PassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.done {
            writeln!(f, "  {}: {}", self.pass, escaped(line))?;
        }
        for line in &self.left {
            writeln!(f, "  {} left: {}", self.pass, escaped(line))?;
        }
        Ok(())
    }
}

/// What all passes did, in the order they ran.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub(crate) passes: Vec<PassReport>,
    pub(crate) nodes_before: usize,
    pub(crate) nodes_after: usize,
}

impl Report {
    /// Returns the single reports; a pass that ran twice stands there twice.
    #[must_use]
    pub fn passes(&self) -> &[PassReport] {
        &self.passes
    }

    /// Counts the graph's nodes before and after.
    #[must_use]
    pub fn nodes(&self) -> (usize, usize) {
        (self.nodes_before, self.nodes_after)
    }

    /// Tells whether any pass changed the graph or its plan.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.passes.iter().any(PassReport::changed)
    }
}

/// One line for each thing done or left, and none for a pass that had nothing to do.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.passes.iter().all(|pass| pass.done.is_empty() && pass.left.is_empty()) {
            return Ok(());
        }
        writeln!(f, "passes: {} nodes became {}", self.nodes_before, self.nodes_after)?;
        self.passes.iter().try_for_each(|pass| pass.fmt(f))
    }
}
