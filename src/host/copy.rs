//! Copies between places that an affine rule gives.

use super::Step;
use super::threads::parts;
use crate::error::Result;
use crate::kernels::axes::{Axis, coalesce};
use crate::kernels::copy::Geometry;

/// Sides of the blocks that a transposition is done in: what they touch stays in the cache.
const BLOCK: usize = 32;

/// Moves each element to its place.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let input = step.only_operand()?;
    let mut axes = coalesce(&geometry.axes);
    if axes.iter().any(|axis| axis.length == 0) {
        return Ok(());
    }
    let (from, to) = (geometry.base, geometry.out_base);
    if !reaches(&axes, 0, from, input.len()) || !reaches(&axes, 1, to, result.len()) {
        let shapes = format!("{} and {} elements, {geometry:?}", input.len(), result.len());
        return step.refuse("goes outside of a buffer", "every place must lie within it", shapes);
    }
    // Places in the result from the farthest apart to neighbors, so that it can be shared out.
    axes.sort_by_key(|axis| std::cmp::Reverse(axis.strides[1]));
    let elements = axes.iter().map(|axis| axis.length).product();
    let parts = if is_nested(&axes) { parts(elements) } else { 1 };
    share(Part { axes: &axes, input, from, result, to }, parts);
    Ok(())
}

/// Tells whether every place of a walk lies within a buffer; no axis is empty.
fn reaches(axes: &[Axis<2>], buffer: usize, base: usize, length: usize) -> bool {
    let (mut low, mut high) = (base as i128, base as i128);
    for axis in axes {
        let along = (axis.length as i128 - 1) * i128::from(axis.strides[buffer]);
        low += along.min(0);
        high += along.max(0);
    }
    low >= 0 && high < length as i128
}

/// Tells whether one step along each axis goes past all that the axes behind it reach in the
/// result.
fn is_nested(axes: &[Axis<2>]) -> bool {
    let mut span = 0i128;
    for axis in axes.iter().rev() {
        let stride = i128::from(axis.strides[1]);
        if stride <= span {
            return false;
        }
        span += (axis.length as i128 - 1) * stride;
    }
    true
}

/// A part of the work: a walk, where it begins, and what it may write.
struct Part<'a> {
    axes: &'a [Axis<2>],
    input: &'a [f32],
    from: usize,
    result: &'a mut [f32],
    to: usize,
}

/// Cuts a nested walk along its first axes into parts, each with its own piece of the result.
fn share(part: Part<'_>, parts: usize) {
    let Part { axes, input, from, result, to } = part;
    let Some((first, rest)) = axes.split_first().filter(|_| parts > 1) else {
        return walk(&Part { axes, input, from, result: &mut [], to }, result);
    };
    if first.length == 1 {
        return share(Part { axes: rest, input, from, result, to }, parts);
    }
    let half = first.length / 2;
    let middle = moved(to, half, first.strides[1]);
    let (left, right) = result.split_at_mut(middle);
    let cut = |length| {
        let mut axes = axes.to_vec();
        axes[0].length = length;
        axes
    };
    let (one, two) = (cut(half), cut(first.length - half));
    let right_from = moved(from, half, first.strides[0]);
    rayon::join(
        || share(Part { axes: &one, input, from, result: left, to }, parts / 2),
        || {
            share(
                Part { axes: &two, input, from: right_from, result: right, to: 0 },
                parts - parts / 2,
            );
        },
    );
}

/// Moves a place by some steps; the whole walk has been checked to stay within its buffer.
fn moved(place: usize, steps: usize, stride: i64) -> usize {
    let stride = isize::try_from(stride).unwrap_or(0);
    place.wrapping_add_signed(stride.wrapping_mul(isize::try_from(steps).unwrap_or(0)))
}

/// Walks along the axes, one element after the other.
fn walk(part: &Part<'_>, result: &mut [f32]) {
    let Part { axes, input, from, to, .. } = *part;
    match axes {
        [] => result[to] = input[from],
        [axis] => line(*axis, input, from, result, to),
        [one, two] => plane([*one, *two], input, from, result, to),
        [first, rest @ ..] => {
            for step in 0..first.length {
                let from = moved(from, step, first.strides[0]);
                let to = moved(to, step, first.strides[1]);
                walk(&Part { axes: rest, input, from, result: &mut [], to }, result);
            }
        }
    }
}

/// Walks along one axis.
fn line(axis: Axis<2>, input: &[f32], from: usize, result: &mut [f32], to: usize) {
    match axis.strides {
        [1, 1] => {
            result[to..][..axis.length].copy_from_slice(&input[from..][..axis.length]);
        }
        [0, 1] => result[to..][..axis.length].fill(input[from]),
        [one, two] => {
            for step in 0..axis.length {
                result[moved(to, step, two)] = input[moved(from, step, one)];
            }
        }
    }
}

/// Walks along two axes: in blocks, unless lines are contiguous.
fn plane(axes: [Axis<2>; 2], input: &[f32], from: usize, result: &mut [f32], to: usize) {
    let [outer, inner] = axes;
    let width = if matches!(inner.strides, [0 | 1, 1]) { inner.length } else { BLOCK };
    for row in (0..outer.length).step_by(BLOCK) {
        for column in (0..inner.length).step_by(width) {
            let length = width.min(inner.length - column);
            for row in row..outer.length.min(row + BLOCK) {
                let place = |base: usize, buffer: usize| {
                    moved(moved(base, row, outer.strides[buffer]), column, inner.strides[buffer])
                };
                let axis = Axis { length, ..inner };
                line(axis, input, place(from, 0), result, place(to, 1));
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
mod tests {
    use super::*;

    fn axis(length: usize, strides: [i64; 2]) -> Axis<2> {
        Axis { length, strides }
    }

    fn run(axes: &[Axis<2>], base: usize, input: usize, result: &mut [f32]) -> Result<()> {
        let input: Vec<f32> = (0..input).map(|value| value as f32).collect();
        let geometry = Geometry { axes: axes.to_vec(), base, out_base: 0 };
        let work = crate::kernels::Work::Copy(geometry);
        crate::host::execute("copy \"c\"", &work, &[&input], result)
    }

    #[test]
    fn a_transposition_that_is_shared_out_is_the_same_as_one_walk() {
        let (rows, columns) = (700, 311);
        let mut result = vec![-1.0; rows * columns];
        let axes = [axis(columns, [1, 700]), axis(rows, [311, 1])];
        run(&axes, 0, rows * columns, &mut result).unwrap();
        for (place, &value) in result.iter().enumerate() {
            let (column, row) = (place / rows, place % rows);
            assert_eq!(value, (row * columns + column) as f32);
        }
    }

    #[test]
    fn parts_write_their_own_piece_only() {
        // Backwards in the input, with gaps in the result.
        let mut result = vec![-1.0; 400 * 1000];
        run(&[axis(400, [-700, 1000]), axis(700, [1, 1])], 399 * 700, 400 * 700, &mut result)
            .unwrap();
        for (place, &value) in result.iter().enumerate() {
            let (row, column) = (place / 1000, place % 1000);
            let expected = if column < 700 { ((399 - row) * 700 + column) as f32 } else { -1.0 };
            assert_eq!(value, expected, "{place}");
        }
    }

    #[test]
    fn walks_out_of_a_buffer_are_refused() {
        let mut result = vec![0.0; 6];
        for (axes, base, input) in [
            (vec![axis(6, [1, 1])], 0, 5),
            (vec![axis(6, [1, 1])], 1, 6),
            (vec![axis(6, [-1, 1])], 4, 6),
            (vec![axis(7, [1, 1])], 0, 7),
            (vec![axis(2, [1, 6])], 0, 7),
        ] {
            let error = run(&axes, base, input, &mut result).unwrap_err().to_string();
            let text = "copy \"c\": the geometry goes outside of a buffer but every place must lie";
            assert!(error.starts_with(text), "{error}");
        }
        assert!(run(&[axis(0, [9, 9])], 9, 1, &mut result).is_ok());
        assert!(run(&[axis(6, [-1, 1])], 5, 6, &mut result).is_ok());
        let two = [&[0.0][..], &[0.0][..]];
        let work = crate::kernels::Work::Copy(Geometry { axes: vec![], base: 0, out_base: 0 });
        let error = crate::host::execute("c", &work, &two, &mut result).unwrap_err().to_string();
        assert!(error.contains("has 2 but the step reads 1: input"), "{error}");
    }

    #[test]
    fn only_nested_walks_are_shared_out() {
        assert!(is_nested(&[axis(3, [1, 8]), axis(2, [1, 4]), axis(4, [1, 1])]));
        assert!(!is_nested(&[axis(3, [1, 3]), axis(4, [1, 1])]));
        assert!(!is_nested(&[axis(3, [1, 8]), axis(2, [1, -1])]));
        assert!(!is_nested(&[axis(3, [1, 0])]));
    }
}
