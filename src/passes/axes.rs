//! Orders of axes: what operations become when their operand's axes are in another order.

use ndarray::{ArrayD, IxDyn};

use crate::shape::{Dim, Shape};

/// Returns the entries that a permutation names, in its order.
pub(super) fn permute<T: Copy>(entries: &[T], perm: &[usize]) -> Option<Vec<T>> {
    perm.iter().map(|&from| entries.get(from).copied()).collect()
}

/// Tells whether a transpose leaves every element where it lies: only axes of length 1 move.
pub(super) fn is_view(shape: &Shape, perm: &[usize]) -> bool {
    let is_long = |&&axis: &&usize| shape.dims().get(axis) != Some(&Dim::Fixed(1));
    perm.iter().filter(is_long).is_sorted()
}

/// Puts rows, numbered along axes of these lengths in another order, into the axes' own order:
/// axis `k` of the order they have is axis `perm[k]` of the order they get.
pub(super) fn in_order_of(
    kernel: ArrayD<f32>,
    lengths: &[usize],
    perm: &[usize],
) -> Option<ArrayD<f32>> {
    let [rows, units] = *kernel.shape() else { return None };
    let mut shape = permute(lengths, perm)?;
    shape.push(units);
    let split = kernel.into_shape_with_order(IxDyn(&shape)).ok()?;
    let mut inverse = vec![0; perm.len()];
    for (from, &to) in perm.iter().enumerate() {
        *inverse.get_mut(to)? = from;
    }
    inverse.push(perm.len());
    let merged = split.permuted_axes(inverse).as_standard_layout().into_owned();
    merged.into_shape_with_order(IxDyn(&[rows, units])).ok()
}
