//! Axes that several buffers walk along together, merged where all of them walk on.

/// An axis: its length, and how far each of N buffers moves along it, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<const N: usize> {
    /// How many steps it has.
    pub length: usize,
    /// What one step adds to the place in each buffer; negative ones walk backwards.
    pub strides: [i64; N],
}

/// Drops axes of length 1, and merges neighbors that every buffer walks as one: fewer
/// divisions in a shader, and any rank that merges to what the shader walks over.
///
/// Axes come and go with the outermost first.
#[must_use]
pub fn coalesce<const N: usize>(axes: &[Axis<N>]) -> Vec<Axis<N>> {
    let mut merged: Vec<Axis<N>> = Vec::with_capacity(axes.len());
    for outer in axes.iter().rev().filter(|axis| axis.length != 1) {
        match merged.last_mut() {
            // Only an empty shape can saturate: the others' element counts were checked.
            Some(inner) if walks_on(inner, outer) => {
                inner.length = inner.length.saturating_mul(outer.length);
            }
            _ => merged.push(*outer),
        }
    }
    merged.reverse();
    merged
}

/// Tells whether a step along `outer` is what `inner.length` steps along `inner` are.
fn walks_on<const N: usize>(inner: &Axis<N>, outer: &Axis<N>) -> bool {
    let Ok(length) = i64::try_from(inner.length) else { return false };
    let pairs = inner.strides.iter().zip(&outer.strides);
    pairs.into_iter().all(|(inner, outer)| inner.checked_mul(length) == Some(*outer))
}

/// Returns the strides of a dense array in C order, in elements.
///
/// They saturate for an empty shape alone: the others' element counts were checked.
#[must_use]
pub fn dense_strides(shape: &[usize]) -> Vec<i64> {
    let mut strides = vec![1i64; shape.len()];
    let mut stride = 1i64;
    for (place, &length) in strides.iter_mut().zip(shape).rev() {
        *place = stride;
        stride = stride.saturating_mul(i64::try_from(length).unwrap_or(i64::MAX));
    }
    strides
}

/// Aligns shapes that broadcast at the end, and merges what all of them walk as one; a stride
/// along an axis that an operand repeats is 0.
#[must_use]
pub fn broadcast<const N: usize>(shapes: [&[usize]; N]) -> Vec<Axis<N>> {
    let rank = shapes.iter().map(|shape| shape.len()).max().unwrap_or(0);
    let mut axes = Vec::with_capacity(rank);
    // From the last axis, whose strides are known, to the first.
    let mut along = [1i64; N];
    for axis in (0..rank).rev() {
        let mut strides = [0; N];
        let mut result = 1;
        for ((stride, along), shape) in strides.iter_mut().zip(&mut along).zip(shapes) {
            let inside = (axis + shape.len()).checked_sub(rank);
            let length = inside.and_then(|inside| shape.get(inside)).map_or(1, |&length| length);
            if length != 1 {
                (*stride, result) = (*along, length);
                // Only an empty shape can saturate: the others' element counts were checked.
                *along = along.saturating_mul(i64::try_from(length).unwrap_or(i64::MAX));
            }
        }
        axes.push(Axis { length: result, strides });
    }
    axes.reverse();
    coalesce(&axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(length: usize, strides: [i64; 2]) -> Axis<2> {
        Axis { length, strides }
    }

    #[test]
    fn neighbors_merge_where_every_buffer_walks_on() {
        let transposed = [axis(3, [1, 2]), axis(2, [3, 1])];
        assert_eq!(coalesce(&transposed), transposed);
        let straight = [axis(3, [2, 4]), axis(1, [9, 9]), axis(2, [1, 2])];
        assert_eq!(coalesce(&straight), [axis(6, [1, 2])]);
        // All backwards is one walk backwards; one backwards is none.
        assert_eq!(coalesce(&[axis(3, [-2, 2]), axis(2, [-1, 1])]), [axis(6, [-1, 1])]);
        let flipped = [axis(3, [2, 2]), axis(2, [-1, 1])];
        assert_eq!(coalesce(&flipped), flipped);
        assert_eq!(coalesce(&[axis(1, [5, 5])]), []);
        let huge = [axis(2, [i64::MAX, 1]), axis(usize::MAX, [1, 1])];
        assert_eq!(coalesce(&huge), huge);
    }

    #[test]
    fn shapes_are_aligned_at_the_end() {
        let three = |length, strides| Axis { length, strides };
        let found = broadcast([&[2, 3, 4], &[4], &[3, 1]]);
        assert_eq!(found, [three(2, [12, 0, 0]), three(3, [4, 0, 1]), three(4, [1, 1, 0])]);
        assert_eq!(broadcast([&[5, 2], &[5, 2], &[1]]), [three(10, [1, 1, 0])]);
        assert_eq!(broadcast([&[], &[], &[1, 1]]), []);
        assert_eq!(broadcast([&[0, 3], &[1, 3]]), [axis(0, [3, 0]), axis(3, [1, 1])]);
    }

    #[test]
    fn dense_strides_count_the_elements_behind() {
        assert_eq!(dense_strides(&[2, 3, 5]), [15, 5, 1]);
        assert!(dense_strides(&[]).is_empty());
        assert_eq!(dense_strides(&[2, 0, usize::MAX, usize::MAX]), [0, i64::MAX, i64::MAX, 1]);
    }
}
