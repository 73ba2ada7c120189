//! Softmax over one axis, its logarithm, and hardmax.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Node, Site, Symbol};
use crate::kernels::Work;
use crate::ops::movement::copy::resolve_axis;
use crate::ops::{Arguments, Op, Operator, Shapes, around};
use crate::serial::length;
use crate::shape::Shape;

/// What becomes of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Function {
    /// `exp(x - max) / sum(exp(x - max))`.
    #[default]
    Softmax,
    /// Its logarithm.
    LogSoftmax,
    /// 1 where the first of the largest is, 0 elsewhere.
    Hardmax,
}

/// Writes an operator for each function: they differ in their names alone.
macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident, $text:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                /// The axis, counted from the first.
                #[serde(with = "length")]
                pub axis: usize,
            }

            impl Operator for $name {
                fn name(&self) -> &'static str {
                    $text
                }

                fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
                    let [x] = of.only()?;
                    of.check_axis(&of.site(""), self.axis, x.shape.rank())?;
                    Ok(x.shape.clone())
                }

                fn work(&self, at: &Shapes) -> Option<Work> {
                    let [outer, length, inner] = around(&at.result, self.axis)?;
                    let function = Function::$name;
                    Some(Work::Softmax(Geometry { outer, length, inner, function }))
                }

                fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
                    Some(Op::$name($name { axis: *perm.get(self.axis)? }))
                }

                /// A row that lies along the batch needs all of it.
                fn splits_along_batch(&self) -> bool {
                    self.axis > 0
                }
            }
        )*
    };
}

operators! {
    /// Softmax over one axis.
    Softmax, "softmax";
    /// Log-softmax over one axis.
    LogSoftmax, "log_softmax";
    /// Hardmax over one axis.
    Hardmax, "hardmax";
}

/// What to compute: input and output are (outer, length, inner).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The product of the lengths in front of the axis.
    pub outer: usize,
    /// The axis's length.
    pub length: usize,
    /// The product of the lengths behind the axis.
    pub inner: usize,
    /// What becomes of a row.
    pub function: Function,
}

impl Graph {
    /// Divides the exponentials along `axis` by their sum; -1 is the last axis.
    ///
    /// The largest value is subtracted first, so large values do not overflow.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` has no such axis or is another graph's. Planning refuses an
    /// axis longer than 2^24.
    pub fn softmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("softmax", x, axis, |axis| Op::Softmax(Softmax { axis }))
    }

    /// Gives the logarithm of [`Graph::softmax`], without its underflow: `x - max - log(sum(exp(x - max)))`.
    ///
    /// The rule is Keras's `ops.log_softmax`, and ONNX's `LogSoftmax` from version 13 on.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::softmax`].
    pub fn log_softmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("log_softmax", x, axis, |axis| Op::LogSoftmax(LogSoftmax { axis }))
    }

    /// Gives 1 where the first of the largest values along `axis` is, and 0 elsewhere.
    ///
    /// The rule is ONNX's `Hardmax` from version 13 on; NaN counts as the largest, as in NumPy.
    ///
    /// # Errors
    ///
    /// Those of [`Graph::softmax`].
    pub fn hardmax(&mut self, x: Symbol, axis: isize) -> Result<Symbol> {
        self.along("hardmax", x, axis, |axis| Op::Hardmax(Hardmax { axis }))
    }

    fn along(
        &mut self,
        kind: &str,
        x: Symbol,
        axis: isize,
        op: impl Fn(usize) -> Op,
    ) -> Result<Symbol> {
        let pending = self.begin(kind, None, [("x", x)])?;
        let [x] = &pending.operands;
        if x.shape.rank() == 0 {
            return Err(no_axis(&pending.node));
        }
        let axis = resolve_axis(&pending.site(""), &x.name, x.shape.rank(), axis)?;
        self.add_node(pending, op(axis), Vec::new())
    }
}

/// Makes the error of a softmax over a value without axes.
pub(crate) fn no_axis(node: &str) -> Error {
    Site::new(node, "x []").refuse("x", "has no axes", "softmax goes over one", "reshape it to [1]")
}
