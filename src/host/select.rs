//! Choosing between two values, element by element, with NumPy broadcasting.

use super::Step;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::axes::Axis;
use crate::kernels::select::Geometry;

/// Takes one of two elements for each element of the result.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let axes = geometry.axes();
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    step.check_length("the output", &lengths, result.len())?;
    let operands = step.operands([
        ("the condition", &geometry.condition),
        ("the operand for true", &geometry.on_true),
        ("the operand for false", &geometry.on_false),
    ])?;
    let single = Axis { length: 1, strides: [1; 3] };
    let (inner, outer) = axes.split_last().unwrap_or((&single, &[]));
    for_each_run(result, inner.length, inner.length, |first, run| {
        for (number, line) in run.chunks_exact_mut(inner.length).enumerate() {
            choose(operands, starts(outer, first + number), inner.strides, line);
        }
    });
    Ok(())
}

/// Returns where a line begins in each operand.
fn starts(outer: &[Axis<3>], mut line: usize) -> [i64; 3] {
    let mut at = [0; 3];
    for axis in outer.iter().rev() {
        let index = i64::try_from(line % axis.length).unwrap_or(i64::MAX);
        line /= axis.length;
        for (at, stride) in at.iter_mut().zip(axis.strides) {
            *at += index * stride;
        }
    }
    at
}

/// Computes a line.
fn choose(operands: [&[f32]; 3], at: [i64; 3], strides: [i64; 3], line: &mut [f32]) {
    // Sizes were held below 2^32, and no stride is negative.
    let place = |operand: usize| usize::try_from(at[operand]).unwrap_or(usize::MAX);
    let step = |operand: usize| usize::from(strides[operand] != 0);
    let [mut c, mut t, mut f] = [place(0), place(1), place(2)];
    for value in line {
        *value = if operands[0][c] == 0.0 { operands[2][f] } else { operands[1][t] };
        (c, t, f) = (c + step(0), t + step(1), f + step(2));
    }
}
