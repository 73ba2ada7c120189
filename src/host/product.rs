//! Matrix products, and the convolutions that are such.
//!
//! result[row, column] = sum over k of left[row, k] * right[k, column], then bias and
//! stages. The left side is read where it lies: a row is a list of runs in an image or a
//! matrix, so a convolution of enough channels needs no copy of its windows. The right side is
//! packed into panels as wide as a tile, some hundred numbers deep, that stay in the cache while
//! all rows go by.

use std::cell::RefCell;
use std::ops::Range;

use ndarray::{Axis, Slice};
use pulp::{Simd, WithSimd};

use super::finish::{Stages, add_bias, finish};
use super::panels::Right;
use super::simd::dispatch;
use super::threads::{Block, Grid, for_each_block, parts};
use super::tile::{self, Left, panel_width};

/// Rows that go by each panel before the next one: their part of the left side stays in the
/// second cache.
pub(super) const BLOCK_ROWS: usize = 48;
/// Columns packed at a time.
const BLOCK_COLUMNS: usize = 256;
/// Numbers packed at a time: 384 KiB.
const PACKED: usize = 96 * 1024;
/// Columns that stay together: those of the widest tile, and whole cache lines.
pub(super) const COLUMN_UNIT: usize = 32;
/// Multiplications that take as long as one simple operation on memory.
pub(super) const MULTIPLICATIONS: usize = 16;

/// The left side of a part of a product, in blocks of rows.
pub(super) trait Rows {
    /// Runs of consecutive numbers in a row.
    fn runs(&self) -> usize;
    /// Numbers of a run.
    fn length(&self) -> usize;
    /// Blocks of at most [`BLOCK_ROWS`] rows.
    fn blocks(&self) -> usize;
    /// Whether some runs may lie outside of the data.
    fn has_outside(&self) -> bool;
    /// Finds the rows of a block.
    fn locate<'s>(&'s self, block: usize, found: &'s mut Found) -> Located<'s>;
}

/// A block of rows.
pub(super) struct Located<'s> {
    /// What the rows lie in.
    pub data: &'s [f32],
    /// Where each row's runs begin: rows times runs.
    pub offsets: &'s [usize],
    /// The rows of the result that they are for.
    pub rows: Slice,
}

/// Room for what [`Rows::locate`] finds.
#[derive(Default)]
pub(super) struct Found {
    /// Where runs begin.
    pub offsets: Vec<usize>,
    /// Numbers brought together, where the runs would be too short.
    pub gathered: Vec<f32>,
}

/// What is done to the sums.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    /// Added to each row.
    pub bias: Option<&'a [f32]>,
    /// What a product of two values does before its stages.
    pub scaled: Option<Scaled<'a>>,
    pub stages: Stages<'a>,
    /// Columns of the whole result: element numbers are counted in them.
    pub width: usize,
    /// Whether the result holds sums already, which these go on from.
    pub continues: bool,
}

impl Finish<'_> {
    /// Adds the bias and applies the stages to a part of a row.
    pub(super) fn apply(&self, line: &mut [f32], row: usize, column: usize) {
        if let Some(scaled) = &self.scaled {
            scaled.apply(line, row, column);
        }
        add_bias(self.bias.map(|bias| &bias[column..column + line.len()]), line);
        finish(self.stages, line, row * self.width + column);
    }
}

/// Factors of a product and of what is added to it.
#[derive(Clone, Copy)]
pub(super) struct Scaled<'a> {
    pub alpha: f32,
    pub beta: f32,
    /// The addend, and its elements between rows and columns.
    pub addend: Option<(&'a [f32], [usize; 2])>,
    /// Rows of the result; each item of a batch begins the addend anew.
    pub rows: usize,
}

impl Scaled<'_> {
    fn apply(&self, line: &mut [f32], row: usize, column: usize) {
        for sum in line.iter_mut() {
            *sum *= self.alpha;
        }
        if let Some((addend, [down, along])) = self.addend {
            let first = row % self.rows * down + column * along;
            for (number, sum) in line.iter_mut().enumerate() {
                *sum += self.beta * addend[first + number * along];
            }
        }
    }
}

/// What one thread keeps between products, so that they allocate nothing.
#[derive(Default)]
struct Scratch {
    packed: Vec<f32>,
    zeros: Vec<f32>,
    found: Found,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Splits a product over threads and computes each block with `body`.
///
/// `inner` is the sum's length, `units` the rows and columns that stay together.
pub(super) fn split(
    block: Block<'_>,
    inner: usize,
    units: [usize; 2],
    body: impl Fn(Block<'_>) + Sync,
) {
    // Every block of rows packs the columns again.
    let is_wide = inner.saturating_mul(block.result.ncols()) > PACKED;
    split_by(block, inner, units, is_wide, body);
}

/// Splits a product with a packed right side over threads, along the larger side where the
/// right one does not stay in the cache.
pub(super) fn split_packed(
    block: Block<'_>,
    inner: usize,
    units: [usize; 2],
    body: impl Fn(Block<'_>) + Sync,
) {
    let (rows, columns) = block.result.dim();
    let is_wide = columns > rows && inner.saturating_mul(columns) > PACKED;
    split_by(block, inner, units, is_wide, body);
}

fn split_by(
    block: Block<'_>,
    inner: usize,
    units: [usize; 2],
    is_wide: bool,
    body: impl Fn(Block<'_>) + Sync,
) {
    let (rows, columns) = block.result.dim();
    let cost = rows.saturating_mul(columns).saturating_mul(inner) / MULTIPLICATIONS;
    let grid = Grid { parts: parts(cost), row_unit: units[0], column_unit: units[1], is_wide };
    for_each_block(block, grid, &body);
}

/// Computes a block of a product on this thread. `columns` counts in the right side.
pub(super) fn multiply(
    block: Block<'_>,
    rows: &impl Rows,
    right: &impl Right,
    columns: Range<usize>,
    finish: &Finish<'_>,
) {
    SCRATCH.with_borrow_mut(|scratch| {
        let is_narrow = right.is_narrow(columns.len());
        let operation = Multiply { block, rows, right, columns, finish, scratch };
        dispatch(is_narrow, operation);
    });
}

struct Multiply<'a, 'b, R, C> {
    block: Block<'a>,
    rows: &'b R,
    right: &'b C,
    columns: Range<usize>,
    finish: &'b Finish<'b>,
    scratch: &'b mut Scratch,
}

impl<R: Rows, C: Right> WithSimd for Multiply<'_, '_, R, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Multiply { mut block, rows, right, columns, finish, scratch } = self;
        let Scratch { packed, zeros, found } = scratch;
        let inner = rows.runs() * rows.length();
        zeros.resize(zeros.len().max(rows.length()), 0.0);
        let deep = (PACKED / columns.len().clamp(1, BLOCK_COLUMNS)).max(1);
        for first in columns.clone().step_by(BLOCK_COLUMNS) {
            let wide = first..(first + BLOCK_COLUMNS).min(columns.end);
            let within = first - columns.start..wide.end - columns.start;
            // A sum of nothing has a result too.
            for begin in (0..inner.max(1)).step_by(deep) {
                let depth = begin..(begin + deep).min(inner);
                let panels = right.panels(&depth, &wide, panel_width::<S>(), packed);
                let skips_outside = rows.has_outside() && !panels.is_finite;
                for number in 0..rows.blocks() {
                    let located = rows.locate(number, found);
                    let left = Left {
                        data: located.data,
                        offsets: located.offsets,
                        runs: rows.runs(),
                        length: rows.length(),
                        zeros,
                        skips_outside,
                    };
                    let mut view = block.result.slice_axis_mut(Axis(0), located.rows);
                    let mut lines: [&mut [f32]; BLOCK_ROWS] = std::array::from_fn(|_| [].as_mut());
                    let mut count = 0;
                    for (line, row) in lines.iter_mut().zip(view.axis_iter_mut(Axis(0))) {
                        // Columns lie behind one another in every block of a result.
                        let row = row.into_slice().unwrap_or_default();
                        *line = row.get_mut(within.clone()).unwrap_or_default();
                        count += 1;
                    }
                    let lines = &mut lines[..count];
                    let starts = (0..wide.len()).step_by(panel_width::<S>());
                    if depth.is_empty() && !finish.continues {
                        for line in lines.iter_mut() {
                            line.fill(0.0);
                        }
                    } else {
                        for (number, start) in starts.enumerate() {
                            let panel = panels.get(number, depth.len() * panel_width::<S>());
                            let end = (start + panel_width::<S>()).min(wide.len());
                            let inner = depth.clone();
                            tile::multiply(
                                simd,
                                &left,
                                inner,
                                panel,
                                lines,
                                start..end,
                                begin == 0 && !finish.continues,
                            );
                        }
                    }
                    if depth.end == inner {
                        let Slice { start, step, .. } = located.rows;
                        for (number, line) in lines.iter_mut().enumerate() {
                            let row = start.unsigned_abs() + number * step.unsigned_abs();
                            finish.apply(line, block.row + row, block.column + within.start);
                        }
                    }
                }
            }
        }
    }
}

/// Rows of a matrix whose numbers lie behind one another.
pub(super) struct PlainRows<'a> {
    /// The matrix, from this part's first row on.
    pub data: &'a [f32],
    /// Elements between rows.
    pub stride: usize,
    /// Numbers of a row.
    pub length: usize,
    pub count: usize,
}

impl Rows for PlainRows<'_> {
    fn runs(&self) -> usize {
        1
    }

    fn length(&self) -> usize {
        self.length
    }

    fn blocks(&self) -> usize {
        self.count.div_ceil(BLOCK_ROWS)
    }

    fn has_outside(&self) -> bool {
        false
    }

    fn locate<'s>(&'s self, block: usize, found: &'s mut Found) -> Located<'s> {
        let rows = block * BLOCK_ROWS..((block + 1) * BLOCK_ROWS).min(self.count);
        found.offsets.clear();
        found.offsets.extend(rows.clone().map(|row| row * self.stride));
        Located { data: self.data, offsets: &found.offsets, rows: slice(rows, 1) }
    }
}

/// Tells whether all numbers are finite.
#[inline(always)]
pub(super) fn are_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    // No early return, so that whole vectors are compared.
    !values.iter().fold(false, |found, value| found | (value.to_bits() & EXPONENT == EXPONENT))
}

/// Names every `step`th row of a range.
pub(super) fn slice(rows: Range<usize>, step: usize) -> Slice {
    let signed = |number: usize| isize::try_from(number).unwrap_or(isize::MAX);
    Slice::new(signed(rows.start), Some(signed(rows.end)), signed(step))
}
