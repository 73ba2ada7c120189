//! Element-wise functions of two operands with NumPy broadcasting.

use super::Step;
use super::finish::{Stages, finish};
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::kernels::binary::{Axis, Geometry, coalesce};
use crate::ops::BinaryOp;
use crate::ops::elementwise::VisitTwo;

/// Elements computed at a time: they are still in the cache when the activation is applied.
const CHUNK: usize = 4096;

/// Computes the function of the operands' elements.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let axes = coalesce(&geometry.left, &geometry.right);
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    step.check_length("the output", &lengths, result.len())?;
    let [left, right] = step.operands([("left", &geometry.left), ("right", &geometry.right)])?;
    // Both operands walk the last axis one by one, or stay where they are.
    let single = Axis { length: 1, left: 1, right: 1 };
    let (inner, outer) = axes.split_last().unwrap_or((&single, &[]));
    // A line of its own may be cut anywhere.
    let unit = if outer.is_empty() { 1 } else { inner.length };
    let line_of = Lines { operation: geometry.operation, left, right, inner, stages: step.stages };
    for_each_run(result, unit, unit, |first, run| {
        if outer.is_empty() {
            let at = (first * inner.left, first * inner.right);
            return combine(&line_of, at, first, run);
        }
        for (number, line) in run.chunks_exact_mut(unit).enumerate() {
            let line_number = first + number;
            let at = starts(outer, line_number);
            combine(&line_of, at, line_number * unit, line);
        }
    });
    Ok(())
}

/// Returns where a line begins in each operand.
fn starts(outer: &[Axis], mut line: usize) -> (usize, usize) {
    let mut at = (0, 0);
    for axis in outer.iter().rev() {
        let index = line % axis.length;
        line /= axis.length;
        at.0 += index * axis.left;
        at.1 += index * axis.right;
    }
    at
}

/// What all lines share.
struct Lines<'a> {
    operation: BinaryOp,
    left: &'a [f32],
    right: &'a [f32],
    /// The axis along a line.
    inner: &'a Axis,
    stages: Stages<'a>,
}

/// Computes a part of a line, whose first element is number `first` of the result.
fn combine(lines: &Lines<'_>, at: (usize, usize), first: usize, line: &mut [f32]) {
    for (number, line) in line.chunks_mut(CHUNK).enumerate() {
        let done = number * CHUNK;
        let left = Operand::new(lines.left, at.0, lines.inner.left, done, line.len());
        let right = Operand::new(lines.right, at.1, lines.inner.right, done, line.len());
        lines.operation.visit(Into { left, right, line });
        finish(lines.stages, line, first + done);
    }
}

/// What an operand gives to a line.
#[derive(Clone, Copy)]
pub(super) enum Operand<'a> {
    One(f32),
    Many(&'a [f32]),
}

impl<'a> Operand<'a> {
    fn new(data: &'a [f32], at: usize, stride: usize, done: usize, count: usize) -> Self {
        if stride == 0 {
            Operand::One(data[at])
        } else {
            Operand::Many(&data[at + done..at + done + count])
        }
    }

    /// Returns how many elements it has, if that is not any number.
    pub(super) fn count(self) -> Option<usize> {
        match self {
            Operand::One(_) => None,
            Operand::Many(values) => Some(values.len()),
        }
    }
}

/// The loop over a line.
struct Into<'a> {
    left: Operand<'a>,
    right: Operand<'a>,
    line: &'a mut [f32],
}

impl VisitTwo for Into<'_> {
    fn visit(self, f: impl Fn(f32, f32) -> f32) {
        let Into { left, right, line } = self;
        vectorized(
            #[inline(always)]
            || match (left, right) {
                (Operand::Many(left), Operand::Many(right)) => {
                    for ((value, &a), &b) in line.iter_mut().zip(left).zip(right) {
                        *value = f(a, b);
                    }
                }
                (Operand::Many(left), Operand::One(b)) => {
                    line.iter_mut().zip(left).for_each(|(value, &a)| *value = f(a, b));
                }
                (Operand::One(a), Operand::Many(right)) => {
                    line.iter_mut().zip(right).for_each(|(value, &b)| *value = f(a, b));
                }
                (Operand::One(a), Operand::One(b)) => line.fill(f(a, b)),
            },
        );
    }
}
