//! Inputs: values that each run brings.

use crate::error::Result;
use crate::kernels::Work;
use crate::ops::{Arguments, Operator, Shapes};
use crate::shape::{Dim, Shape, element_count};

/// A value that each run brings, of the shape that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input;

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [] = of.only()?;
        let wanted = of.wanted()?;
        if wanted.dims().iter().skip(1).any(|&dim| dim == Dim::Batch) {
            return Err(of.site("").refuse(
                "shape",
                format!("is {wanted}"),
                "only the first dimension may be the batch",
                "give the other dimensions fixed lengths",
            ));
        }
        element_count(of.node, &wanted.resolve(1))?;
        Ok(wanted.clone())
    }

    fn work(&self, _at: &Shapes) -> Option<Work> {
        None
    }
}
