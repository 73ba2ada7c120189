//! Rows of an array made into numbers, as `shaders/shared/rows.wgsl` does.
//!
//! Rows that lie side by side, as channels behind pixels do, are computed together, line by line;
//! any other row goes in blocks that lie behind one another, or are brought together first.

use super::simd::vectorized;
use super::threads::for_each_run;
use crate::kernels::rows::{Kind, Rows};
use crate::ops::elementwise::exponential;

/// Rows that are computed together, at most.
pub(super) const LANES: usize = 64;
/// Rows side by side from which it pays to compute them together.
const FEW: usize = 8;
/// Terms of a row's block, and lines of several rows' block: sums of blocks are added up, which
/// rounds less than one long sum.
const BLOCK: usize = 1024;
const LINES: usize = 64;
/// Terms that need not be brought together, if so many lie behind one another.
const LONG: usize = 256;
/// Partial results of a block.
const PARTS: usize = 16;

/// Neighboring rows of an input.
pub(super) struct Group<'a> {
    input: &'a [f32],
    rows: &'a Rows,
    /// The first row's first element.
    start: usize,
}

/// Goes over all rows in groups. A row makes `each` numbers of the result, at a cost for a term.
pub(super) fn for_each_group(
    rows: &Rows,
    input: &[f32],
    result: &mut [f32],
    (each, cost): (usize, usize),
    body: impl Fn(&Group<'_>, &mut [f32]) + Sync,
) {
    let side_by_side = rows.kept[1] as usize;
    let together = rows.kept_strides[2] == 1 && side_by_side >= FEW;
    let cost = (rows.terms as usize).saturating_mul(cost).saturating_add(1);
    for_each_run(result, each, cost, |first, mut run| {
        let mut row = first;
        while !run.is_empty() {
            let ahead = if together { side_by_side - row % side_by_side } else { 1 };
            let count = ahead.min(LANES).min(run.len() / each);
            let (own, rest) = run.split_at_mut(count * each);
            body(&Group { input, rows, start: start(rows, row) }, own);
            run = rest;
            row += count;
        }
    });
}

/// The first element of a row.
fn start(rows: &Rows, row: usize) -> usize {
    let [kept1, kept2] = rows.kept.map(|length| length as usize);
    let places = [row / kept2 / kept1, row / kept2 % kept1, row % kept2];
    places.into_iter().zip(rows.kept_strides).map(|(place, stride)| place * stride as usize).sum()
}

/// How far term `t` of a row is from its first.
fn distance(rows: &Rows, t: usize) -> usize {
    let [run1, run2] = rows.runs.map(|length| length as usize);
    let places = [t / run2 / run1, t / run2 % run1, t % run2];
    places.into_iter().zip(rows.run_strides).map(|(place, stride)| place * stride as usize).sum()
}

impl Group<'_> {
    /// Gives the first element of each row, or NaN of rows that have none.
    pub(super) fn first(&self, found: &mut [f32]) {
        match self.rows.terms {
            0 => found.fill(f32::NAN),
            _ => found.copy_from_slice(&self.input[self.start..][..found.len()]),
        }
    }

    /// Merges the terms of each row; `m` has one number for each of them, as `found` has.
    pub(super) fn merge(&self, kind: Kind, identity: f32, m: &[f32], found: &mut [f32]) {
        let add = |a: f32, b: f32| a + b;
        match kind {
            Kind::Sum => self.fold(identity, m, found, |x, m, _| x - m, add),
            Kind::SumAbsolute => self.fold(identity, m, found, |x, _, _| x.abs(), add),
            Kind::SumSquares => self.fold(identity, m, found, |x, m, _| (x - m) * (x - m), add),
            Kind::SumExponentials => {
                self.fold(identity, m, found, |x, m, _| exponential(x - m), add);
            }
            Kind::Maximum => {
                self.fold(
                    identity,
                    m,
                    found,
                    |x, _, _| x,
                    |a, b| if wins(b > a, b) { b } else { a },
                );
            }
            Kind::Minimum => {
                self.fold(
                    identity,
                    m,
                    found,
                    |x, _, _| x,
                    |a, b| if wins(b < a, b) { b } else { a },
                );
            }
            Kind::Product => self.fold(identity, m, found, |x, _, _| x, |a, b| a * b),
            Kind::First => {
                self.fold(
                    identity,
                    m,
                    found,
                    |x, m, t| if is(x, m) { t } else { f32::MAX },
                    f32::min,
                );
            }
            Kind::Last => {
                self.fold(identity, m, found, |x, m, t| if is(x, m) { t } else { -1.0 }, f32::max);
            }
        }
    }

    #[inline(always)]
    fn fold(
        &self,
        identity: f32,
        m: &[f32],
        found: &mut [f32],
        term: impl Fn(f32, f32, f32) -> f32 + Copy,
        merge: impl Fn(f32, f32) -> f32 + Copy,
    ) {
        match (m, found) {
            ([m], [found]) => *found = self.row(identity, *m, term, merge),
            (m, found) => self.lines(identity, m, found, term, merge),
        }
    }

    /// One row, block by block.
    #[inline(always)]
    fn row(
        &self,
        identity: f32,
        m: f32,
        term: impl Fn(f32, f32, f32) -> f32 + Copy,
        merge: impl Fn(f32, f32) -> f32 + Copy,
    ) -> f32 {
        let (mut whole, mut done) = (identity, 0);
        let mut gathered = [0.0; BLOCK];
        while done < self.rows.terms as usize {
            let block = self.block(done, &mut gathered);
            let part = vectorized(
                #[inline(always)]
                || fold_block(block, done, identity, |x, t| term(x, m, t), merge),
            );
            whole = merge(whole, part);
            done += block.len();
        }
        whole
    }

    /// The terms from `done` on: as many as lie behind one another, or a block of them.
    fn block<'a>(&'a self, done: usize, gathered: &'a mut [f32; BLOCK]) -> &'a [f32] {
        let (run, stride) = (self.rows.runs[1] as usize, self.rows.run_strides[2] as usize);
        let count = (self.rows.terms as usize - done).min(BLOCK);
        let together = (run - done % run).min(count);
        if stride == 1 && (together == count || together >= LONG) {
            return &self.input[self.start + distance(self.rows, done)..][..together];
        }
        let mut filled = 0;
        while filled < count {
            let t = done + filled;
            let together = (run - t % run).min(count - filled);
            let from = &self.input[self.start + distance(self.rows, t)..];
            let places = gathered[filled..filled + together].iter_mut();
            places.zip(from.iter().step_by(stride.max(1))).for_each(|(to, x)| *to = *x);
            filled += together;
        }
        &gathered[..count]
    }

    /// Several rows, term by term of all of them.
    #[inline(always)]
    fn lines(
        &self,
        identity: f32,
        m: &[f32],
        found: &mut [f32],
        term: impl Fn(f32, f32, f32) -> f32,
        merge: impl Fn(f32, f32) -> f32,
    ) {
        let terms = self.rows.terms as usize;
        found.fill(identity);
        vectorized(
            #[inline(always)]
            || {
                for first in (0..terms).step_by(LINES) {
                    let mut block = [identity; LANES];
                    for t in first..terms.min(first + LINES) {
                        let line = &self.input[self.start + distance(self.rows, t)..];
                        for ((part, x), m) in block.iter_mut().zip(line).zip(m) {
                            *part = merge(*part, term(*x, *m, place(t)));
                        }
                    }
                    found
                        .iter_mut()
                        .zip(block)
                        .for_each(|(whole, part)| *whole = merge(*whole, part));
                }
            },
        );
    }
}

/// Merges a block in parts that a vector holds, and then the parts.
#[inline(always)]
fn fold_block(
    block: &[f32],
    first: usize,
    identity: f32,
    term: impl Fn(f32, f32) -> f32,
    merge: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut parts = [identity; PARTS];
    let (chunks, rest) = block.as_chunks::<PARTS>();
    let mut t = first;
    for chunk in chunks {
        for (lane, (part, x)) in parts.iter_mut().zip(chunk).enumerate() {
            *part = merge(*part, term(*x, place(t + lane)));
        }
        t += PARTS;
    }
    for (lane, (part, x)) in parts.iter_mut().zip(rest).enumerate() {
        *part = merge(*part, term(*x, place(t + lane)));
    }
    for half in [8, 4, 2, 1] {
        let (low, high) = parts.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low = merge(*low, *high));
    }
    parts[0]
}

/// A term's number: rows whose positions are asked for are not longer than f32 counts.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "launch refuses longer rows where it is used")]
fn place(t: usize) -> f32 {
    t as f32
}

/// Whether the second of two takes the first one's place: NaN does, and nothing takes NaN's.
#[inline(always)]
fn wins(is_better: bool, other: f32) -> bool {
    is_better | other.is_nan()
}

/// Whether an element is the extreme one, NaN being equal to NaN.
#[inline(always)]
#[expect(clippy::float_cmp, reason = "the extreme is one of the elements")]
fn is(x: f32, m: f32) -> bool {
    (x == m) | (x.is_nan() & m.is_nan())
}
