//! What is known of an operator, and what its rules look at.

use crate::error::{Error, Result};
use crate::graph::{BUG, Node, Operand, Site, Weight};
use crate::kernels::Work;
use crate::ops::{Epilogue, Op};
use crate::shape::Shape;

/// One operator, with every option resolved.
pub(crate) trait Operator {
    /// Returns the name that messages and plans print; ONNX's in snake case, or Keras's.
    fn name(&self) -> &'static str;

    /// Checks options, operands and weights, and returns the shape of the value.
    ///
    /// Nothing that it is given is believed: a saved graph is loaded through it.
    ///
    /// # Errors
    ///
    /// What [`Graph`](crate::Graph)'s method of that name documents.
    fn infer(&self, of: &Arguments<'_>) -> Result<Shape>;

    /// Describes the computation; `None` for an operator that moves nothing, and for shapes that
    /// [`Operator::infer`] refuses.
    fn work(&self, at: &Shapes) -> Option<Work>;

    /// Describes the steps that together write the value, each with the numbers of the operands
    /// and weights that it reads.
    fn steps(&self, at: &Shapes) -> Option<Vec<(Work, Vec<usize>)>> {
        let reads = (0..at.operands.len() + at.weights).collect();
        self.work(at).map(|work| vec![(work, reads)])
    }

    /// Returns the operator over operands of which the node's are a transpose: axis `k` of those
    /// is axis `perm[k]`. `None` where it depends on the order of axes.
    fn reordered(&self, _node: &Node, _perm: &[usize]) -> Option<Op> {
        None
    }

    /// Tells whether items of a batch are computed apart, so that a step may take some of them.
    fn splits_along_batch(&self) -> bool {
        true
    }

    /// Tells whether its kernel applies an epilogue's stages.
    fn has_epilogue(&self) -> bool {
        false
    }
}

/// A node's title, operands and weights, as its shape rule sees them; an epilogue's extra
/// operand is not among them.
pub(crate) struct Arguments<'a> {
    /// Kind and name, for messages.
    pub node: &'a str,
    pub operands: &'a [Operand],
    pub weights: &'a [Weight],
    /// The shape that is asked for, where it is an option and not only a result: of an input, a
    /// reshape, an expansion, ...
    pub wanted: Option<&'a Shape>,
}

impl Arguments<'_> {
    /// Returns the operands, of which there must be as many, where there are no weights.
    pub(crate) fn only<const N: usize>(&self) -> Result<[&Operand; N]> {
        self.no_weights()?;
        self.operands()
    }

    /// Returns the operands, of which there must be as many.
    pub(crate) fn operands<const N: usize>(&self) -> Result<[&Operand; N]> {
        let found: Vec<&Operand> = self.operands.iter().collect();
        found.try_into().map_err(|_| self.count("operands", self.operands.len(), &N.to_string()))
    }

    /// Returns the shape that is asked for.
    pub(crate) fn wanted(&self) -> Result<&Shape> {
        self.wanted
            .ok_or_else(|| self.site("").refuse("shape", "is not given", "it is an option", BUG))
    }

    /// Refuses weights.
    pub(crate) fn no_weights(&self) -> Result<()> {
        match self.weights.len() {
            0 => Ok(()),
            found => Err(self.count("weights", found, "0")),
        }
    }

    /// Returns a kernel and at most one bias.
    pub(crate) fn kernel_and_bias(&self) -> Result<(&Weight, Option<&Weight>)> {
        match self.weights {
            [kernel] => Ok((kernel, None)),
            [kernel, bias] => Ok((kernel, Some(bias))),
            others => Err(self.count("weights", others.len(), "2")),
        }
    }

    /// Makes the place where a rule stands: the operands' shapes, then `options`.
    pub(crate) fn site(&self, options: &str) -> Site {
        let mut shapes: Vec<String> = self.operands.iter().map(Operand::describe).collect();
        if !options.is_empty() {
            shapes.push(options.to_owned());
        }
        Site::new(self.node, shapes.join(", "))
    }

    /// Refuses an axis that a value of this rank lacks: only a file can name one.
    pub(crate) fn check_axis(&self, site: &Site, axis: usize, rank: usize) -> Result<()> {
        if axis < rank {
            return Ok(());
        }
        let name = self.operands.first().map_or("x", |x| x.name.as_str());
        Err(site.refuse(
            "axis",
            format!("is {axis}"),
            format!("\"{name}\" has {rank} axes"),
            "use an axis from 0 to rank - 1",
        ))
    }

    /// Makes the error of a wrong number of operands or weights.
    pub(crate) fn count(&self, what: &str, found: usize, expected: &str) -> Error {
        self.site("").refuse(
            what,
            format!("are {found}"),
            format!("such a node has {expected}"),
            "name as many as it has",
        )
    }
}

/// The shapes of a node for a number of items of the batch.
pub(crate) struct Shapes {
    /// Each operand's shape, an epilogue's extra operand included.
    pub operands: Vec<Vec<usize>>,
    /// The value's shape.
    pub result: Vec<usize>,
    /// How many weights the node has.
    pub weights: usize,
    /// Items of the batch.
    pub items: usize,
    /// The stages that the kernel applies.
    pub epilogue: Epilogue,
}

impl Shapes {
    /// Returns the shape of one operand.
    pub(crate) fn operand(&self, number: usize) -> Option<&[usize]> {
        self.operands.get(number).map(Vec::as_slice)
    }
}

/// Returns the elements in front of an axis, on it and behind it.
pub(crate) fn around(shape: &[usize], axis: usize) -> Option<[usize; 3]> {
    let (before, rest) = shape.split_at_checked(axis)?;
    let (length, after) = rest.split_first()?;
    // Their products were checked to fit when the shape was made.
    Some([before.iter().product(), *length, after.iter().product()])
}

/// Puts entries, one for each axis, where the axes are in another order.
pub(crate) fn reorder<T: Copy + Default>(entries: &[T], perm: &[usize]) -> Option<Vec<T>> {
    let mut moved = vec![T::default(); perm.len()];
    for (&axis, &entry) in perm.iter().zip(entries) {
        *moved.get_mut(axis)? = entry;
    }
    (entries.len() == perm.len()).then_some(moved)
}
