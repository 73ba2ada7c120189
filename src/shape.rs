//! Shapes: concrete ones, ones with a symbolic batch, checked sizes, broadcasting.
//!
//! Every count is computed in `u64` with checked arithmetic: a hostile shape is
//! an error, never a wrapped size.

use std::fmt;

use crate::error::{Error, Result};

/// Bytes of one element on the device.
pub const ELEMENT_BYTES: u64 = 4;

/// The most axes that an array of a file may have: NumPy's own limit.
pub(crate) const MOST_AXES: usize = 64;

/// One dimension of a symbol: a number, or the batch that a plan will fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// The symbolic batch; only the first dimension may be one.
    Batch,
    /// A fixed length.
    Fixed(usize),
}

impl Dim {
    /// Returns the length once the batch is known.
    #[must_use]
    pub fn resolve(self, batch: usize) -> usize {
        match self {
            Dim::Batch => batch,
            Dim::Fixed(length) => length,
        }
    }
}

impl Dim {
    /// Returns the length, unless it is the batch.
    #[must_use]
    pub fn fixed(self) -> Option<usize> {
        match self {
            Dim::Batch => None,
            Dim::Fixed(length) => Some(length),
        }
    }
}

impl From<usize> for Dim {
    fn from(length: usize) -> Self {
        Dim::Fixed(length)
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Batch => f.write_str("batch"),
            Dim::Fixed(length) => write!(f, "{length}"),
        }
    }
}

/// The shape of a symbol: dimensions of which the first may be the batch.
///
/// ```
/// use longshore::{Dim, Graph, Shape};
///
/// let mut g = Graph::new();
/// let image = g.input("image", Shape::batch([64, 64, 3]));
/// assert_eq!(g.shape(image), Some(&Shape::batch([64, 64, 3])));
/// assert_eq!(Shape::batch([8]), Shape::new([Dim::Batch, Dim::Fixed(8)]));
/// assert_eq!(Shape::batch([8]).resolve(32), [32, 8]);
/// assert_eq!(Shape::batch([8]).to_string(), "[batch, 8]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Vec<Dim>);

impl Shape {
    /// Makes a shape from dimensions.
    pub fn new(dims: impl IntoIterator<Item = impl Into<Dim>>) -> Self {
        Shape(dims.into_iter().map(Into::into).collect())
    }

    /// Makes a shape whose first dimension is the batch, before fixed lengths.
    pub fn batch(lengths: impl IntoIterator<Item = usize>) -> Self {
        let fixed = lengths.into_iter().map(Dim::Fixed);
        Shape(std::iter::once(Dim::Batch).chain(fixed).collect())
    }

    /// Returns the dimensions.
    #[must_use]
    pub fn dims(&self) -> &[Dim] {
        &self.0
    }

    /// Returns the number of dimensions.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Tells whether the first dimension is the symbolic batch.
    #[must_use]
    pub fn has_batch(&self) -> bool {
        self.0.first() == Some(&Dim::Batch)
    }

    /// Returns the concrete shape for a batch size.
    #[must_use]
    pub fn resolve(&self, batch: usize) -> Vec<usize> {
        self.0.iter().map(|dim| dim.resolve(batch)).collect()
    }
}

impl From<&[usize]> for Shape {
    fn from(lengths: &[usize]) -> Self {
        Shape::new(lengths.iter().copied())
    }
}

impl IntoIterator for Shape {
    type Item = Dim;
    type IntoIter = std::vec::IntoIter<Dim>;

    /// Hands out the dimensions, as [`Graph::input`](crate::Graph::input) takes them.
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (position, dim) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}

/// Counts the elements of a concrete shape; a 0-d shape has one.
///
/// # Errors
///
/// [`Error::Limit`] when the product does not fit `u64`. A zero anywhere makes
/// the count 0, however large the other lengths are.
pub fn element_count(node: &str, shape: &[usize]) -> Result<u64> {
    if shape.contains(&0) {
        return Ok(0);
    }
    shape
        .iter()
        .try_fold(1u64, |count, &length| count.checked_mul(u64::try_from(length).ok()?))
        .ok_or_else(|| too_many(node, shape))
}

/// Counts the f32 bytes of a concrete shape on the device.
///
/// # Errors
///
/// [`Error::Limit`] when the number of bytes does not fit `u64`.
pub fn byte_count(node: &str, shape: &[usize]) -> Result<u64> {
    element_count(node, shape)?.checked_mul(ELEMENT_BYTES).ok_or_else(|| too_many(node, shape))
}

fn too_many(node: &str, shape: &[usize]) -> Error {
    Error::Limit {
        node: node.to_owned(),
        tensor: format!("shape {shape:?}"),
        needed: u64::MAX,
        unit: "bytes",
        limit_name: "the largest size".to_owned(),
        limit: Some(u64::MAX),
        remedy: "make the shape smaller".to_owned(),
    }
}

/// Broadcasts two symbolic shapes by NumPy's rule: align at the end, lengths
/// must agree or be 1. The batch agrees with itself and with 1.
///
/// Returns `None` when they do not broadcast, or when the batch would meet any
/// other length or leave the first place.
#[must_use]
pub fn broadcast(left: &Shape, right: &Shape) -> Option<Shape> {
    let rank = left.rank().max(right.rank());
    let at = |shape: &Shape, axis: usize| {
        let missing = rank - shape.rank();
        if axis < missing { Dim::Fixed(1) } else { shape.0[axis - missing] }
    };
    let mut dims = Vec::with_capacity(rank);
    for axis in 0..rank {
        let dim = match (at(left, axis), at(right, axis)) {
            (one, other) if one == other => one,
            (Dim::Fixed(1), other) => other,
            (one, Dim::Fixed(1)) => one,
            _ => return None,
        };
        if dim == Dim::Batch && axis > 0 {
            return None;
        }
        dims.push(dim);
    }
    Some(Shape(dims))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_checked() {
        assert_eq!(element_count("t", &[]).unwrap(), 1);
        assert_eq!(element_count("t", &[2, 3, 5]).unwrap(), 30);
        assert_eq!(element_count("t", &[usize::MAX, 0, usize::MAX]).unwrap(), 0);
        assert!(matches!(element_count("t", &[usize::MAX, 2]), Err(Error::Limit { .. })));
        assert!(matches!(byte_count("t", &[1 << 62]), Err(Error::Limit { .. })));
    }

    #[test]
    fn broadcasting_follows_numpy_and_keeps_the_batch_first() {
        let shape = |dims: &[usize]| Shape::from(dims);
        let batch = |rest: &[usize]| Shape::batch(rest.iter().copied());
        assert_eq!(broadcast(&shape(&[3, 1]), &shape(&[4])), Some(shape(&[3, 4])));
        assert_eq!(broadcast(&shape(&[]), &shape(&[2, 5])), Some(shape(&[2, 5])));
        assert_eq!(broadcast(&shape(&[3]), &shape(&[4])), None);
        assert_eq!(broadcast(&batch(&[5]), &shape(&[5])), Some(batch(&[5])));
        assert_eq!(broadcast(&batch(&[5]), &shape(&[1, 5])), Some(batch(&[5])));
        assert_eq!(broadcast(&batch(&[5]), &shape(&[7, 5])), None);
        assert_eq!(broadcast(&batch(&[5]), &shape(&[2, 3, 5])), None);
    }
}
