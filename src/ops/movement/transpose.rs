//! Transposition: the axes in another order.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::kernels::Work;
use crate::kernels::axes::dense_strides;
use crate::ops::movement::copy::{batch, walk};
use crate::ops::{Arguments, Op, Operator, Shapes};
use crate::serial::length;
use crate::shape::{Dim, Shape};

/// A transposition, as a node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// For each axis of the result, the operand's axis that it is.
    #[serde(with = "length::list")]
    pub perm: Vec<usize>,
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site("");
        let rank = x.shape.rank();
        if !is_permutation(&self.perm, rank) {
            return Err(site.refuse(
                "perm",
                format!("is {:?}", self.perm),
                format!("\"{}\" has {rank} axes, each named once", x.name),
                "name every axis once",
            ));
        }
        let dims: Vec<Dim> = self.perm.iter().map(|&axis| x.shape.dims()[axis]).collect();
        if dims.iter().skip(1).any(|&dim| dim == Dim::Batch) {
            return Err(batch(&site, x, "it stays the first axis"));
        }
        Ok(Shape::new(dims))
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        let strides = dense_strides(at.operand(0)?);
        let along = |&axis: &usize| strides.get(axis).copied();
        walk(&at.result, &self.perm.iter().map(along).collect::<Option<Vec<i64>>>()?, 0)
    }
}

impl Graph {
    /// Puts the axes in another order, as ONNX's `Transpose` does: axis `k` of the result is
    /// axis `perm[k]` of `x`.
    ///
    /// ONNX's default is the reversed order. The batch stays the first axis.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `perm` does not name every axis once,
    /// and when it moves the batch.
    pub fn transpose(&mut self, x: Symbol, perm: &[usize]) -> Result<Symbol> {
        let start = self.start("transpose", x)?;
        self.finish(start, Op::Transpose(Resolved { perm: perm.to_vec() }))
    }

    /// Puts the axes behind the first in another order, as Keras's `Permute` does: they are
    /// counted from 1.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `dims` does not name every axis but
    /// the first once.
    pub fn permute(&mut self, x: Symbol, dims: &[usize]) -> Result<Symbol> {
        let start = self.start("permute", x)?;
        let rank = start.x.shape.rank();
        let perm: Vec<usize> = std::iter::once(0).chain(dims.iter().copied()).collect();
        if !is_permutation(&perm, rank) {
            return Err(start.refuse(
                "dims",
                format!("are {dims:?}"),
                format!(
                    "\"{}\" has {rank} axes, of which all but the first are named",
                    start.x.name
                ),
                "name every axis from 1 on once",
            ));
        }
        self.finish(start, Op::Transpose(Resolved { perm }))
    }
}

fn is_permutation(perm: &[usize], rank: usize) -> bool {
    perm.len() == rank && (0..rank).all(|axis| perm.contains(&axis))
}
