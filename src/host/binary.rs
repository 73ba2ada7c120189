//! Element-wise functions of two operands with NumPy broadcasting.

use super::Step;
use super::finish::finish;
use super::simd::vectorized;
use super::threads::for_each_run;
use crate::error::Result;
use crate::graph::BinaryOp;
use crate::kernels::binary::{Axis, Geometry, coalesce};

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
    for_each_run(result, unit, unit, |first, run| {
        if outer.is_empty() {
            let at = (first * inner.left, first * inner.right);
            return combine(geometry, left, right, at, inner, first, run);
        }
        for (number, line) in run.chunks_exact_mut(unit).enumerate() {
            let line_number = first + number;
            let at = starts(outer, line_number);
            combine(geometry, left, right, at, inner, line_number * unit, line);
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

/// Computes a part of a line, whose first element is number `first` of the result.
fn combine(
    geometry: &Geometry,
    left: &[f32],
    right: &[f32],
    (at_left, at_right): (usize, usize),
    inner: &Axis,
    first: usize,
    line: &mut [f32],
) {
    for (number, line) in line.chunks_mut(CHUNK).enumerate() {
        let done = number * CHUNK;
        let left = Operand::new(left, at_left, inner.left, done, line.len());
        let right = Operand::new(right, at_right, inner.right, done, line.len());
        match geometry.operation {
            BinaryOp::Add => each(left, right, line, |a, b| a + b),
            BinaryOp::Multiply => each(left, right, line, |a, b| a * b),
        }
        finish(geometry.activation, line, first + done);
    }
}

/// What an operand gives to a line.
#[derive(Clone, Copy)]
enum Operand<'a> {
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
}

fn each(left: Operand<'_>, right: Operand<'_>, line: &mut [f32], f: impl Fn(f32, f32) -> f32) {
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
