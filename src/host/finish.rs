//! What is applied to every result before it leaves the cache.

use super::binary::Operand;
use super::simd::vectorized;
use crate::ops::Stage;
use crate::ops::elementwise::{Visit, VisitTwo};

/// What is applied to each result: an epilogue's stages, and its extra operand.
#[derive(Clone, Copy)]
pub(crate) struct Stages<'a> {
    /// The stages, the first one applied first.
    pub list: &'a [Stage],
    /// The extra operand; result `i` meets its element `i % extra.len()`.
    pub extra: &'a [f32],
}

/// Results computed at a time: they are still in the cache when the stages are applied.
const CHUNK: usize = 4096;

/// Computes a run of whole units with `body`, which gets the number of its first unit, and
/// applies the stages to what it made, a chunk at a time.
pub(super) fn in_chunks(
    stages: Stages<'_>,
    unit: usize,
    (first, run): (usize, &mut [f32]),
    body: impl Fn(usize, &mut [f32]),
) {
    if stages.list.is_empty() {
        return body(first, run);
    }
    let units = (CHUNK / unit.max(1)).max(1);
    let chunks = run.chunks_mut(units.saturating_mul(unit).max(1));
    for (number, chunk) in chunks.enumerate() {
        let at = first + number * units;
        body(at, chunk);
        finish(stages, chunk, at * unit);
    }
}

/// Applies the stages to results whose first one is element `first` of the tensor.
///
/// Results that lie behind one another are worth a call, single ones are not.
pub(crate) fn finish(stages: Stages<'_>, values: &mut [f32], first: usize) {
    for stage in stages.list {
        match *stage {
            Stage::Unary(function) => function.visit(Each(values)),
            Stage::Binary { operation, swapped } => {
                let mut rest = &mut *values;
                let mut index = first;
                while !rest.is_empty() && !stages.extra.is_empty() {
                    // As far as the extra operand goes before it begins anew.
                    let from = index % stages.extra.len();
                    let other = if let [one] = stages.extra {
                        Operand::One(*one)
                    } else {
                        let count = rest.len().min(stages.extra.len() - from);
                        Operand::Many(&stages.extra[from..from + count])
                    };
                    let count = other.count().unwrap_or(rest.len());
                    let (run, behind) = rest.split_at_mut(count);
                    operation.visit(InPlace { values: run, other, swapped });
                    (rest, index) = (behind, index + count);
                }
            }
        }
    }
}

/// A stage that meets the extra operand.
struct InPlace<'a> {
    values: &'a mut [f32],
    other: Operand<'a>,
    swapped: bool,
}

impl VisitTwo for InPlace<'_> {
    fn visit(self, function: impl Fn(f32, f32) -> f32) {
        let InPlace { values, other, swapped } = self;
        vectorized(
            #[inline(always)]
            || match (other, swapped) {
                (Operand::One(b), false) => values.iter_mut().for_each(|a| *a = function(*a, b)),
                (Operand::One(b), true) => values.iter_mut().for_each(|a| *a = function(b, *a)),
                (Operand::Many(other), false) => {
                    values.iter_mut().zip(other).for_each(|(a, b)| *a = function(*a, *b));
                }
                (Operand::Many(other), true) => {
                    values.iter_mut().zip(other).for_each(|(a, b)| *a = function(*b, *a));
                }
            },
        );
    }
}

/// A stage of the results alone.
struct Each<'a>(&'a mut [f32]);

impl Visit for Each<'_> {
    fn visit(self, function: impl Fn(f32) -> f32) {
        vectorized(
            #[inline(always)]
            move || {
                // Constants are copied out of what the loop may write for all that is known.
                let (values, function) = (self.0, function);
                for value in values {
                    *value = function(*value);
                }
            },
        );
    }
}

/// Adds a bias to a row of results.
pub(crate) fn add_bias(bias: Option<&[f32]>, values: &mut [f32]) {
    if let Some(bias) = bias {
        vectorized(|| {
            for (value, shift) in values.iter_mut().zip(bias) {
                *value += shift;
            }
        });
    }
}
