//! Element-wise activations on their own.

use super::Step;
use super::finish::finish;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::activation::Geometry;

/// Operations that an activation counts as.
const COST: usize = 4;
/// Elements copied at a time: they are still in the cache when the function is applied.
const CHUNK: usize = 4096;

/// Applies the activation to every element.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    step.check_length("the output", &geometry.shape, result.len())?;
    let [input] = step.operands([("input", &geometry.shape)])?;
    for_each_run(result, 1, COST, |first, run| {
        let input = &input[first..first + run.len()];
        let chunks = run.chunks_mut(CHUNK).zip(input.chunks(CHUNK)).enumerate();
        for (number, (run, input)) in chunks {
            run.copy_from_slice(input);
            finish(step.stages, run, first + number * CHUNK);
        }
    });
    Ok(())
}
