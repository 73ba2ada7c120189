//! Matrix products of two values, one for each item of the batch.
//!
//! Rows of the left side are read where they lie. A transposed left side is first turned, a band
//! of rows at a time; a transposed right side is turned while it is packed. Products of few rows
//! or columns are sums of lines or dot products: packing would take longer than multiplying.

use std::cell::RefCell;

use ndarray::{ArrayViewMut2, Axis, Slice};

use super::constants::Constants;
use super::dense::{FEW_ROWS, few_rows};
use super::panels::{Packed, PlainColumns, StridedColumns};
use super::product::{
    BLOCK_ROWS, COLUMN_UNIT, Finish, MULTIPLICATIONS, PlainRows, Scaled, multiply, split,
    split_packed,
};
use super::simd::vectorized;
use super::threads::{Block, for_each_run};
use super::tile::ROWS;
use super::{Kept, Step, check_reach};
use crate::error::Result;
use crate::kernels::matmul::{BatchAxis, Geometry};

/// Columns below which a row's results are dot products.
const FEW_COLUMNS: usize = 4;
/// Numbers of a band of turned rows: 4 MiB, a part of the last cache.
const BAND: usize = 1 << 20;
/// Rows turned at a time: a cache line of each column.
const TURNED_ROWS: usize = 16;
/// Products of a dot product summed side by side.
const LANES: usize = 32;

thread_local! {
    /// Turned rows, kept between products so that they allocate nothing.
    static TURNED: RefCell<Vec<f32>> = RefCell::default();
}

/// Packs a right side that is the same in all runs and for all items, where there are rows enough
/// to read it more than once.
pub(super) fn prepare(constants: &mut Constants<'_>, geometry: &Geometry) -> Result<Kept> {
    let g = &geometry.merged();
    let is_one = g.batch.iter().all(|axis| axis.right == 0 || axis.length == 1);
    let is_small = g.rows < FEW_ROWS || g.columns < FEW_COLUMNS;
    let Some(right) = constants.right().filter(|_| is_one && !is_small && g.inner > 0) else {
        return Ok(Kept::Nothing);
    };
    let [down, along] = g.right;
    check_reach(constants.node, "right", &[(g.inner, down), (g.columns, along)], right.len())?;
    let (node, form) = (constants.node, [g.inner, g.columns, down, along]);
    let packed = constants.packed(right, &form, || {
        let all = 0..g.columns;
        // Plain lines are copied whole.
        let packed = if along == 1 {
            let right = PlainColumns { data: right, stride: down, first: 0 };
            Packed::new(node, &right, g.inner, all)
        } else {
            let right = StridedColumns { data: right, strides: [down, along], first: 0 };
            Packed::new(node, &right, g.inner, all)
        };
        Ok(vec![packed?])
    })?;
    Ok(Kept::Right(packed))
}

/// Computes `alpha * left @ right + beta * addend` for each item of the batch.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let g = &geometry.merged();
    let items = g.batch.iter().fold(1usize, |items, axis| items.saturating_mul(axis.length));
    step.check_length("the output", &[items, g.rows, g.columns], result.len())?;
    let (left, right, addend) = operands(step, g)?;
    let addend = addend.zip(g.addend);
    let scaled = Scaled { alpha: g.alpha, beta: g.beta, addend, rows: g.rows };
    // A product with 1 changes nothing.
    let is_plain = g.alpha.to_bits() == 1f32.to_bits() && addend.is_none();
    let scaled = Some(scaled).filter(|_| !is_plain);
    let stages = step.stages;
    let finish = Finish { bias: None, scaled, stages, width: g.columns, continues: false };
    let size = g.rows.saturating_mul(g.columns);
    let cost = size.saturating_mul(g.inner) / MULTIPLICATIONS;
    for_each_run(result, size, cost.max(1), |first, run| {
        for (number, result) in run.chunks_exact_mut(size).enumerate() {
            let item = first + number;
            let [from_left, from_right] = begin(&g.batch, item);
            let product = Product {
                geometry: g,
                left: left.get(from_left..).unwrap_or_default(),
                right: right.get(from_right..).unwrap_or_default(),
                first_row: item * g.rows,
                packed: match step.kept {
                    Kept::Right(packed) => packed.first(),
                    Kept::Nothing | Kept::Phases(_) | Kept::Tables(_) => None,
                },
                finish: &finish,
            };
            product.compute(result);
        }
    });
    Ok(())
}

/// Both sides of a product, and the addend.
type Sides<'a> = (&'a [f32], &'a [f32], Option<&'a [f32]>);

/// Returns the operands, each long enough for what the geometry reads of it.
fn operands<'a>(step: &Step<'a>, g: &Geometry) -> Result<Sides<'a>> {
    let (left, right, addend) = if g.addend.is_none() {
        let [left, right] = step.exactly(["left", "right"], format!("{g:?}"))?;
        (left, right, None)
    } else {
        let names = ["left", "right", "addend"];
        let [left, right, addend] = step.exactly(names, format!("{g:?}"))?;
        (left, right, Some(addend))
    };
    let with = |pick: fn(&BatchAxis) -> usize, matrix: [(usize, usize); 2]| {
        g.batch.iter().map(|axis| (axis.length, pick(axis))).chain(matrix).collect::<Vec<_>>()
    };
    let [down, along] = [(g.rows, g.left[0]), (g.inner, g.left[1])];
    step.check_reach("left", &with(|axis| axis.left, [down, along]), left.len())?;
    let [down, along] = [(g.inner, g.right[0]), (g.columns, g.right[1])];
    if matches!(step.kept, Kept::Nothing) {
        step.check_reach("right", &with(|axis| axis.right, [down, along]), right.len())?;
    }
    if let (Some(addend), Some([down, along])) = (addend, g.addend) {
        step.check_reach("addend", &[(g.rows, down), (g.columns, along)], addend.len())?;
    }
    Ok((left, right, addend))
}

/// Returns where an item's matrices begin, in the left operand and the right one.
fn begin(batch: &[BatchAxis], item: usize) -> [usize; 2] {
    let mut rest = item;
    let mut place = [0; 2];
    for axis in batch.iter().rev() {
        let at = rest % axis.length;
        rest /= axis.length;
        place = [place[0] + at * axis.left, place[1] + at * axis.right];
    }
    place
}

/// The product of one item of the batch.
struct Product<'a> {
    geometry: &'a Geometry,
    /// The operands, from the item's matrices on.
    left: &'a [f32],
    right: &'a [f32],
    packed: Option<&'a Packed>,
    /// The item's first row, counted over the batch.
    first_row: usize,
    finish: &'a Finish<'a>,
}

impl Product<'_> {
    fn compute(&self, result: &mut [f32]) {
        let g = self.geometry;
        let Ok(view) = ArrayViewMut2::from_shape((g.rows, g.columns), result) else { return };
        let whole = Block { result: view, row: self.first_row, column: 0 };
        let part = |block: Block<'_>| {
            let first = (block.row - self.first_row) * g.left[0];
            let rows = self.left.get(first..).unwrap_or_default();
            if g.left[1] == 1 {
                self.part(rows, g.left[0], block);
            } else {
                self.bands(rows, block);
            }
        };
        if self.packed.is_some() {
            split_packed(whole, g.inner, [ROWS, COLUMN_UNIT], part);
        } else {
            split(whole, g.inner, [1, COLUMN_UNIT], part);
        }
    }

    /// Turns the rows of a transposed left side, a band at a time.
    fn bands(&self, left: &[f32], mut block: Block<'_>) {
        let g = self.geometry;
        let (count, _) = block.result.dim();
        let band = (BAND / g.inner.max(1)).next_multiple_of(BLOCK_ROWS).max(BLOCK_ROWS);
        TURNED.with_borrow_mut(|turned| {
            for first in (0..count).step_by(band) {
                let rows = first..(first + band).min(count);
                let from = left.get(first * g.left[0]..).unwrap_or_default();
                turn(from, g.left, [rows.len(), g.inner], turned);
                let part = Block {
                    result: block.result.slice_axis_mut(Axis(0), Slice::from(rows)),
                    row: block.row + first,
                    column: block.column,
                };
                self.part(turned, g.inner, part);
            }
        });
    }

    /// Multiplies rows whose numbers lie behind one another.
    fn part(&self, left: &[f32], stride: usize, block: Block<'_>) {
        let Geometry { inner, right: [down, along], .. } = *self.geometry;
        let (count, width) = block.result.dim();
        let block_columns = block.column..block.column + width;
        let is_small = count < FEW_ROWS || width < FEW_COLUMNS;
        if let Some(packed) = self.packed {
            let rows = PlainRows { data: left, stride, length: inner, count };
            multiply(block, &rows, packed, block_columns, self.finish);
        } else if down == 1 && is_small {
            self.dot_products(left, stride, block);
        } else if along == 1 && count < FEW_ROWS {
            few_rows([left, self.right], [stride, down], inner, block, self.finish);
        } else {
            let rows = PlainRows { data: left, stride, length: inner, count };
            let first = block.column;
            if along == 1 {
                let right = PlainColumns { data: self.right, stride: down, first };
                multiply(block, &rows, &right, 0..width, self.finish);
            } else {
                let right = StridedColumns { data: self.right, strides: [down, along], first };
                multiply(block, &rows, &right, 0..width, self.finish);
            }
        }
    }

    /// Multiplies where the right side's columns lie behind one another too.
    fn dot_products(&self, left: &[f32], stride: usize, mut block: Block<'_>) {
        let Geometry { inner, right: [_, along], .. } = *self.geometry;
        let (count, width) = block.result.dim();
        let line = |data, start: usize| -> &[f32] { line(data, start, inner) };
        let (row, column) = (
            |row| line(left, row * stride),
            |column| line(self.right, (block.column + column) * along),
        );
        // The side of more lines is read once.
        if count < width {
            for at in 0..width {
                let right = column(at);
                for number in 0..count {
                    block.result[[number, at]] = dot(row(number), right);
                }
            }
        } else {
            for number in 0..count {
                let left = row(number);
                for at in 0..width {
                    block.result[[number, at]] = dot(left, column(at));
                }
            }
        }
        for (number, mut result) in block.result.rows_mut().into_iter().enumerate() {
            let result = result.as_slice_mut().unwrap_or_default();
            self.finish.apply(result, block.row + number, block.column);
        }
    }
}

/// Returns numbers of an operand; none where none are asked for, wherever that begins.
fn line(data: &[f32], start: usize, length: usize) -> &[f32] {
    data.get(start..start + length).unwrap_or_default()
}

/// Sums the products of two lines.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    vectorized(
        #[inline(always)]
        || {
            let (mut lefts, mut rights) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
            for (left, right) in lefts.by_ref().zip(rights.by_ref()) {
                for lane in 0..LANES {
                    sums[lane] = left[lane].mul_add(right[lane], sums[lane]);
                }
            }
            let rest = lefts.remainder().iter().zip(rights.remainder());
            for (sum, (left, right)) in sums.iter_mut().zip(rest) {
                *sum = left.mul_add(*right, *sum);
            }
        },
    );
    sums.iter().sum()
}

/// Copies a matrix with these strides so that the numbers of a row lie behind one another.
fn turn(data: &[f32], [down, along]: [usize; 2], [rows, inner]: [usize; 2], turned: &mut Vec<f32>) {
    turned.resize(turned.len().max(rows * inner), 0.0);
    if inner == 0 {
        return;
    }
    let bands = turned[..rows * inner].chunks_mut(TURNED_ROWS * inner);
    for (band, first) in bands.zip((0..rows).step_by(TURNED_ROWS)) {
        for k in 0..inner {
            let from = data[first * down + k * along..].iter().step_by(down.max(1));
            let to = band[k..].iter_mut().step_by(inner);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}
