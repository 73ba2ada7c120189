//! What only moves elements, or not even that.

use ndarray::{ArrayD, IxDyn};

use super::Replay;
use crate::error::Result;
use crate::graph::{Graph, Symbol};
use crate::ops::{DepthToSpace, Op, Pad, Reshape, Slice};
use crate::shape::Dim;

impl Graph {
    pub(super) fn replay_movement(&mut self, replay: &Replay<'_>) -> Result<Symbol> {
        replay.no_weights()?;
        match &replay.claim.op {
            Op::Concat { axis } => self.concat(&replay.operands, replay.axis(*axis)?),
            Op::DepthToSpace(rule) => {
                let layer = DepthToSpace::new(rule.block_size).mode(rule.mode);
                self.depth_to_space(replay.alone()?, layer)
            }
            Op::SpaceToDepth(rule) => {
                let layer = DepthToSpace::new(rule.block_size).mode(rule.mode);
                self.space_to_depth(replay.alone()?, layer)
            }
            Op::Expand => self.expand(replay.alone()?, replay.claim.shape.dims().iter().copied()),
            Op::Gather { axis, indices } => self.replay_gather(replay, *axis, indices),
            Op::Pad(rule) => {
                let pads = rule.pads.iter().map(|&[front, back]| (front, back));
                self.pad(replay.alone()?, Pad::new(pads).mode(rule.mode))
            }
            Op::Reshape => self.replay_reshape(replay),
            Op::Slice { starts, steps } => self.replay_slice(replay, starts, steps),
            Op::Tile { repeats } => self.tile(replay.alone()?, repeats),
            Op::Transpose { perm } => self.transpose(replay.alone()?, perm),
            other => Err(replay.refuse("op", format!("is {}", other.name()))),
        }
    }

    fn dims(&self, symbol: Symbol) -> Vec<Dim> {
        self.shape(symbol).map(|shape| shape.dims().to_vec()).unwrap_or_default()
    }

    /// The indices' own shape stands in the node's, at the place of the axis.
    fn replay_gather(
        &mut self,
        replay: &Replay<'_>,
        axis: usize,
        indices: &[usize],
    ) -> Result<Symbol> {
        let x = replay.alone()?;
        let result = replay.claim.shape.dims();
        let own = (result.len() + 1).checked_sub(self.dims(x).len());
        let own = own.and_then(|own| result.get(axis..)?.get(..own));
        let lengths: Option<Vec<usize>> = own.and_then(|dims| {
            let fixed = dims.iter().map(|dim| match dim {
                Dim::Fixed(length) => Some(*length),
                Dim::Batch => None,
            });
            fixed.collect()
        });
        let places: Option<Vec<i64>> =
            indices.iter().map(|&index| i64::try_from(index).ok()).collect();
        let both = lengths
            .zip(places)
            .and_then(|(lengths, places)| ArrayD::from_shape_vec(IxDyn(&lengths), places).ok());
        let Some(array) = both else {
            let got = format!("are {} for the shape {}", indices.len(), replay.claim.shape);
            return Err(replay.refuse("indices", got));
        };
        self.gather(x, &array, replay.axis(axis)?)
    }

    /// The same elements, those of each item of the batch apart.
    fn replay_reshape(&mut self, replay: &Replay<'_>) -> Result<Symbol> {
        let x = replay.alone()?;
        let shape = replay.claim.shape.dims();
        let signed = |dims: &[Dim]| -> Result<Vec<isize>> {
            dims.iter().map(|dim| replay.axis(dim.resolve(1))).collect()
        };
        match (self.dims(x).first(), shape) {
            (Some(Dim::Batch), [Dim::Batch, rest @ ..]) => self.reshape(x, signed(rest)?),
            _ if shape.contains(&Dim::Batch) => {
                Err(replay.refuse("shape", format!("is {}", replay.claim.shape)))
            }
            _ => self.reshape_to(x, Reshape::new(signed(shape)?).allow_zero()),
        }
    }

    /// Finds ends behind which each axis has no further element.
    fn replay_slice(
        &mut self,
        replay: &Replay<'_>,
        starts: &[usize],
        steps: &[isize],
    ) -> Result<Symbol> {
        let x = replay.alone()?;
        let (dims, taken) = (self.dims(x), replay.claim.shape.dims());
        let counts = [("starts", starts.len()), ("steps", steps.len()), ("shape", taken.len())];
        if let Some((what, found)) = counts.into_iter().find(|(_, found)| *found != dims.len()) {
            return Err(replay.claim.count(what, found, dims.len()));
        }
        let (mut from, mut to) = (Vec::new(), Vec::new());
        for (((&start, &step), dim), taken) in starts.iter().zip(steps).zip(&dims).zip(taken) {
            from.push(replay.axis(start)?);
            to.push(match (dim, taken) {
                (Dim::Fixed(length), Dim::Fixed(taken)) => end(*length, start, step, *taken),
                // The batch is taken whole.
                _ => Some(isize::MAX),
            });
        }
        let to: Option<Vec<isize>> = to.into_iter().collect();
        let Some(to) = to else {
            return Err(replay.refuse("shape", format!("is {}", replay.claim.shape)));
        };
        self.slice(x, Slice::new(from, to).steps(steps.iter().copied()))
    }
}

/// Returns the end of a slice, counted as `Slice` counts; `None` for more than an axis holds.
fn end(length: usize, start: usize, step: isize, taken: usize) -> Option<isize> {
    let Some(steps) = taken.checked_sub(1) else { return isize::try_from(start).ok() };
    if taken > length {
        return None;
    }
    // Lengths and steps are below 2^63, so their product fits.
    let last = start as i128 + steps as i128 * step as i128;
    if step > 0 {
        return isize::try_from(last + 1).ok();
    }
    // An end in front of the first element is counted from the last one.
    let before = last - 1;
    isize::try_from(if before < 0 { before - length as i128 } else { before }).ok()
}
