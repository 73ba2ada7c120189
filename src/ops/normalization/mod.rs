//! Normalizations.

pub mod batch_normalization;
pub mod lrn;
pub mod moments;
#[expect(clippy::module_inception, reason = "the operator is called that")]
pub mod normalization;
mod options;
mod rows;

use crate::error::Result;
use crate::graph::{LayerWeights, Operand, Site, Weight};
use crate::ops::Arguments;
use crate::shape::Dim;

/// Returns the number of channels on an axis, which must not be the batch.
fn channels(of: &Arguments<'_>, site: &Site, x: &Operand, axis: usize) -> Result<usize> {
    of.check_axis(site, axis, x.shape.rank())?;
    match x.shape.dims().get(axis) {
        Some(&Dim::Fixed(channels)) => Ok(channels),
        _ => Err(site.refuse(
            "axis",
            "is the batch",
            "the channels have a fixed number",
            "normalize another axis",
        )),
    }
}

/// Takes a layer's weights where they are switched on, and no other one.
fn switched<const N: usize>(
    node: &str,
    weights: &LayerWeights,
    switches: [(&'static str, bool); N],
) -> Result<[Option<Weight>; N]> {
    let known = switches.iter().filter(|(_, on)| *on).map(|(name, _)| *name);
    weights.check_names(node, &known.collect::<Vec<_>>())?;
    let mut taken = [const { None }; N];
    for (weight, (name, on)) in taken.iter_mut().zip(switches) {
        *weight = on.then(|| weights.required(node, name)).transpose()?;
    }
    Ok(taken)
}
