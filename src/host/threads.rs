//! Who computes what: results split over rayon's threads, with parts that are worth a thread.
//!
//! Costs are estimates in simple operations: an addition of two elements that lie in memory is
//! 1. Below [`GRAIN`], waking a thread takes longer than doing the work.

use ndarray::{ArrayViewMut2, Axis};
use rayon::prelude::*;

/// Operations of one part, at least: some 20 microseconds.
const GRAIN: usize = 1 << 16;
/// Parts for each thread, so that a thread that was held up does not hold up all.
const PARTS_EACH: usize = 4;

/// Returns into how many parts work of this cost is split; 1 for work that one thread does.
pub(crate) fn parts(cost: usize) -> usize {
    match rayon::current_num_threads() {
        1 => 1,
        threads => (cost / GRAIN).clamp(1, threads.saturating_mul(PARTS_EACH)),
    }
}

/// Splits a result into runs of whole units and computes each with `body`, which gets the
/// number of the run's first unit.
///
/// `result` is a whole number of units; `cost` is that of one unit.
pub(crate) fn for_each_run(
    result: &mut [f32],
    unit: usize,
    cost: usize,
    body: impl Fn(usize, &mut [f32]) + Sync,
) {
    if result.is_empty() || unit == 0 {
        return;
    }
    let units = result.len() / unit;
    let parts = parts(cost.saturating_mul(units)).min(units);
    if parts <= 1 {
        return body(0, result);
    }
    let each = units.div_ceil(parts);
    let runs = result.par_chunks_mut(each.saturating_mul(unit)).enumerate();
    runs.for_each(|(number, run)| body(number * each, run));
}

/// A block of a matrix: its elements, and its first row and column in the whole.
pub(crate) struct Block<'a> {
    pub result: ArrayViewMut2<'a, f32>,
    pub row: usize,
    pub column: usize,
}

/// How a matrix may be split.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    /// Blocks, at most.
    pub parts: usize,
    /// Rows that stay together.
    pub row_unit: usize,
    /// Columns that stay together.
    pub column_unit: usize,
    /// Whether to split columns as long as there are several units of them; otherwise rows
    /// come first.
    pub is_wide: bool,
}

/// Splits a matrix into blocks and computes each with `body`.
pub(crate) fn for_each_block(block: Block<'_>, grid: Grid, body: &(impl Fn(Block<'_>) + Sync)) {
    let (rows, columns) = block.result.dim();
    // The middle, on a border of units.
    let middle = |length: usize, unit: usize| (length / 2).div_ceil(unit.max(1)) * unit.max(1);
    let (row, column) = (middle(rows, grid.row_unit), middle(columns, grid.column_unit));
    let (can_rows, can_columns) = (row > 0 && row < rows, column > 0 && column < columns);
    if grid.parts <= 1 || !(can_rows || can_columns) {
        return body(block);
    }
    let (axis, at) =
        if can_columns && (grid.is_wide || !can_rows) { (1, column) } else { (0, row) };
    let (first, second) = block.result.split_at(Axis(axis), at);
    let half = grid.parts / 2;
    let left = Block { result: first, row: block.row, column: block.column };
    let right = Block {
        result: second,
        row: block.row + if axis == 0 { at } else { 0 },
        column: block.column + if axis == 1 { at } else { 0 },
    };
    rayon::join(
        || for_each_block(left, Grid { parts: grid.parts - half, ..grid }, body),
        || for_each_block(right, Grid { parts: half, ..grid }, body),
    );
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn runs_cover_every_unit_once() {
        for (units, unit, cost) in [(1, 7, 1), (5, 3, GRAIN), (1001, 2, GRAIN), (3, 1, 0)] {
            let mut result = vec![0.0; units * unit];
            for_each_run(&mut result, unit, cost, |first, run| {
                assert_eq!(run.len() % unit, 0);
                for (number, unit) in run.chunks_mut(unit).enumerate() {
                    for value in unit {
                        *value += (first + number) as f32 + 1.0;
                    }
                }
            });
            for (number, unit) in result.chunks(unit).enumerate() {
                assert!(unit.iter().all(|&value| value == number as f32 + 1.0));
            }
        }
        for_each_run(&mut [], 0, 1, |_, _| panic!("nothing to compute"));
    }

    #[test]
    fn blocks_cover_every_element_once_on_whole_units() {
        for (rows, columns, row_unit, column_unit) in [(7, 33, 1, 16), (12, 9, 4, 9), (1, 1, 1, 1)]
        {
            for is_wide in [false, true] {
                let mut matrix = Array2::<f32>::zeros((rows, columns));
                let block = Block { result: matrix.view_mut(), row: 0, column: 0 };
                let grid = Grid { parts: 7, row_unit, column_unit, is_wide };
                for_each_block(block, grid, &|mut block| {
                    assert_eq!((block.row % row_unit, block.column % column_unit), (0, 0));
                    for ((row, column), value) in block.result.indexed_iter_mut() {
                        *value +=
                            ((block.row + row) * columns + block.column + column) as f32 + 1.0;
                    }
                });
                let expected = (1..=rows * columns).map(|number| number as f32);
                assert!(matrix.iter().copied().eq(expected));
            }
        }
    }
}
