//! Element-wise functions of two operands with NumPy broadcasting.

use super::axes;
use super::{Launch, Shader, count, in_fours, narrow, shader};
use crate::error::{Error, Result};
use crate::ops::{BinaryOp, Epilogue};

/// Axes that the shader walks over.
const AXES: usize = 6;

/// The family's WGSL.
pub static SHADER: Shader = shader!("binary");

/// What to compute: operands of two shapes that broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The left operand's shape.
    pub left: Vec<usize>,
    /// The right operand's shape.
    pub right: Vec<usize>,
    /// The function of the two.
    pub operation: BinaryOp,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a size exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for operands that alternate between more than
/// 6 runs of axes that broadcast and axes that do not (so never at rank 6 or below).
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    count(node, "the left operand", &geometry.left)?;
    count(node, "the right operand", &geometry.right)?;
    let axes = coalesce(&geometry.left, &geometry.right);
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.length).collect();
    let elements = count(node, "the output", &lengths)?;
    let dense = match axes.as_slice() {
        [] => true,
        [axis] => (axis.left, axis.right) == (1, 1),
        _ => false,
    };
    let same = elements == 0 || dense;
    let missing = AXES.checked_sub(axes.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("broadcasting over {} runs of axes", axes.len()),
        remedy: format!("reshape the operands, {AXES} are handled"),
    })?;
    let padded = |fill: usize, pick: fn(&Axis) -> usize| {
        let mut values = [fill; AXES];
        for (value, axis) in values.iter_mut().skip(missing).zip(&axes) {
            *value = pick(axis);
        }
        values
    };
    let mut lengths = narrow(node, "the output", padded(1, |axis| axis.length))?;
    let left = narrow(node, "the left operand", padded(0, |axis| axis.left))?;
    let right = narrow(node, "the right operand", padded(0, |axis| axis.right))?;
    let (entry, threads) = if same {
        in_fours(elements, "same", "same4")
    } else if let Some((entry, block)) = repeated(&axes) {
        let chosen = in_fours(elements, "broadcast", entry);
        if chosen.0 == entry {
            [lengths[4], lengths[5]] = narrow(node, "the output", block)?;
        }
        chosen
    } else {
        ("broadcast", elements)
    };
    SHADER
        .launch(node, entry, threads)
        .set_each("length", 1, &lengths[1..])
        .set_each("left", 0, &left)
        .set_each("right", 0, &right)
        .epilogue(&geometry.epilogue)?
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: they are short whatever the lengths.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}

/// Finds the operand that is repeated as a block while the other one is the output's own shape:
/// the entry that serves it, and how many elements the block has and how often each is repeated
/// before the next.
fn repeated(axes: &[Axis]) -> Option<(&'static str, [usize; 2])> {
    let is_dense = |stride: fn(&Axis) -> usize| {
        axes.last().is_some_and(|last| stride(last) == 1)
            && axes
                .windows(2)
                .all(|pair| stride(&pair[0]) == stride(&pair[1]).saturating_mul(pair[1].length))
    };
    let (entry, stride): (_, fn(&Axis) -> usize) = if is_dense(|axis| axis.left) {
        ("repeat_right4", |axis| axis.right)
    } else if is_dense(|axis| axis.right) {
        ("repeat_left4", |axis| axis.left)
    } else {
        return None;
    };
    // Axes that both walk are merged, so the block is one axis, or none for a single number.
    let mut walked = axes.iter().enumerate().filter(|(_, axis)| stride(axis) != 0);
    let block = match (walked.next(), walked.next()) {
        (None, _) => [1, axes.iter().map(|axis| axis.length).product()],
        (Some((number, axis)), None) => {
            let behind = axes.iter().skip(number + 1).map(|axis| axis.length).product();
            [axis.length, behind]
        }
        _ => return None,
    };
    Some((entry, block))
}

/// An axis of the output: its length, and how far each operand moves along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub length: usize,
    pub left: usize,
    pub right: usize,
}

/// Aligns two shapes at the end, and merges what both operands walk as one.
pub(crate) fn coalesce(left: &[usize], right: &[usize]) -> Vec<Axis> {
    // No stride is negative here.
    let forward = |stride: i64| usize::try_from(stride).unwrap_or(usize::MAX);
    let merged = axes::broadcast([left, right]).into_iter();
    merged
        .map(|axes::Axis { length, strides: [left, right] }| Axis {
            length,
            left: forward(left),
            right: forward(right),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighboring_axes_merge_where_both_operands_walk_on() {
        let axis = |length, left, right| Axis { length, left, right };
        assert_eq!(coalesce(&[2, 3, 5], &[2, 3, 5]), [axis(30, 1, 1)]);
        assert_eq!(coalesce(&[2, 3, 5], &[5]), [axis(6, 5, 0), axis(5, 1, 1)]);
        assert_eq!(coalesce(&[2, 3, 5], &[]), [axis(30, 1, 0)]);
        assert_eq!(coalesce(&[3, 1], &[4]), [axis(3, 1, 0), axis(4, 0, 1)]);
        assert_eq!(coalesce(&[2, 1, 3], &[2, 7, 1]), [axis(2, 3, 7), axis(7, 0, 1), axis(3, 1, 0)]);
        assert_eq!(coalesce(&[1, 1], &[1]), []);
    }

    #[test]
    fn equal_shapes_and_empty_ones_take_the_short_way() {
        let entry = |left: &[usize], right: &[usize]| {
            let geometry = Geometry {
                left: left.to_vec(),
                right: right.to_vec(),
                operation: BinaryOp::Add,
                epilogue: Epilogue::default(),
            };
            launch("add \"a\"", &geometry, 65_535).unwrap().kernel.entry
        };
        assert_eq!(entry(&[2, 3], &[1, 2, 3]), "same");
        assert_eq!(entry(&[], &[]), "same");
        assert_eq!(entry(&[0, 3], &[1, 3]), "same");
        assert_eq!(entry(&[2, 3], &[3]), "broadcast");
        assert_eq!(entry(&[2, 3], &[]), "broadcast");
        assert_eq!(entry(&[4, 3], &[3]), "repeat_right4");
        assert_eq!(entry(&[2, 1], &[3, 2, 2]), "repeat_left4");
        assert_eq!(entry(&[2, 1, 2, 3], &[2, 2, 2, 1]), "broadcast");
    }

    #[test]
    fn a_repeated_block_is_one_axis() {
        let found = |left: &[usize], right: &[usize]| repeated(&coalesce(left, right));
        assert_eq!(found(&[4, 3], &[3]), Some(("repeat_right4", [3, 1])));
        assert_eq!(found(&[4, 3], &[]), Some(("repeat_right4", [1, 12])));
        assert_eq!(found(&[4, 1], &[4, 3]), Some(("repeat_left4", [4, 3])));
        assert_eq!(found(&[5, 2, 3, 7, 2], &[2, 3, 1, 1]), Some(("repeat_right4", [6, 14])));
        // two blocks, or two operands that both are repeated
        assert_eq!(found(&[2, 3, 2, 3], &[2, 1, 2, 1]), None);
        assert_eq!(found(&[4, 1], &[3]), None);
        assert_eq!(found(&[], &[]), None);
    }
}
