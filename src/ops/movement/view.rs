//! Operations that leave the bytes where they are: squeezing, identity and their kin.

use crate::array::DType;
use crate::error::{Error, Result};
use crate::graph::{Graph, Symbol};
use crate::ops::movement::copy::{resolve_axis, twice};
use crate::shape::Dim;

impl Graph {
    /// Removes axes of length 1, as ONNX's `Squeeze` does: the named ones, or all.
    ///
    /// Negative axes count from the end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for an axis that is not there, named twice, of another length or the
    /// batch's.
    pub fn squeeze(&mut self, x: Symbol, axes: Option<&[isize]>) -> Result<Symbol> {
        let start = self.start("squeeze", x)?;
        let removed = if let Some(axes) = axes {
            start.axes(axes)?
        } else {
            let ones = start.dims().iter().enumerate();
            ones.filter(|(_, dim)| **dim == Dim::Fixed(1)).map(|(axis, _)| axis).collect()
        };
        for &axis in &removed {
            let length = start.fixed(axis, "it cannot be squeezed")?;
            if length != 1 {
                return Err(start.refuse(
                    "axes",
                    format!("name axis {axis}"),
                    format!("its length is {length}, and only axes of length 1 can go"),
                    "name axes of length 1",
                ));
            }
        }
        let dims = start.dims().iter().enumerate();
        let kept = dims.filter(|(axis, _)| !removed.contains(axis)).map(|(_, dim)| *dim).collect();
        self.view(start, kept)
    }

    /// Inserts axes of length 1, as ONNX's `Unsqueeze` does.
    ///
    /// The axes are those of the result; negative ones count from its end.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for an axis that the result has not, or named twice, and for one
    /// before the batch.
    pub fn unsqueeze(&mut self, x: Symbol, axes: &[isize]) -> Result<Symbol> {
        let start = self.start("unsqueeze", x)?;
        let rank = start.x.shape.rank().saturating_add(axes.len());
        let mut inserted = Vec::with_capacity(axes.len());
        for &axis in axes {
            let axis = resolve_axis(&start.site, "the result", rank, axis)?;
            if inserted.contains(&axis) {
                return Err(twice(&start.site, axes, axis));
            }
            inserted.push(axis);
        }
        if start.x.shape.has_batch() && inserted.contains(&0) {
            return Err(start.batch("it stays the first axis"));
        }
        let mut old = start.dims().iter().copied();
        let one = Dim::Fixed(1);
        let dims = (0..rank)
            .filter_map(|axis| if inserted.contains(&axis) { Some(one) } else { old.next() })
            .collect();
        self.view(start, dims)
    }

    /// Gives a value as it is, as ONNX's `Identity` does.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is another graph's.
    pub fn identity(&mut self, x: Symbol) -> Result<Symbol> {
        self.same("identity", x)
    }

    /// Gives a value as it is: dropout only acts while a network is trained.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is another graph's.
    pub fn dropout(&mut self, x: Symbol) -> Result<Symbol> {
        self.same("dropout", x)
    }

    /// Converts a value to another dtype, as ONNX's `Cast` does; values are f32, and no other
    /// dtype is there to convert to.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a dtype that is not [`DType::F32`], [`Error::Operand`] when
    /// `x` is another graph's.
    pub fn cast(&mut self, x: Symbol, to: DType) -> Result<Symbol> {
        if to == DType::F32 {
            return self.same("cast", x);
        }
        let start = self.start("cast", x)?;
        Err(Error::Unsupported {
            node: start.site.node,
            what: format!("a cast of \"{}\" to {to:?}", start.x.name),
            remedy: "values on the device are F32: leave the cast out".to_owned(),
        })
    }

    fn same(&mut self, kind: &str, x: Symbol) -> Result<Symbol> {
        let start = self.start(kind, x)?;
        let dims = start.dims().to_vec();
        self.view(start, dims)
    }
}
