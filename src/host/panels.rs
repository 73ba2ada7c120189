//! Packing: the right side of a product as panels as wide as a tile, that stay in the cache.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::error::{Error, Result};

use super::product::are_finite;
use super::simd::{dispatch, is_narrow};
use super::tile::{VECTORS, panel_width};

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

/// The right side of a product, as panels.
pub(super) trait Right {
    /// Tells whether products with so many of its columns take vectors of half the width.
    fn is_narrow(&self, columns: usize) -> bool;

    /// Returns the panels of some columns, as wide as `panel_width`, of some of their numbers.
    fn panels<'p>(
        &'p self,
        depth: &Range<usize>,
        columns: &Range<usize>,
        panel_width: usize,
        room: &'p mut Vec<f32>,
    ) -> Panels<'p>;
}

/// Panels, the last one filled up with zeros.
pub(super) struct Panels<'p> {
    pub numbers: &'p [f32],
    /// Numbers from the beginning of a panel to that of the next.
    pub stride: usize,
    pub is_finite: bool,
}

impl<'p> Panels<'p> {
    /// Returns some of a panel's numbers.
    #[inline(always)]
    pub(super) fn get(&self, panel: usize, count: usize) -> &'p [f32] {
        self.numbers.get(panel * self.stride..).and_then(|from| from.get(..count)).unwrap_or(&[])
    }
}

/// A right side that is packed anew each time.
impl<C: Columns> Right for C {
    fn is_narrow(&self, columns: usize) -> bool {
        is_narrow(columns, VECTORS)
    }

    #[inline(always)]
    fn panels<'p>(
        &'p self,
        depth: &Range<usize>,
        columns: &Range<usize>,
        panel_width: usize,
        room: &'p mut Vec<f32>,
    ) -> Panels<'p> {
        let stride = depth.len() * panel_width;
        let count = columns.len().div_ceil(panel_width) * stride;
        room.resize(room.len().max(count), 0.0);
        pack(self, depth, columns, panel_width, &mut room[..count]);
        let numbers = &room[..count];
        Panels { numbers, stride, is_finite: are_finite(numbers) }
    }
}

/// Packs a part of the right side into panels, the last one filled up with zeros.
#[inline(always)]
fn pack(
    right: &impl Columns,
    depth: &Range<usize>,
    columns: &Range<usize>,
    panel_width: usize,
    packed: &mut [f32],
) {
    let panels = packed.chunks_exact_mut((depth.len() * panel_width).max(1));
    for (panel, first) in panels.zip(columns.clone().step_by(panel_width)) {
        let width = (columns.end - first).min(panel_width);
        if width < panel_width {
            panel.fill(0.0);
        }
        let panel = Panel { numbers: panel, width: panel_width };
        right.fill(depth.clone(), first..first + width, panel);
    }
}

/// A right side that is packed once, for all products with it.
#[derive(Debug)]
pub(crate) struct Packed {
    /// All numbers of the first panel's columns, then of the next one's.
    numbers: Vec<f32>,
    /// Numbers of a column.
    inner: usize,
    is_narrow: bool,
    is_finite: bool,
}

impl Packed {
    /// Packs columns, which have `inner` numbers each.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(super) fn new(
        node: &str,
        right: &impl Columns,
        inner: usize,
        columns: Range<usize>,
    ) -> Result<Self> {
        let is_narrow = is_narrow(columns.len(), VECTORS);
        let none = |count: usize| Error::OutOfMemory {
            doing: format!("packing the weights of {node}"),
            bytes: (count as u64).saturating_mul(4),
            remedy: "drop tensors and sessions that are done with".to_owned(),
        };
        let numbers = dispatch(is_narrow, All { right, inner, columns }).map_err(none)?;
        let is_finite = are_finite(&numbers);
        Ok(Packed { numbers, inner, is_narrow, is_finite })
    }

    pub(super) fn is_finite(&self) -> bool {
        self.is_finite
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.numbers)
    }
}

/// Packs all of a right side, or says how many numbers there was no memory for.
struct All<'c, C> {
    right: &'c C,
    inner: usize,
    columns: Range<usize>,
}

impl<C: Columns> WithSimd for All<'_, C> {
    type Output = std::result::Result<Vec<f32>, usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let All { right, inner, columns } = self;
        let width = panel_width::<S>();
        let count = columns.len().next_multiple_of(width).saturating_mul(inner);
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(count).map_err(|_| count)?;
        numbers.resize(count, 0.0);
        pack(right, &(0..inner), &columns, width, &mut numbers);
        Ok(numbers)
    }
}

impl Right for Packed {
    fn is_narrow(&self, _: usize) -> bool {
        self.is_narrow
    }

    #[inline(always)]
    fn panels<'p>(
        &'p self,
        depth: &Range<usize>,
        columns: &Range<usize>,
        panel_width: usize,
        _: &'p mut Vec<f32>,
    ) -> Panels<'p> {
        // Parts of a product begin with whole panels.
        let first = columns.start * self.inner + depth.start * panel_width;
        let numbers = self.numbers.get(first..).unwrap_or(&[]);
        Panels { numbers, stride: self.inner * panel_width, is_finite: self.is_finite }
    }
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
