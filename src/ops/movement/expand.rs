//! Repetition: along axes of length 1, and of whole values.

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::Op;
use crate::shape::{Dim, Shape, broadcast, element_count};

/// Axes that one node can walk along.
const AXES: usize = 6;

impl Graph {
    /// Repeats a value along axes of length 1, as ONNX's `Expand` does: `x` and `shape`
    /// broadcast as two operands do.
    ///
    /// The shape's first dimension may be [`Dim::Batch`]: every item then has its own copy.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when the shapes do not broadcast,
    /// [`Error::Limit`](crate::Error::Limit) when the elements cannot be counted.
    pub fn expand<D: Into<Dim>>(
        &mut self,
        x: Symbol,
        shape: impl IntoIterator<Item = D>,
    ) -> Result<Symbol> {
        let start = self.start("expand", x)?;
        let target = Shape::new(shape);
        let Some(shape) = broadcast(&start.x.shape, &target) else {
            return Err(start.refuse(
                "shape",
                format!("is {target}"),
                format!(
                    "it must broadcast with \"{}\" {}: aligned at the end, lengths agree or are 1",
                    start.x.name, start.x.shape
                ),
                "use 1 where the value stays as long as it is",
            ));
        };
        element_count(&start.site.node, &shape.resolve(1))?;
        let dims = shape.dims().to_vec();
        // Where nothing but axes of length 1 is added, the bytes stay as they are.
        let longer = |shape: &Shape| -> Vec<Dim> {
            shape.dims().iter().copied().filter(|&dim| dim != Dim::Fixed(1)).collect()
        };
        if longer(&shape) == longer(&start.x.shape) {
            return Ok(self.view(start, dims));
        }
        Ok(self.finish(start, Op::Expand, dims))
    }

    /// Repeats each item's features `n` times, as Keras's `RepeatVector` does.
    ///
    /// `x` is (batch, features), the result (batch, n, features).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` does not have 2 dimensions.
    pub fn repeat_vector(&mut self, x: Symbol, n: usize) -> Result<Symbol> {
        let start = self.start("repeat_vector", x)?;
        let &[batch, features] = start.dims() else {
            return Err(start.refuse(
                &format!("\"{}\"", start.x.name),
                format!("has {} dimensions", start.x.shape.rank()),
                "repeated vectors have 2: (batch, features)",
                "reshape it",
            ));
        };
        let dims = vec![batch, Dim::Fixed(n), features];
        element_count(&start.site.node, &Shape::new(dims.clone()).resolve(1))?;
        if n == 1 {
            return Ok(self.view(start, dims));
        }
        let inner = self.name_for("repeat_vector", Some(&format!("{}/unsqueeze", start.name)))?;
        let one = Shape::new([batch, Dim::Fixed(1), features]);
        let x = self.insert(inner, Op::Reshape, vec![start.x.index], Vec::new(), one);
        Ok(self.insert(start.name, Op::Expand, vec![x.index], Vec::new(), Shape::new(dims)))
    }

    /// Repeats a value as a whole along each axis, as ONNX's `Tile` does.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when there is not one number for each axis,
    /// and for a repeated batch; [`Error::Limit`](crate::Error::Limit) when the elements cannot
    /// be counted.
    pub fn tile(&mut self, x: Symbol, repeats: &[usize]) -> Result<Symbol> {
        let start = self.start("tile", x)?;
        if repeats.len() != start.x.shape.rank() {
            return Err(start.refuse(
                "repeats",
                format!("are {repeats:?}"),
                format!("\"{}\" has {} axes", start.x.name, start.x.shape.rank()),
                "give one number for each axis",
            ));
        }
        let mut dims = Vec::with_capacity(repeats.len());
        for (axis, &repeat) in repeats.iter().enumerate() {
            if repeat == 1 {
                dims.extend(start.dims().get(axis));
                continue;
            }
            let length = start.fixed(axis, "it cannot be repeated")?;
            let Some(length) = length.checked_mul(repeat) else {
                return Err(start.refuse(
                    "repeats",
                    format!("is {repeat} for axis {axis}"),
                    format!("{length} elements as often are more than a machine word counts"),
                    "use smaller numbers",
                ));
            };
            dims.push(Dim::Fixed(length));
        }
        let whole = Shape::new(dims.clone());
        element_count(&start.site.node, &whole.resolve(1))?;
        if repeats.iter().all(|&repeat| repeat == 1) {
            return Ok(self.view(start, dims));
        }
        // A walk along more axes than one node can take is made in several, innermost first.
        let mut rest = repeats.to_vec();
        let (mut index, mut shape) = (start.x.index, start.x.shape.clone());
        let mut part = 0usize;
        while let (some, true) = take(&shape, &rest) {
            part += 1;
            let name = self.name_for("tile", Some(&format!("{}/part{part}", start.name)))?;
            let tiled = shape.dims().iter().zip(&some).map(|(dim, repeat)| match dim {
                Dim::Fixed(length) => Dim::Fixed(length * repeat),
                Dim::Batch => Dim::Batch,
            });
            shape = Shape::new(tiled);
            for (rest, taken) in rest.iter_mut().zip(&some) {
                *rest /= taken;
            }
            let op = Op::Tile { repeats: some };
            index = self.insert(name, op, vec![index], Vec::new(), shape.clone()).index;
        }
        Ok(self.insert(start.name, Op::Tile { repeats: rest }, vec![index], Vec::new(), whole))
    }
}

/// Takes as many repeats, from the last axis on, as one node can walk along; also tells whether
/// some are left over.
fn take(shape: &Shape, repeats: &[usize]) -> (Vec<usize>, bool) {
    let mut some = vec![1; repeats.len()];
    // An empty result is never walked along.
    if repeats.contains(&0) || shape.dims().contains(&Dim::Fixed(0)) {
        return (some, false);
    }
    let repeated: Vec<usize> = (0..repeats.len()).filter(|&axis| repeats[axis] > 1).collect();
    for &axis in repeated.iter().rev() {
        some[axis] = repeats[axis];
        if walked(shape, &some) > AXES {
            some[axis] = 1;
            return (some, true);
        }
    }
    (some, false)
}

/// Counts the axes that a repetition walks along: each repeat, and the axes between them,
/// merged.
fn walked(shape: &Shape, repeats: &[usize]) -> usize {
    let (mut axes, mut run_is_longer) = (0, false);
    for (dim, &repeat) in shape.dims().iter().zip(repeats) {
        if repeat > 1 {
            axes += 1 + usize::from(run_is_longer);
            run_is_longer = false;
        }
        run_is_longer |= *dim != Dim::Fixed(1);
    }
    axes + usize::from(run_is_longer)
}
