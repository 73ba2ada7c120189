//! What the operations that only move elements share: how they begin, axes, the batch's place.

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::Op;
use crate::shape::{Dim, Shape};

/// A movement on its way into the graph: its name, its operand, and where its rules stand.
pub(crate) struct Start {
    pub name: String,
    pub x: Operand,
    pub site: Site,
}

impl Graph {
    /// Chooses a name and looks up the operand `x`.
    pub(crate) fn start(&mut self, kind: &str, x: Symbol) -> Result<Start> {
        let name = self.name_for(kind, None)?;
        let node = title(kind, &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, x.describe());
        Ok(Start { name, x, site })
    }

    /// Adds a node with one operand.
    pub(crate) fn finish(&mut self, start: Start, op: Op, dims: Vec<Dim>) -> Symbol {
        self.insert(start.name, op, vec![start.x.index], Vec::new(), Shape::new(dims))
    }

    /// Adds a view: the operand's bytes in another shape, or in its own.
    pub(crate) fn view(&mut self, start: Start, dims: Vec<Dim>) -> Symbol {
        self.finish(start, Op::Reshape, dims)
    }
}

impl Start {
    /// Returns the operand's dimensions.
    pub(crate) fn dims(&self) -> &[Dim] {
        self.x.shape.dims()
    }

    /// Resolves an axis that counts from the end when it is negative.
    pub(crate) fn axis(&self, axis: isize) -> Result<usize> {
        resolve_axis(&self.site, &self.x.name, self.x.shape.rank(), axis)
    }

    /// Resolves axes of which none may be named twice.
    pub(crate) fn axes(&self, axes: &[isize]) -> Result<Vec<usize>> {
        let mut found = Vec::with_capacity(axes.len());
        for &axis in axes {
            let resolved = self.axis(axis)?;
            if found.contains(&resolved) {
                return Err(twice(&self.site, axes, resolved));
            }
            found.push(resolved);
        }
        Ok(found)
    }

    /// Returns the fixed length of an axis; `rule` says why the batch has none.
    pub(crate) fn fixed(&self, axis: usize, rule: &str) -> Result<usize> {
        match self.dims().get(axis) {
            Some(Dim::Fixed(length)) => Ok(*length),
            _ => Err(self.batch(rule)),
        }
    }

    /// Makes the error of an operation that would touch the batch.
    pub(crate) fn batch(&self, rule: &str) -> Error {
        let operand = format!("\"{}\"", self.x.name);
        self.site.refuse(&operand, "has the batch on axis 0", rule, "use fixed dimensions")
    }

    /// Makes the error of an option that does not fit; `got` opens with a verb.
    pub(crate) fn refuse(
        &self,
        option: &str,
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: &str,
    ) -> Error {
        self.site.refuse(option, got, expected, remedy)
    }
}

/// Resolves an axis of a value with this rank; negative ones count from the end.
pub(crate) fn resolve_axis(site: &Site, name: &str, rank: usize, axis: isize) -> Result<usize> {
    let from_end = |axis: isize| rank.checked_sub(axis.unsigned_abs());
    let found = if axis < 0 { from_end(axis) } else { usize::try_from(axis).ok() };
    found.filter(|&axis| axis < rank).ok_or_else(|| {
        site.refuse(
            "axis",
            format!("is {axis}"),
            format!("\"{name}\" has {rank} axes"),
            "use an axis from -rank to rank - 1",
        )
    })
}

/// Makes the error of an axis that is named twice.
pub(crate) fn twice(site: &Site, axes: &[isize], axis: usize) -> Error {
    site.refuse(
        "axes",
        format!("are {axes:?}"),
        format!("axis {axis} is named twice"),
        "name each axis once",
    )
}
