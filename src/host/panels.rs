//! Packing: the right side of a product as panels as wide as a tile, that stay in the cache.

use std::ops::Range;

/// The right side of a product.
pub(super) trait Columns {
    /// Copies some columns of some rows into the first numbers of a panel's lines.
    fn fill(&self, depth: Range<usize>, columns: Range<usize>, panel: Panel<'_>);
}

/// A part of a packed right side: a line of `width` numbers for each of its rows.
pub(super) struct Panel<'p> {
    pub numbers: &'p mut [f32],
    pub width: usize,
}

/// Columns turned at a time: their lines stay in the first cache, wherever they lie.
const TURNED: usize = 8;

impl Panel<'_> {
    /// Copies columns that are `stride` apart in `from`, and whose numbers lie behind one another,
    /// into the lines from one on; `count` numbers of each column.
    #[inline(always)]
    pub(super) fn turn(&mut self, line: usize, from: &[f32], stride: usize, size: [usize; 2]) {
        let [count, columns] = size;
        let lines = self.numbers.get_mut(line * self.width..).unwrap_or_default();
        for first in (0..columns).step_by(TURNED) {
            let column = |number: usize| {
                // Columns past the last one repeat it, and are not written.
                let column = (first + number).min(columns - 1);
                &from[column * stride..][..count]
            };
            let taken: [&[f32]; TURNED] = std::array::from_fn(column);
            let wanted = TURNED.min(columns - first);
            let lines = lines.chunks_exact_mut(self.width).take(count);
            for (k, line) in lines.enumerate() {
                let numbers: [f32; TURNED] = std::array::from_fn(|number| taken[number][k]);
                let line = &mut line[first..first + wanted];
                match <&mut [f32; TURNED]>::try_from(&mut *line) {
                    Ok(line) => *line = numbers,
                    Err(_) => line.copy_from_slice(&numbers[..wanted]),
                }
            }
        }
    }
}

/// Packs a part of the right side into panels, the last one filled up with zeros; returns them.
#[inline(always)]
pub(super) fn pack<'p>(
    right: &impl Columns,
    depth: &Range<usize>,
    columns: &Range<usize>,
    panel_width: usize,
    packed: &'p mut Vec<f32>,
) -> &'p [f32] {
    let panels = columns.len().div_ceil(panel_width);
    let count = panels * depth.len() * panel_width;
    packed.resize(packed.len().max(count), 0.0);
    let packed = &mut packed[..count];
    let panels = packed.chunks_exact_mut((depth.len() * panel_width).max(1));
    for (panel, first) in panels.zip(columns.clone().step_by(panel_width)) {
        let width = (columns.end - first).min(panel_width);
        if width < panel_width {
            panel.fill(0.0);
        }
        let panel = Panel { numbers: panel, width: panel_width };
        right.fill(depth.clone(), first..first + width, panel);
    }
    packed
}

/// A matrix in C order, or some of its columns.
pub(super) struct PlainColumns<'a> {
    pub data: &'a [f32],
    /// Columns of the matrix.
    pub stride: usize,
    /// The first one of the product.
    pub first: usize,
}

impl Columns for PlainColumns<'_> {
    #[inline(always)]
    fn fill(&self, depth: Range<usize>, columns: Range<usize>, panel: Panel<'_>) {
        let width = columns.len();
        for (k, line) in depth.zip(panel.numbers.chunks_exact_mut(panel.width)) {
            let from = k * self.stride + self.first + columns.start;
            copy(&self.data[from..from + width], &mut line[..width]);
        }
    }
}

/// Copies a line of a panel, without a call where it is one of whole vectors.
#[inline(always)]
fn copy(from: &[f32], into: &mut [f32]) {
    const VECTOR: usize = 16;
    if !into.len().is_multiple_of(VECTOR) {
        return into.copy_from_slice(from);
    }
    let (from, _) = from.as_chunks::<VECTOR>();
    let (into, _) = into.as_chunks_mut::<VECTOR>();
    into.iter_mut().zip(from).for_each(|(into, from)| *into = *from);
}

/// A matrix of any strides, or some of its columns.
pub(super) struct StridedColumns<'a> {
    pub data: &'a [f32],
    /// Elements between rows, and between columns.
    pub strides: [usize; 2],
    /// The first column of the product.
    pub first: usize,
}

impl Columns for StridedColumns<'_> {
    #[inline(always)]
    fn fill(&self, depth: Range<usize>, columns: Range<usize>, mut panel: Panel<'_>) {
        let [down, along] = self.strides;
        let from = (self.first + columns.start) * along + depth.start * down;
        let from = self.data.get(from..).unwrap_or_default();
        if down == 1 {
            return panel.turn(0, from, along, [depth.len(), columns.len()]);
        }
        for (k, line) in (0..depth.len()).zip(panel.numbers.chunks_exact_mut(panel.width)) {
            for (column, value) in line.iter_mut().take(columns.len()).enumerate() {
                *value = from[k * down + column * along];
            }
        }
    }
}
