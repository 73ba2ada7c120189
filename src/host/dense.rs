//! The matrix product on the last axis, with bias and activation.

use ndarray::ArrayViewMut2;

use super::Step;
use super::product::{COLUMN_UNIT, Finish, PlainColumns, PlainRows, multiply, split};
use super::simd::vectorized;
use super::threads::Block;
use crate::error::Result;
use crate::kernels::dense::Geometry;

/// Rows below which the kernel is read once and not packed.
pub(super) const FEW_ROWS: usize = 4;
/// Rows of the kernel added to a result at a time.
const DEEP: usize = 8;

/// Computes (rows, inputs) times (inputs, units).
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { rows, inputs, units, has_bias, .. } = *geometry;
    step.check_length("the output", &[rows, units], result.len())?;
    let bias = has_bias.then_some(units);
    let ([input, kernel], bias) = step.weighted(&[rows, inputs], &[inputs, units], bias)?;
    let finish = Finish { bias, scaled: None, stages: step.stages, width: units };
    matrix(input, kernel, [rows, inputs, units], &finish, result);
    Ok(())
}

/// Computes a product of two matrices; the lengths fit.
pub(super) fn matrix(
    left: &[f32],
    right: &[f32],
    [rows, inner, columns]: [usize; 3],
    finish: &Finish<'_>,
    result: &mut [f32],
) {
    let Ok(view) = ArrayViewMut2::from_shape((rows, columns), result) else { return };
    let whole = Block { result: view, row: 0, column: 0 };
    split(whole, inner, [1, COLUMN_UNIT], |block| {
        let (count, width) = block.result.dim();
        let data = &left[block.row * inner..(block.row + count) * inner];
        if count < FEW_ROWS {
            few_rows([data, right], [inner, columns], inner, block, finish);
        } else {
            let rows = PlainRows { data, stride: inner, length: inner, count };
            let right = PlainColumns { data: right, stride: columns, first: block.column };
            multiply(block, &rows, &right, 0..width, finish);
        }
    });
}

/// Adds the kernel's rows to each result, times their input, a few at a time.
///
/// `left` and `right` begin with the product's own rows, which are `strides` apart.
pub(super) fn few_rows(
    [left, right]: [&[f32]; 2],
    strides: [usize; 2],
    inner: usize,
    mut block: Block<'_>,
    finish: &Finish<'_>,
) {
    let width = block.result.ncols();
    block.result.fill(0.0);
    for first in (0..inner).step_by(DEEP) {
        let line = |k: usize| &right[k * strides[1] + block.column..][..width];
        for (row, mut result) in block.result.rows_mut().into_iter().enumerate() {
            let result = result.as_slice_mut().unwrap_or_default();
            let inputs = &left[row * strides[0]..][..inner];
            if let Some(inputs) = inputs[first..].first_chunk::<DEEP>() {
                let lines: [&[f32]; DEEP] = std::array::from_fn(|number| line(first + number));
                add_lines(result, inputs, lines);
            } else {
                for (number, input) in inputs[first..].iter().enumerate() {
                    add_lines(result, &[*input], [line(first + number)]);
                }
            }
        }
    }
    for (row, mut result) in block.result.rows_mut().into_iter().enumerate() {
        let result = result.as_slice_mut().unwrap_or_default();
        finish.apply(result, block.row + row, block.column);
    }
}

/// Adds lines to a result, each times its input.
fn add_lines<const N: usize>(result: &mut [f32], inputs: &[f32; N], lines: [&[f32]; N]) {
    let lines = lines.map(|line| &line[..result.len()]);
    vectorized(
        #[inline(always)]
        || {
            for (column, sum) in result.iter_mut().enumerate() {
                for (input, line) in inputs.iter().zip(&lines) {
                    *sum = input.mul_add(line[column], *sum);
                }
            }
        },
    );
}
