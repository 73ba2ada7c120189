//! Repetition along axes of length 1.

use crate::error::Result;
use crate::graph::{Graph, Node, Symbol};
use crate::kernels::Work;
use crate::kernels::axes::dense_strides;
use crate::ops::movement::copy::walk;
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::shape::{Dim, Shape, broadcast, element_count};

/// The operand repeated along axes of length 1, to the shape that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expand;

impl Operator for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let wanted = of.wanted()?;
        let Some(shape) = broadcast(&x.shape, wanted) else {
            return Err(site.refuse(
                "shape",
                format!("is {wanted}"),
                format!(
                    "it must broadcast with \"{}\" {}: aligned at the end, lengths agree or are 1",
                    x.name, x.shape
                ),
                "use 1 where the value stays as long as it is",
            ));
        };
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let input = at.operand(0)?;
        let missing = at.result.len().checked_sub(input.len())?;
        let along = input.iter().zip(dense_strides(input));
        let strides = along.map(|(&length, stride)| if length == 1 { 0 } else { stride });
        walk(&at.result, &std::iter::repeat_n(0, missing).chain(strides).collect::<Vec<_>>(), 0)
    }

    fn reordered(&self, _node: &Node, _perm: &[usize]) -> Option<Op> {
        Some(Op::Expand)
    }
}

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
        let op = Op::Expand;
        // Where nothing but axes of length 1 is added, the bytes stay as they are.
        let longer = |shape: &Shape| -> Vec<Dim> {
            shape.dims().iter().copied().filter(|&dim| dim != Dim::Fixed(1)).collect()
        };
        match broadcast(&start.x.shape, &target) {
            Some(shape) if longer(&shape) == longer(&start.x.shape) => {
                self.view(start, shape.dims().to_vec())
            }
            _ => self.finish_as(start, op, target.dims().to_vec()),
        }
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
            return self.view(start, dims);
        }
        let inner = self.name_for("repeat_vector", Some(&format!("{}/unsqueeze", start.name)))?;
        let one = Shape::new([batch, Dim::Fixed(1), features]);
        let index = self.insert(inner, Op::Reshape, vec![start.x.index], Vec::new(), one).index;
        let shape = Shape::new(dims);
        Ok(self.insert(start.name, Op::Expand, vec![index], Vec::new(), shape))
    }
}
