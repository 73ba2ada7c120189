//! Stands in for the host executor where longshore is built without its feature `host`.

use crate::error::{Error, Result};
use crate::kernels::Work;

/// Tells whether the host executor is there.
pub(crate) const AVAILABLE: bool = false;

/// A step's name, and those of its operands that are the same in all runs.
pub(crate) struct Constants<'a> {
    pub node: &'a str,
    pub operands: &'a [Option<&'a [f32]>],
    pub shelf: &'a mut Shelf,
}

/// Would hold what has been packed.
#[derive(Default)]
pub(crate) struct Shelf {}

impl Shelf {
    #[expect(clippy::unused_self, reason = "the executor that is there has some")]
    pub(crate) fn bytes(&self) -> usize {
        0
    }
}

/// What a step keeps between runs: none is ever made ready.
#[derive(Debug)]
pub(crate) enum Kept {}

impl Kept {
    pub(crate) fn replaced_operand(&self) -> Option<usize> {
        match *self {}
    }

    pub(crate) fn own_bytes(&self) -> usize {
        match *self {}
    }
}

/// Refuses a step.
///
/// # Errors
///
/// [`Error::Unsupported`], always.
pub(crate) fn prepare(_: &Work, constants: &mut Constants<'_>) -> Result<Kept> {
    Err(Error::Unsupported {
        node: constants.node.to_owned(),
        what: "the host executor of a longshore without its feature `host`".to_owned(),
        remedy: "enable it in Cargo.toml, or run on a device".to_owned(),
    })
}

/// Runs a step that has been made ready, which none has.
///
/// # Errors
///
/// None.
pub(crate) fn run(_: &str, _: &Work, kept: &Kept, _: &[&[f32]], _: &mut [f32]) -> Result<()> {
    match *kept {}
}
