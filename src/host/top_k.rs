//! The largest or smallest elements along one axis, and where they are.

use super::Step;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::top_k::{Geometry, Part};

/// Operations that an element of the input counts as.
const COST: usize = 8;

/// Sorts what may be among the first `k` of each line.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { outer, length, inner, k, .. } = *geometry;
    step.check_length("the output", &[outer, k, inner], result.len())?;
    let [input] = step.operands([("input", &[outer, length, inner])])?;
    let (read, unit) = (length * inner, k * inner);
    for_each_run(result, unit, read.saturating_mul(COST), |first, run| {
        let mut order = Vec::with_capacity(length);
        let inputs = input[first * read..].chunks_exact(read);
        for (input, output) in inputs.zip(run.chunks_exact_mut(unit)) {
            for column in 0..inner {
                sort(input, geometry, column, &mut order);
                for (to, &place) in output[column..].iter_mut().step_by(inner).zip(&order) {
                    *to = element(input, geometry, column, place);
                }
            }
        }
    });
    Ok(())
}

/// Finds the first `k` of a line, each as its key above its index, which makes all of them differ.
fn sort(input: &[f32], geometry: &Geometry, column: usize, order: &mut Vec<u64>) {
    let Geometry { inner, k, largest, .. } = *geometry;
    let line = input[column..].iter().step_by(inner);
    order.clear();
    order.extend((0..).zip(line).map(|(index, &x)| u64::from(key(x, largest)) << 32 | index));
    if k < order.len() {
        order.select_nth_unstable(k);
        order.truncate(k);
    }
    order.sort_unstable();
}

/// Returns a number that is the smaller the earlier an element comes; NaN is the largest element.
fn key(x: f32, largest: bool) -> u32 {
    const ZERO: u32 = 1 << 31;
    let magnitude = x.abs().to_bits();
    let ascending = match x {
        _ if x.is_nan() => u32::MAX,
        _ if x.is_sign_negative() => ZERO - magnitude,
        _ => ZERO + magnitude,
    };
    if largest { !ascending } else { ascending }
}

/// Returns what is written for an element.
#[expect(clippy::cast_precision_loss, reason = "an index is below 2^24")]
fn element(input: &[f32], geometry: &Geometry, column: usize, place: u64) -> f32 {
    // Its lower half is the index, which fits.
    let index = usize::try_from(place & u64::from(u32::MAX)).unwrap_or(usize::MAX);
    match geometry.part {
        Part::Values => input[index * geometry.inner + column],
        Part::Indices => index as f32,
    }
}
