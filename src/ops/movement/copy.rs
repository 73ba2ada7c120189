//! What the operations that only move elements share: how they begin, axes, the batch's place.

use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Pending, Site, Symbol};
use crate::kernels::axes::{Axis, dense_strides};
use crate::kernels::{Work, copy};
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
        let Pending { name, node, operands: [x] } = self.begin(kind, None, [("x", x)])?;
        let site = Site::new(&node, x.describe());
        Ok(Start { name, x, site })
    }

    /// Adds a node with one operand.
    pub(crate) fn finish(&mut self, start: Start, op: Op) -> Result<Symbol> {
        self.add_node(start.pending(), op, Vec::new())
    }

    /// Adds a node with one operand whose shape is an option.
    pub(crate) fn finish_as(&mut self, start: Start, op: Op, dims: Vec<Dim>) -> Result<Symbol> {
        self.add_shaped_node(start.pending(), op, &Shape::new(dims))
    }

    /// Adds a view: the operand's bytes in another shape, or in its own.
    pub(crate) fn view(&mut self, start: Start, dims: Vec<Dim>) -> Result<Symbol> {
        self.finish_as(start, Op::Reshape, dims)
    }
}

impl Start {
    fn pending(self) -> Pending<1> {
        Pending { name: self.name, node: self.site.node, operands: [self.x] }
    }

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
        fixed(&self.site, &self.x, axis, rule)
    }

    /// Makes the error of an operation that would touch the batch.
    pub(crate) fn batch(&self, rule: &str) -> Error {
        batch(&self.site, &self.x, rule)
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

/// Returns an operand's fixed length along an axis; `rule` says why the batch has none.
pub(crate) fn fixed(site: &Site, x: &Operand, axis: usize, rule: &str) -> Result<usize> {
    match x.shape.dims().get(axis) {
        Some(Dim::Fixed(length)) => Ok(*length),
        _ => Err(batch(site, x, rule)),
    }
}

/// Makes the error of an operation that would touch the batch.
pub(crate) fn batch(site: &Site, x: &Operand, rule: &str) -> Error {
    site.refuse(&format!("\"{}\"", x.name), "has the batch on axis 0", rule, "use fixed dimensions")
}

/// Checks that a list has one entry for each of the operand's axes.
pub(crate) fn check_count(site: &Site, x: &Operand, option: &str, found: usize) -> Result<()> {
    if found == x.shape.rank() {
        return Ok(());
    }
    Err(site.refuse(
        option,
        format!("are {found}"),
        format!("\"{}\" has {} axes", x.name, x.shape.rank()),
        "give one for each axis",
    ))
}

/// Walks along the whole output in order, and along the input with these strides.
pub(crate) fn walk(output: &[usize], strides: &[i64], base: usize) -> Option<Work> {
    (strides.len() == output.len()).then(|| {
        let axes = zip(output, strides, &dense_strides(output));
        Work::Copy(copy::Geometry { axes, base, out_base: 0 })
    })
}

/// Pairs lengths with an input's and an output's strides.
pub(crate) fn zip(lengths: &[usize], strides: &[i64], out_strides: &[i64]) -> Vec<Axis<2>> {
    let both = strides.iter().zip(out_strides);
    let axis = |(&length, (&one, &two))| Axis { length, strides: [one, two] };
    lengths.iter().zip(both).map(axis).collect()
}
