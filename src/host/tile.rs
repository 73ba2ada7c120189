//! The innermost loops of a product: a few rows times a panel of columns, in registers.

use pulp::Simd;

/// Rows of a tile, and vectors of columns: 12 sums, 2 vectors of the panel and 1 of the left
/// side fit the 16 registers of AVX2.
pub(super) const ROWS: usize = 6;
pub(super) const VECTORS: usize = 2;

/// A run that lies outside of the data and counts as zeros.
pub(super) const OUTSIDE: usize = usize::MAX;

/// The left side of a product: each row is made of runs of consecutive numbers.
pub(super) struct Left<'a> {
    pub data: &'a [f32],
    /// Where each row's runs begin: rows times `runs` numbers, or [`OUTSIDE`].
    pub offsets: &'a [usize],
    pub runs: usize,
    /// Numbers of a run.
    pub length: usize,
    /// As many zeros.
    pub zeros: &'a [f32],
    /// Whether runs outside are left out: they count as zeros, and zero times infinity is NaN,
    /// but a tap outside of an image meets nothing.
    pub skips_outside: bool,
}

/// Columns of a panel.
#[inline(always)]
pub(super) const fn panel_width<S: Simd>() -> usize {
    VECTORS * S::F32_LANES
}

/// Multiplies rows `rows` of the left side, numbers `inner` of each, with one panel, and adds the
/// products to `lines` or, where `is_first`, writes them there.
///
/// The panel holds `panel_width` columns for each of the numbers; `columns` of them are wanted.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    left: &Left<'_>,
    inner: std::ops::Range<usize>,
    panel: &[f32],
    lines: &mut [&mut [f32]],
    columns: std::ops::Range<usize>,
    is_first: bool,
) {
    let mut row = 0;
    // What is left out of one row is not of another.
    let together = if left.skips_outside { 1 } else { ROWS };
    for group in lines.chunks_mut(together) {
        // Rows past the last one repeat it, unstored.
        let last = row + group.len() - 1;
        let sums = if group.len() == 1 {
            Sums::One(sum_up::<S, 1>(simd, left, [row], &inner, panel))
        } else {
            let rows = std::array::from_fn(|number| (row + number).min(last));
            Sums::Several(sum_up::<S, ROWS>(simd, left, rows, &inner, panel))
        };
        let sums: &[[S::f32s; VECTORS]] = match &sums {
            Sums::One(sums) => sums,
            Sums::Several(sums) => sums,
        };
        for (line, sums) in group.iter_mut().zip(sums) {
            let found: &[f32] = bytemuck::cast_slice(sums);
            let line = &mut line[columns.clone()];
            if is_first {
                line.copy_from_slice(&found[..line.len()]);
            } else {
                line.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
            }
        }
        row += group.len();
    }
}

/// The sums of a tile.
enum Sums<V> {
    One([[V; VECTORS]; 1]),
    Several([[V; VECTORS]; ROWS]),
}

/// Sums the products of some rows with a panel.
#[inline(always)]
fn sum_up<S: Simd, const R: usize>(
    simd: S,
    left: &Left<'_>,
    rows: [usize; R],
    inner: &std::ops::Range<usize>,
    panel: &[f32],
) -> [[S::f32s; VECTORS]; R] {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; R];
    let (panel, _) = S::as_simd_f32s(panel);
    let mut panel = panel.chunks_exact(VECTORS);
    let mut at = inner.start;
    while at < inner.end {
        let (run, first) = (at / left.length, at % left.length);
        let count = (left.length - first).min(inner.end - at);
        if R == 1 && left.skips_outside && left.offsets[rows[0] * left.runs + run] == OUTSIDE {
            panel.by_ref().take(count).for_each(drop);
            at += count;
            continue;
        }
        let runs: [&[f32]; R] = rows.map(|row| {
            let offset = left.offsets[row * left.runs + run];
            if offset == OUTSIDE {
                &left.zeros[..count]
            } else {
                &left.data[offset + first..][..count]
            }
        });
        // Cut once more, where the compiler sees that all have one length.
        let runs = runs.map(|run| &run[..count]);
        for number in 0..count {
            let Some(line) = panel.next() else { return sums };
            for (sums, run) in sums.iter_mut().zip(&runs) {
                let value = simd.splat_f32s(run[number]);
                for (sum, &column) in sums.iter_mut().zip(line) {
                    *sum = simd.mul_add_e_f32s(value, column, *sum);
                }
            }
        }
        at += count;
    }
    sums
}
