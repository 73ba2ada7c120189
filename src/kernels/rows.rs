//! Rows of an array of which some axes are kept and some are reduced, as kernels walk over them.

use super::shader::Draft;
use super::{WORKGROUP_SIZE, count, narrow};
use crate::error::{Error, Result};

/// Runs of each kind that the shaders walk over.
const RUNS: usize = 3;

/// Terms of a row from which a workgroup may share it: 4 for each thread.
const SHARED_TERMS: u32 = 256;
/// The longest row. f32 tells all its positions apart, and no thread's loops over it pass the
/// 65535 turns after which llvmpipe ends them.
const MOST_TERMS: u32 = 1 << 24;
/// Results from which one thread for each keeps a device busy, where neighbors read neighbors;
/// and terms that it does not go over alone.
const MANY_RESULTS: u32 = 1 << 14;
const MANY_TERMS: u32 = 1 << 13;

/// Neighboring axes of one kind as one: their length, and the distance of its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    length: usize,
    stride: usize,
}

/// How elements of a row become terms and are merged: the numbers of `shaders/shared/rows.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sum = 0,
    SumAbsolute = 1,
    SumSquares = 2,
    SumExponentials = 3,
    Maximum = 4,
    Minimum = 5,
    Product = 6,
    First = 7,
    Last = 8,
}

/// The rows of a reduction, in the numbers that `shaders/shared/rows.wgsl` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    /// How many rows there are.
    pub results: u32,
    /// How many elements each has.
    pub terms: u32,
    /// Lengths of the last two kept runs.
    pub kept: [u32; 2],
    pub kept_strides: [u32; RUNS],
    /// Lengths of the last two reduced runs.
    pub runs: [u32; 2],
    pub run_strides: [u32; RUNS],
    /// Whether the rows are long, and too few for one thread each.
    pub is_shared: bool,
}

impl Rows {
    /// Counts the threads: one for each row, or a workgroup.
    pub(crate) fn threads(&self) -> u32 {
        // No more rows are shared than have numbers for their threads.
        if self.is_shared { self.results.saturating_mul(WORKGROUP_SIZE) } else { self.results }
    }
}

impl Draft<'_> {
    /// Gives the parameters that `shaders/shared/rows.wgsl` takes.
    pub(super) fn rows(self, rows: &Rows) -> Self {
        self.set("terms", rows.terms)
            .set_each("kept", 1, &rows.kept)
            .set_each("kept_stride", 0, &rows.kept_strides)
            .set_each("run", 1, &rows.runs)
            .set_each("run_stride", 0, &rows.run_strides)
    }
}

/// Finds the rows of an array in C order; `reduced` tells which axes they span.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel can number, [`Error::Unsupported`] for
/// axes that alternate between more than 3 kept and 3 reduced runs (so never at rank 6 or below).
pub(crate) fn rows(node: &str, input: &[usize], reduced: &[bool]) -> Result<Rows> {
    let lengths = |kind: bool| -> Vec<usize> {
        let both = input.iter().zip(reduced).filter(|&(_, &found)| found == kind);
        both.map(|(&length, _)| length).collect()
    };
    count(node, "the input", input)?;
    let results = count(node, "the output", &lengths(false))?;
    let terms = count(node, "a row", &lengths(true))?;
    if terms > MOST_TERMS && results > 0 {
        return Err(Error::Limit {
            node: node.to_owned(),
            tensor: "a row".to_owned(),
            needed: terms.into(),
            unit: "elements",
            limit_name: "the longest row that every device gets through".to_owned(),
            limit: Some(MOST_TERMS.into()),
            remedy: "reshape it to several rows, and reduce those again".to_owned(),
        });
    }
    let kept = coalesce(node, input, reduced, false)?;
    let runs = coalesce(node, input, reduced, true)?;
    let [_, kept1, kept2] = narrow(node, "the output", kept.map(|run| run.length))?;
    let [_, run1, run2] = narrow(node, "the input", runs.map(|run| run.length))?;
    let kept_strides = narrow(node, "the input", kept.map(|run| run.stride))?;
    let run_strides = narrow(node, "the input", runs.map(|run| run.stride))?;
    let reads_neighbors = kept_strides[RUNS - 1] == 1;
    let is_alone = reads_neighbors && terms < MANY_TERMS;
    let most = if is_alone { MANY_RESULTS } else { u32::MAX / WORKGROUP_SIZE };
    let is_shared = terms >= SHARED_TERMS && (1..most).contains(&results);
    Ok(Rows {
        results,
        terms,
        kept: [kept1, kept2],
        kept_strides,
        runs: [run1, run2],
        run_strides,
        is_shared,
    })
}

/// Joins neighboring axes of one kind; missing runs come first, with length 1.
fn coalesce(node: &str, input: &[usize], reduced: &[bool], kind: bool) -> Result<[Run; RUNS]> {
    let mut found: Vec<Run> = Vec::new();
    let mut stride = 1usize;
    let mut is_open = false;
    for (&length, &axis_kind) in input.iter().zip(reduced).rev().filter(|(length, _)| **length != 1)
    {
        if axis_kind == kind {
            match found.last_mut() {
                // An array without elements has no rows to walk over: a wrong product harms nothing.
                Some(run) if is_open => run.length = run.length.saturating_mul(length),
                _ => found.push(Run { length, stride }),
            }
        }
        is_open = axis_kind == kind;
        stride = stride.saturating_mul(length);
    }
    if input.contains(&0) {
        return Ok([Run { length: 1, stride: 0 }; RUNS]);
    }
    let mut runs = [Run { length: 1, stride: 0 }; RUNS];
    if found.len() > RUNS {
        return Err(Error::Unsupported {
            node: node.to_owned(),
            what: format!("a reduction over {} separate runs of axes", found.len()),
            remedy: format!(
                "reshape or transpose the operand, {RUNS} kept and {RUNS} reduced are handled"
            ),
        });
    }
    for (run, &known) in runs.iter_mut().rev().zip(&found) {
        *run = known;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighboring_axes_of_one_kind_are_one_run() {
        let found = rows("n", &[2, 3, 1, 5, 7], &[false, true, false, true, false]).unwrap();
        assert_eq!((found.results, found.terms, found.threads()), (14, 15, 14));
        assert_eq!((found.kept, found.kept_strides), ([2, 7], [0, 105, 1]));
        assert_eq!((found.runs, found.run_strides), ([1, 15], [0, 0, 7]));
        let alternating = [true, false, true, false, true, false];
        let found = rows("n", &[2, 3, 4, 5, 6, 7], &alternating).unwrap();
        assert_eq!((found.kept, found.kept_strides), ([5, 7], [840, 42, 1]));
        assert_eq!((found.runs, found.run_strides), ([4, 6], [2520, 210, 7]));
    }

    #[test]
    fn long_rows_are_shared_unless_many_neighbors_read_each_other() {
        let shared =
            |input: &[usize], reduced: &[bool]| rows("n", input, reduced).unwrap().is_shared;
        assert!(!shared(&[3, 255], &[false, true]));
        assert!(shared(&[3, 256], &[false, true]));
        assert!(shared(&[20_000, 256], &[false, true]));
        assert!(shared(&[256, 16_383], &[true, false]));
        assert!(!shared(&[256, 16_384], &[true, false]));
        assert!(shared(&[300, 2, 300], &[true, false, true]));
        assert!(shared(&[1, 300, 1], &[false, true, true]));
    }

    #[test]
    fn too_many_runs_and_terms_are_refused() {
        let alternating: Vec<bool> = (0..7).map(|axis| axis % 2 == 0).collect();
        let refused = rows("n", &[2; 7], &alternating).unwrap_err().to_string();
        assert!(refused.contains("4 separate runs"), "{refused}");
        assert!(rows("n", &[1, 2, 2, 2, 2, 2, 2], &alternating).is_ok());
        assert!(matches!(rows("n", &[usize::MAX, 2], &[true, true]), Err(Error::Limit { .. })));
        assert!(matches!(rows("n", &[(1 << 32) - 1], &[true]), Err(Error::Limit { .. })));
    }
}
