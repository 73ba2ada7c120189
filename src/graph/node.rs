//! Nodes: what they compute, and what their shape rules need to speak about them.

use super::Weight;
use crate::error::{Error, Result};
use crate::ops::{Arguments, Op, Stage};
use crate::shape::{Dim, Shape};

/// One operation of a graph and the value it gives.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) operands: Vec<usize>,
    pub(crate) weights: Vec<usize>,
    /// Applied to each result; a stage of two operands takes the last operand.
    pub(crate) stages: Vec<Stage>,
    pub(crate) shape: Shape,
}

impl Node {
    /// Returns the node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it computes.
    #[must_use]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Returns what is applied to each result before it is stored.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Returns the shape of its value.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Returns kind and name, as messages print them: `conv2d "edges"`.
    #[must_use]
    pub fn title(&self) -> String {
        title(self.op.name(), &self.name)
    }
}

pub(crate) fn title(kind: &str, name: &str) -> String {
    format!("{kind} \"{name}\"")
}

/// What a user can do about what no input should cause.
pub(crate) const BUG: &str = "this is a bug in longshore; please report it";

/// A node on its way into the graph: its name, its title and its operands.
pub(crate) struct Pending<const N: usize> {
    pub name: String,
    /// Kind and name, for messages.
    pub node: String,
    pub operands: [Operand; N],
}

impl<const N: usize> Pending<N> {
    /// Makes the place where a builder's rule stands: the operands' shapes, then `options`.
    pub(crate) fn site(&self, options: &str) -> Site {
        self.arguments(&[]).site(options)
    }

    /// Returns what the operator's rule looks at.
    pub(crate) fn arguments<'a>(&'a self, weights: &'a [Weight]) -> Arguments<'a> {
        Arguments { node: &self.node, operands: &self.operands, weights, wanted: None }
    }
}

/// A node on its way into the graph: everything but what it computes.
pub(crate) struct Draft {
    /// Kind and name, for messages.
    pub title: String,
    pub name: String,
    pub operands: Vec<usize>,
    pub weights: Vec<Weight>,
    pub shape: Shape,
}

/// An operand that has been looked up.
pub(crate) struct Operand {
    pub index: usize,
    pub name: String,
    pub shape: Shape,
}

impl Operand {
    /// Returns name and shape as messages print them: `image [1, 64, 64, 4]`.
    pub(crate) fn describe(&self) -> String {
        format!("{} {}", self.name, self.shape)
    }

    /// Takes an image apart: height, width, channels of (batch, height, width, channels).
    pub(crate) fn image(&self, site: &Site) -> Result<[usize; 3]> {
        match self.shape.dims() {
            [_, Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(channels)] => {
                Ok([*height, *width, *channels])
            }
            _ => Err(site.refuse(
                &format!("\"{}\"", self.name),
                format!("has {} dimensions", self.shape.rank()),
                "an image has 4: (batch, height, width, channels)",
                "reshape it",
            )),
        }
    }
}

/// Where a rule stands: the node, and the shapes and options it looks at.
pub(crate) struct Site {
    pub node: String,
    pub shapes: String,
}

impl Site {
    pub(crate) fn new(node: &str, shapes: impl Into<String>) -> Self {
        Site { node: node.to_owned(), shapes: shapes.into() }
    }

    /// Makes the error of an operand that does not fit; `got` opens with a verb.
    pub(crate) fn refuse(
        &self,
        operand: &str,
        got: impl Into<String>,
        expected: impl Into<String>,
        remedy: &str,
    ) -> Error {
        Error::Operand {
            node: self.node.clone(),
            operand: operand.to_owned(),
            got: got.into(),
            expected: expected.into(),
            shapes: self.shapes.clone(),
            remedy: remedy.to_owned(),
        }
    }
}
