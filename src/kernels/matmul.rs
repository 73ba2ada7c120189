//! Matrix products of two values, with NumPy's batch broadcasting.

use super::trips::in_fours;
use super::{Launch, Shader, count, narrow, numbered, shader};
use crate::error::{Error, Result};
pub use crate::ops::product::matmul::{BatchAxis, Geometry};

/// Axes of the batch that the shader walks over.
const AXES: usize = 4;

/// The family's WGSL.
pub static SHADER: Shader = shader!("matmul");

impl Geometry {
    /// Merges axes of the batch that both operands walk as one, also into the rows, and drops
    /// axes of one item: fewer divisions in the kernels, and fuller tiles.
    #[must_use]
    pub(crate) fn merged(&self) -> Geometry {
        let mut g = self.clone();
        let mut batch: Vec<BatchAxis> = Vec::with_capacity(g.batch.len());
        for axis in self.batch.iter().rev().filter(|axis| axis.length != 1) {
            // The rows are an axis that the right operand does not move along.
            let rows = BatchAxis { length: g.rows, left: g.left[0], right: 0 };
            if batch.is_empty() && g.addend.is_none() && walks_on(&rows, axis) {
                g.rows = g.rows.saturating_mul(axis.length);
                continue;
            }
            match batch.last_mut() {
                Some(inner) if walks_on(inner, axis) => {
                    inner.length = inner.length.saturating_mul(axis.length);
                }
                _ => batch.push(*axis),
            }
        }
        batch.reverse();
        g.batch = batch;
        g
    }
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for softmax, and for a batch that alternates between more than 4
/// runs of axes that broadcast and axes that do not (so never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let g = &geometry.merged();
    let lengths: Vec<usize> = g.batch.iter().map(|axis| axis.length).collect();
    let [rows, inner, columns] = narrow(node, "an operand", [g.rows, g.inner, g.columns])?;
    let elements = count(node, "the output", &[&lengths[..], &[g.rows, g.columns]].concat())?;
    let items = count(node, "the batch", &lengths)?;
    check_reach(node, g)?;
    let missing = AXES.checked_sub(g.batch.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("a batch of {} runs of axes", g.batch.len()),
        remedy: format!("reshape the operands, {AXES} are handled"),
    })?;
    let padded = |fill: usize, pick: fn(&BatchAxis) -> usize| {
        let mut values = [fill; AXES];
        for (value, axis) in values.iter_mut().skip(missing).zip(&g.batch) {
            *value = pick(axis);
        }
        values
    };
    let batch = narrow(node, "the batch", padded(1, |axis| axis.length))?;
    let left = narrow(node, "the left operand", padded(0, |axis| axis.left))?;
    let right = narrow(node, "the right operand", padded(0, |axis| axis.right))?;
    let [left_row, left_inner] = narrow(node, "the left operand", g.left)?;
    let [right_inner, right_column] = narrow(node, "the right operand", g.right)?;
    let [addend_row, addend_column] = narrow(node, "the addend", g.addend.unwrap_or_default())?;
    let (entry, threads) = variant(g, elements, items, [rows, columns]);
    SHADER
        .launch(node, entry, threads)
        .set("rows", rows)
        .set("inner", inner)
        .set("columns", columns)
        .set_each("batch", 1, &batch[1..])
        .set_each("left_batch", 0, &left)
        .set_each("right_batch", 0, &right)
        .set("left_row", left_row)
        .set("left_inner", left_inner)
        .set("right_inner", right_inner)
        .set("right_column", right_column)
        .set("addend_row", addend_row)
        .set("addend_column", addend_column)
        .set("has_addend", u32::from(g.addend.is_some()))
        .set("alpha", g.alpha)
        .set("beta", g.beta)
        .epilogue(&g.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops, at most.
pub(super) fn trip_count(g: &Geometry, entry: &str) -> u64 {
    in_fours(g.inner, entry, "inner4")
}

/// Chooses the entry point, and counts its threads.
fn variant(
    g: &Geometry,
    elements: u32,
    items: u32,
    [rows, columns]: [u32; 2],
) -> (&'static str, u32) {
    let four = |values: &[usize]| values.iter().all(|value| value.is_multiple_of(4));
    let steps = |pick: fn(&BatchAxis) -> usize| g.batch.iter().map(pick).collect::<Vec<usize>>();
    let (left, right) = (steps(|axis| axis.left), steps(|axis| axis.right));
    // Vectors cannot be read from operands without elements.
    if elements == 0 || g.inner == 0 || !four(&[g.columns]) {
        return ("general", elements);
    }
    let tiles = items * rows.div_ceil(4) * (columns / 4);
    let one_row = g.rows == 1 || four(&[g.left[0]]);
    if g.right[1] == 1 && four(&[g.right[0]]) && four(&right) {
        ("columns4", tiles)
    } else if g.left[1] == 1
        && g.right[0] == 1
        && four(&[g.inner, g.right[1]])
        && one_row
        && four(&left)
        && four(&right)
    {
        ("inner4", tiles)
    } else {
        ("general", elements)
    }
}

/// Tells whether a step along `outer` is what `inner.length` steps along `inner` are.
fn walks_on(inner: &BatchAxis, outer: &BatchAxis) -> bool {
    inner.left.saturating_mul(inner.length) == outer.left
        && inner.right.saturating_mul(inner.length) == outer.right
}

/// Checks that the last element of each operand has a number of 32 bits.
fn check_reach(node: &str, g: &Geometry) -> Result<()> {
    let reach = |tensor: &str, axes: &[(usize, usize)]| {
        let axes = axes.iter().filter(|(length, _)| *length > 0);
        let last = axes.fold(0u64, |last, axis| {
            last.saturating_add((axis.0 as u64 - 1).saturating_mul(axis.1 as u64))
        });
        numbered(node, tensor, last, "elements").map(|_| ())
    };
    let with = |pick: fn(&BatchAxis) -> usize, matrix: [(usize, usize); 2]| {
        let batch = g.batch.iter().map(|axis| (axis.length, pick(axis)));
        batch.chain(matrix).collect::<Vec<(usize, usize)>>()
    };
    let left = [(g.rows, g.left[0]), (g.inner, g.left[1])];
    let right = [(g.inner, g.right[0]), (g.columns, g.right[1])];
    reach("the left operand", &with(|axis| axis.left, left))?;
    reach("the right operand", &with(|axis| axis.right, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(left: &[usize], right: &[usize], transposed: [bool; 2]) -> Geometry {
        Geometry::product(left, right, transposed).unwrap()
    }

    fn entry(geometry: &Geometry) -> &'static str {
        launch("matmul \"m\"", geometry, 65_535).unwrap().kernel.entry
    }

    #[test]
    fn the_entry_follows_lengths_and_strides() {
        let plain = [false, false];
        let right = [false, true];
        assert_eq!(entry(&product(&[5, 3], &[3, 8], plain)), "columns4");
        assert_eq!(entry(&product(&[3, 5], &[3, 8], [true, false])), "columns4");
        assert_eq!(entry(&product(&[5, 3], &[3, 6], plain)), "general");
        assert_eq!(entry(&product(&[5, 4], &[8, 4], right)), "inner4");
        assert_eq!(entry(&product(&[5, 3], &[8, 3], right)), "general");
        assert_eq!(entry(&product(&[4, 5], &[8, 4], [true, true])), "general");
        assert_eq!(entry(&product(&[2, 5, 4], &[2, 8, 4], right)), "inner4");
        assert_eq!(entry(&product(&[0, 3], &[3, 8], plain)), "general");
        assert_eq!(entry(&product(&[5, 0], &[0, 8], plain)), "general");
        let mut strided = product(&[5, 3], &[3, 8], plain);
        strided.right[0] = 10;
        assert_eq!(entry(&strided), "general");
        strided.right[0] = 12;
        assert_eq!(entry(&strided), "columns4");
        let mut strided = product(&[2, 5, 4], &[2, 8, 4], right);
        strided.left[0] = 6;
        assert_eq!(entry(&strided), "general");
        strided.rows = 1;
        assert_eq!(entry(&strided), "inner4");
        strided.batch[0].left = 22;
        assert_eq!(entry(&strided), "general");
    }

    #[test]
    fn a_batch_of_one_right_matrix_is_more_rows() {
        let one = product(&[2, 3, 5, 4], &[4, 8], [false; 2]).merged();
        assert_eq!((one.rows, one.batch.len()), (30, 0));
        let turned = product(&[2, 3, 4, 5], &[4, 8], [true, false]).merged();
        assert_eq!((turned.rows, turned.batch.len()), (5, 1));
        let both = product(&[2, 3, 5, 4], &[2, 3, 4, 8], [false; 2]).merged();
        assert_eq!(both.batch, [BatchAxis { length: 6, left: 20, right: 32 }]);
        let crossed = product(&[2, 1, 5, 4], &[3, 4, 8], [false; 2]).merged();
        assert_eq!(crossed.batch.len(), 2);
        let mut summed = product(&[2, 3, 5, 4], &[4, 8], [false; 2]);
        summed.addend = Some([8, 1]);
        assert_eq!(summed.merged().rows, 5);
    }

    #[test]
    fn what_cannot_be_numbered_is_refused() {
        let reach = product(&[(1 << 16) + 1, 1 << 16], &[1 << 16, 0], [false; 2]);
        assert!(matches!(launch("m", &reach, 65_535), Err(Error::Limit { .. })));
        let mut deep = product(&[1, 1], &[1, 1], [false; 2]);
        let axis = |left, right| BatchAxis { length: 2, left, right };
        deep.batch = vec![axis(9, 0), axis(0, 9), axis(9, 0), axis(0, 9), axis(9, 0)];
        assert!(matches!(launch("m", &deep, 65_535), Err(Error::Unsupported { .. })));
        assert_eq!(Geometry::product(&[], &[3], [false; 2]), None);
        assert_eq!(Geometry::product(&[3], &[4, 5], [false; 2]), None);
    }
}
