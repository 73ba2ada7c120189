//! The host executor's arithmetic: every family of [`Work`], native and multi-threaded.
//!
//! Pure functions from slices to a slice. One file per family, with the family's stem. What
//! they share: `threads` (who computes what), `product` (matrix products, also those that
//! convolutions are), `finish` (what is applied to every result), `functions` (the shaders'
//! formulas), `simd` (the processor's widest vectors).
//!
//! Results equal the shaders' within rounding, at NaN and infinity too.

#![allow(clippy::inline_always, reason = "only what is inlined is compiled for wide vectors")]

mod activation;
mod batch_normalization;
mod binary;
mod constants;
mod conv2d;
mod conv2d_depthwise;
mod conv2d_transpose;
mod conv2d_transpose_depthwise;
mod copy;
mod cumsum;
mod dense;
mod finish;
mod gather;
mod grid_sample;
mod lrn;
mod matmul;
mod moments;
mod normalization;
mod pad;
mod panels;
mod pool2d;
mod product;
mod reduce;
mod resize2d;
mod rows;
mod select;
mod simd;
mod softmax;
mod threads;
mod tile;
mod top_k;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::kernels::{Work, families};
use crate::shape::element_count;
pub(crate) use constants::{Constants, Shelf};
use conv2d_transpose::Phases;
use finish::Stages;
use panels::Packed;
use resize2d::Tables;

/// What a step keeps between runs.
#[derive(Debug)]
pub(crate) enum Kept {
    Nothing,
    /// The second operand, packed: a right side for each group.
    Right(Arc<[Packed]>),
    /// The second operand, packed: a right side for each phase of the strides and each group.
    Phases(Phases),
    /// Which pixels a resampling takes, and their weights.
    Tables(Tables),
}

impl Kept {
    /// Returns the number of the operand that runs do not read any more.
    pub(crate) fn replaced_operand(&self) -> Option<usize> {
        match self {
            Kept::Right(_) | Kept::Phases(_) => Some(1),
            Kept::Nothing | Kept::Tables(_) => None,
        }
    }

    /// Returns how many bytes it takes, without what it shares with other steps.
    pub(crate) fn own_bytes(&self) -> usize {
        match self {
            Kept::Tables(tables) => tables.bytes(),
            Kept::Nothing | Kept::Right(_) | Kept::Phases(_) => 0,
        }
    }
}

/// Makes a step ready to run, knowing what all its runs will read.
///
/// # Errors
///
/// What [`Work::launch`] reports for a geometry that no device could number, and
/// [`Error::Operand`] for a constant of another length than the geometry says.
pub(crate) fn prepare(work: &Work, constants: &mut Constants<'_>) -> Result<Kept> {
    // Holds every size below 2^32, so that no index computed from them can overflow.
    work.launch(constants.node, u32::MAX)?;
    macro_rules! keep {
        ($geometry:ident $module:ident keeps) => {
            $module::prepare(constants, $geometry)
        };
        ($geometry:ident $module:ident nothing) => {{
            let _ = $geometry;
            Ok(Kept::Nothing)
        }};
    }
    macro_rules! dispatch {
        ($($what:literal $variant:ident $module:ident $epilogue:ident $kept:ident,)+) => {
            match work {
                $(Work::$variant(geometry) => keep!(geometry $module $kept),)+
                Work::Own(_) => Ok(Kept::Nothing),
            }
        };
    }
    families!(dispatch)
}

/// Tells whether the host executor is there.
pub(crate) const AVAILABLE: bool = true;

/// Computes one step: reads the operands, in the binding order of the family, and writes every
/// element of the result; a copy writes those that its geometry names.
///
/// An operand that is not there (the bias, an epilogue's extra operand) is left out.
///
/// # Errors
///
/// [`Error::Operand`] for a slice whose length is not what the geometry says, or a number of
/// operands that is not the family's; what [`Work::launch`] reports for a geometry that no
/// device could number; [`Error::Unsupported`] for an own kernel without a twin in Rust.
#[cfg(feature = "internals")]
pub fn execute(node: &str, work: &Work, operands: &[&[f32]], result: &mut [f32]) -> Result<()> {
    let known: Vec<Option<&[f32]>> = operands.iter().copied().map(Some).collect();
    let mut shelf = Shelf::default();
    let kept = prepare(work, &mut Constants { node, operands: &known, shelf: &mut shelf })?;
    run(node, work, &kept, operands, result)
}

/// Computes a step that has been made ready.
///
/// # Errors
///
/// What [`execute`] reports, but for what [`prepare`] does.
pub(crate) fn run(
    node: &str,
    work: &Work,
    kept: &Kept,
    operands: &[&[f32]],
    result: &mut [f32],
) -> Result<()> {
    let step = Step::new(node, work, kept, operands)?;
    macro_rules! dispatch {
        ($($what:literal $variant:ident $module:ident $epilogue:ident $kept:ident,)+) => {
            match work {
                $(Work::$variant(geometry) => $module::execute(&step, geometry, result),)+
                Work::Own(geometry) => geometry.run_on_host(node, operands, result),
            }
        };
    }
    families!(dispatch)
}

/// Input and kernel, and the bias if there is one.
type Weighted<'a> = ([&'a [f32]; 2], Option<&'a [f32]>);

/// A step's name, what it reads, and what is applied to its results.
pub(crate) struct Step<'a> {
    node: &'a str,
    /// The operands, without the extra one.
    operands: &'a [&'a [f32]],
    stages: Stages<'a>,
    kept: &'a Kept,
}

impl<'a> Step<'a> {
    fn new(
        node: &'a str,
        work: &'a Work,
        kept: &'a Kept,
        operands: &'a [&'a [f32]],
    ) -> Result<Self> {
        let none = Stages { list: &[], extra: &[] };
        let Some(epilogue) = work.epilogue() else {
            return Ok(Step { node, operands, stages: none, kept });
        };
        let (operands, extra) = match operands.split_last() {
            Some((extra, own)) if epilogue.has_extra() => (own, *extra),
            _ => (operands, &[][..]),
        };
        let stages = Stages { list: &epilogue.stages, extra };
        let step = Step { node, operands, stages, kept };
        if epilogue.has_extra() {
            step.check_length("the extra operand", &[epilogue.period], extra.len())?;
        }
        Ok(step)
    }

    /// Returns the operands, whose names and shapes are these.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for another number of them, or another length.
    fn operands<const N: usize>(&self, wanted: [(&str, &[usize]); N]) -> Result<[&'a [f32]; N]> {
        let found = self.exactly(wanted.map(|(name, _)| name), format!("{wanted:?}"))?;
        for (number, ((name, shape), operand)) in wanted.into_iter().zip(found).enumerate() {
            if self.kept.replaced_operand() != Some(number) {
                check_length(self.node, name, shape, operand.len())?;
            }
        }
        Ok(found)
    }

    /// Returns the operands, of any length, which have these names.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for another number of them.
    fn exactly<const N: usize>(&self, names: [&str; N], shapes: String) -> Result<[&'a [f32]; N]> {
        <[&'a [f32]; N]>::try_from(self.operands).map_err(|_| Error::Operand {
            node: self.node.to_owned(),
            operand: "the list of operands".to_owned(),
            got: format!("has {}", self.operands.len()),
            expected: format!("the step reads {N}: {}", names.join(", ")),
            shapes,
            remedy: "bring what the family binds, in its order".to_owned(),
        })
    }

    /// Returns input, kernel and, if there is one, the bias, one number for each output.
    ///
    /// # Errors
    ///
    /// As [`Step::operands`].
    fn weighted(
        &self,
        input: &[usize],
        kernel: &[usize],
        bias: Option<usize>,
    ) -> Result<Weighted<'a>> {
        let own = [("input", input), ("kernel", kernel)];
        match bias {
            None => Ok((self.operands(own)?, None)),
            Some(outputs) => {
                let [input, kernel, bias] =
                    self.operands([own[0], own[1], ("bias", &[outputs])])?;
                Ok(([input, kernel], Some(bias)))
            }
        }
    }

    /// Returns the one operand of a family whose geometry does not say how long it is.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for another number of operands.
    fn only_operand(&self) -> Result<&'a [f32]> {
        match self.operands {
            [operand] => Ok(operand),
            _ => self.operands::<1>([("input", &[])]).map(|[operand]| operand),
        }
    }

    /// Checks the length of a slice against the shape that it must have.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] where they differ.
    fn check_length(&self, name: &str, shape: &[usize], length: usize) -> Result<()> {
        check_length(self.node, name, shape, length)
    }

    /// Checks that a slice holds what axes of these lengths and strides reach.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] where it ends before.
    fn check_reach(&self, name: &str, axes: &[(usize, usize)], length: usize) -> Result<()> {
        check_reach(self.node, name, axes, length)
    }

    /// Refuses a geometry that contradicts itself.
    fn refuse<T>(&self, got: &str, expected: &str, shapes: String) -> Result<T> {
        Err(Error::Operand {
            node: self.node.to_owned(),
            operand: "the geometry".to_owned(),
            got: got.to_owned(),
            expected: expected.to_owned(),
            shapes,
            remedy: "make the geometry as Graph::plan does".to_owned(),
        })
    }
}

/// Checks the length of a slice against the shape that it must have.
fn check_length(node: &str, name: &str, shape: &[usize], length: usize) -> Result<()> {
    let elements = element_count(node, shape)?;
    if elements == length as u64 {
        return Ok(());
    }
    Err(Error::Operand {
        node: node.to_owned(),
        operand: name.to_owned(),
        got: format!("has {length} elements"),
        expected: format!("its shape has {elements}"),
        shapes: format!("{name} {shape:?}"),
        remedy: "bring all of it, and nothing else".to_owned(),
    })
}

/// Checks that a slice holds what axes of these lengths and strides reach.
fn check_reach(node: &str, name: &str, axes: &[(usize, usize)], length: usize) -> Result<()> {
    let far = axes.iter().map(|(length, stride)| (length.wrapping_sub(1), stride));
    let last =
        far.fold(0usize, |sum, (steps, stride)| sum.saturating_add(steps.saturating_mul(*stride)));
    if axes.iter().any(|(length, _)| *length == 0) || last < length {
        return Ok(());
    }
    Err(Error::Operand {
        node: node.to_owned(),
        operand: name.to_owned(),
        got: format!("has {length} elements"),
        expected: format!("the step reads up to element {last}"),
        shapes: format!("axes and strides {axes:?}"),
        remedy: "bring all of it".to_owned(),
    })
}
