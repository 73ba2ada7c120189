//! The matrix product on the last axis, with bias and activation.

use ndarray::ArrayViewMut2;

use super::constants::Constants;
use super::finish::Stages;
use super::panels::{Packed, PlainColumns};
use super::product::{
    COLUMN_UNIT, Finish, MULTIPLICATIONS, PlainRows, multiply, split, split_packed,
};
use super::simd::vectorized;
use super::threads::{Block, for_each_run};
use super::tile::ROWS;
use super::{Kept, Step};
use crate::error::Result;
use crate::kernels::dense::Geometry;

/// Rows below which the kernel is read once and not packed.
pub(super) const FEW_ROWS: usize = 4;
/// Rows of the kernel added to a result at a time.
const DEEP: usize = 8;
/// Columns of a kernel up to which a few rows are computed in parts of its rows: threads that took
/// columns would jump from one short piece of memory to the next.
const NARROW: usize = 2048;
/// Numbers of such a part: 1 MiB.
const PART: usize = 1 << 18;
/// Columns summed together, in registers.
const LANES: usize = 32;

/// Packs the kernel where there are rows enough to read it more than once.
pub(super) fn prepare(constants: &mut Constants<'_>, geometry: &Geometry) -> Result<Kept> {
    let Geometry { rows, inputs, units, .. } = *geometry;
    match constants.kernel(&[inputs, units])? {
        Some(kernel) if rows >= FEW_ROWS => pack(constants, kernel, [inputs, units]),
        Some(_) | None => Ok(Kept::Nothing),
    }
}

/// Packs the right side of [`matrix`].
pub(super) fn pack(
    constants: &mut Constants<'_>,
    right: &[f32],
    [inner, columns]: [usize; 2],
) -> Result<Kept> {
    let node = constants.node;
    let packed = constants.packed(right, &[inner, columns], || {
        let plain = PlainColumns { data: right, stride: columns, first: 0 };
        Ok(vec![Packed::new(node, &plain, inner, 0..columns)?])
    })?;
    Ok(Kept::Right(packed))
}

/// Computes (rows, inputs) times (inputs, units), or goes on with a part of the inputs.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let Geometry { rows, inputs, units, has_bias, .. } = *geometry;
    step.check_length("the output", &[rows, units], result.len())?;
    let bias = has_bias.then_some(units);
    let part = geometry.part();
    let ([input, kernel], bias) = step.weighted(&[rows, part.of], &[inputs, units], bias)?;
    let left = Left { data: input, stride: part.of, first: part.first };
    let continues = part.first > 0;
    let finish = Finish { bias, scaled: None, stages: step.stages, width: units, continues };
    matrix(&left, (kernel, step.kept), [rows, inputs, units], &finish, result);
    Ok(())
}

/// The left side of a product: columns of a matrix from one on.
pub(super) struct Left<'a> {
    pub data: &'a [f32],
    /// Elements between rows.
    pub stride: usize,
    /// The first column.
    pub first: usize,
}

/// Computes a product of two matrices, of which the right one may be packed; the lengths fit.
pub(super) fn matrix(
    left: &Left<'_>,
    (right, kept): (&[f32], &Kept),
    [rows, inner, columns]: [usize; 3],
    finish: &Finish<'_>,
    result: &mut [f32],
) {
    let Ok(view) = ArrayViewMut2::from_shape((rows, columns), result) else { return };
    let whole = Block { result: view, row: 0, column: 0 };
    if rows == 0 || columns == 0 {
        return;
    }
    let stride = left.stride;
    // A row without numbers may lie behind the last one.
    let from = |row: usize| left.data.get(row * stride + left.first..).unwrap_or_default();
    if let Kept::Right(packed) = kept
        && let [packed] = &**packed
    {
        return split_packed(whole, inner, [ROWS, COLUMN_UNIT], |block| {
            let (count, width) = block.result.dim();
            let rows = PlainRows { data: from(block.row), stride, length: inner, count };
            let columns = block.column..block.column + width;
            multiply(block, &rows, packed, columns, finish);
        });
    }
    let depth = (PART / columns.max(1)).next_multiple_of(DEEP);
    if rows < FEW_ROWS && columns <= NARROW && inner / 2 >= depth {
        return parts_of_sums(left, right, [inner, depth], whole, finish);
    }
    split(whole, inner, [1, COLUMN_UNIT], |block| {
        let (count, width) = block.result.dim();
        let data = from(block.row);
        if count < FEW_ROWS {
            few_rows([data, right], [stride, columns], inner, block, finish);
        } else {
            let rows = PlainRows { data, stride, length: inner, count };
            let right = PlainColumns { data: right, stride: columns, first: block.column };
            multiply(block, &rows, &right, 0..width, finish);
        }
    });
}

/// Computes a few rows whose kernel is narrow and long: parts of it that lie in one piece, each by
/// one thread, and then the sum of their results. What is a part does not depend on the threads.
fn parts_of_sums(
    left: &Left<'_>,
    right: &[f32],
    [inner, depth]: [usize; 2],
    mut whole: Block<'_>,
    finish: &Finish<'_>,
) {
    let (rows, columns) = whole.result.dim();
    let stages = Stages { list: &[], extra: &[] };
    let plain = Finish { bias: None, scaled: None, stages, width: columns, continues: false };
    let mut parts = vec![0.0; inner.div_ceil(depth) * rows * columns];
    let cost = depth.saturating_mul(rows * columns) / MULTIPLICATIONS;
    for_each_run(&mut parts, rows * columns, cost, |number, run| {
        for (number, sums) in (number..).zip(run.chunks_exact_mut(rows * columns)) {
            let (first, count) = (number * depth, depth.min(inner - number * depth));
            let Ok(result) = ArrayViewMut2::from_shape((rows, columns), sums) else { return };
            let block = Block { result, row: 0, column: 0 };
            let sides = [&left.data[left.first + first..], &right[first * columns..]];
            few_rows(sides, [left.stride, columns], count, block, &plain);
        }
    });
    if !finish.continues {
        whole.result.fill(0.0);
    }
    for sums in parts.chunks_exact(rows * columns) {
        for (mut result, sums) in whole.result.rows_mut().into_iter().zip(sums.chunks(columns)) {
            result.iter_mut().zip(sums).for_each(|(result, sum)| *result += sum);
        }
    }
    for (row, mut result) in whole.result.rows_mut().into_iter().enumerate() {
        finish.apply(result.as_slice_mut().unwrap_or_default(), row, 0);
    }
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
    if !finish.continues {
        block.result.fill(0.0);
    }
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
            let mut at = 0;
            while let Some(chunk) = result.get_mut(at..).and_then(<[f32]>::first_chunk_mut::<LANES>)
            {
                // Arrays of its own become vectors; what is behind a reference may be what is
                // written, and is computed number by number.
                let mut sums = *chunk;
                for (input, line) in inputs.iter().zip(&lines) {
                    let Some(line) = line[at..].first_chunk::<LANES>() else { return };
                    let (input, line) = (*input, *line);
                    for lane in 0..LANES {
                        sums[lane] = input.mul_add(line[lane], sums[lane]);
                    }
                }
                *chunk = sums;
                at += LANES;
            }
            for (column, sum) in result.iter_mut().enumerate().skip(at) {
                for (input, line) in inputs.iter().zip(&lines) {
                    *sum = input.mul_add(line[column], *sum);
                }
            }
        },
    );
}
