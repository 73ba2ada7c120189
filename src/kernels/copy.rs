//! Copies between places that an affine rule gives: transposing, slicing, repeating, joining.

use super::axes::{Axis, coalesce};
use super::{Launch, Shader, count, numbered, shader};
use crate::error::{Error, Result};

/// Axes that the shader walks over.
pub(crate) const AXES: usize = 6;

/// The family's WGSL.
pub static SHADER: Shader = shader!("copy");

/// What to compute: which element of the input goes to which place of the output.
///
/// Every place must lie within its buffer; what no place names keeps what it had.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The axes to walk along, the outermost first; strides in the input, then the output.
    pub axes: Vec<Axis<2>>,
    /// Where the walk begins in the input, in elements.
    pub base: usize,
    /// Where it begins in the output.
    pub out_base: usize,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`] when a place exceeds what the kernel or the device can number,
/// [`Error::Unsupported`] for more than 6 axes that do not merge.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let walk = Walk::new(geometry);
    check_reach(node, "the input", geometry.base, &geometry.axes, 0)?;
    check_reach(node, "the result", geometry.out_base, &geometry.axes, 1)?;
    let (entry, walk) = match walk.in_fours() {
        Some(walk) => ("copy4", walk),
        None => ("copy", walk),
    };
    let lengths: Vec<usize> = walk.axes.iter().map(|axis| axis.length).collect();
    let threads = count(node, "the copy", &lengths)?;
    let missing = AXES.checked_sub(lengths.len()).ok_or_else(|| Error::Unsupported {
        node: node.to_owned(),
        what: format!("a copy along {} axes", lengths.len()),
        remedy: format!("do it in several operations, each along at most {AXES}"),
    })?;
    let mut length = [1; AXES];
    let mut strides = [[0; AXES]; 2];
    for (place, axis) in walk.axes.iter().enumerate() {
        // The count of the elements, or the reach along the axis, has been checked to fit.
        length[missing + place] = u32::try_from(axis.length).unwrap_or(u32::MAX);
        for (buffer, stride) in axis.strides.into_iter().enumerate() {
            strides[buffer][missing + place] = wrapped(stride);
        }
    }
    let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    SHADER
        .launch(node, entry, threads)
        .set("base", narrow(walk.base))
        .set("out_base", narrow(walk.out_base))
        .set_each("length", 1, &length[1..])
        .set_each("stride", 0, &strides[0])
        .set_each("out", 0, &strides[1])
        .finish(max_workgroups_per_dimension)
}

/// Counts the trips of one thread's loops: it has none.
pub(super) fn trip_count(_geometry: &Geometry, _entry: &str) -> u64 {
    0
}

/// A geometry with its axes merged.
struct Walk {
    axes: Vec<Axis<2>>,
    base: usize,
    out_base: usize,
}

impl Walk {
    fn new(geometry: &Geometry) -> Self {
        let axes = coalesce(&geometry.axes);
        Walk { axes, base: geometry.base, out_base: geometry.out_base }
    }

    /// Counts in vectors of four, where both sides lie in whole ones.
    fn in_fours(&self) -> Option<Walk> {
        let (last, rest) = self.axes.split_last()?;
        let whole = last.strides == [1, 1] && last.length.is_multiple_of(4) && last.length > 0;
        let bases = self.base.is_multiple_of(4) && self.out_base.is_multiple_of(4);
        let aligned = |axis: &Axis<2>| axis.strides.iter().all(|stride| stride % 4 == 0);
        if !whole || !bases || !rest.iter().all(aligned) {
            return None;
        }
        let quarter = |axis: &Axis<2>| Axis { strides: axis.strides.map(|s| s / 4), ..*axis };
        let mut axes: Vec<Axis<2>> = rest.iter().map(quarter).collect();
        axes.push(Axis { length: last.length / 4, strides: [1, 1] });
        Some(Walk { axes, base: self.base / 4, out_base: self.out_base / 4 })
    }
}

/// Checks that the farthest place of a walk can be numbered with 32 bits.
fn check_reach(
    node: &str,
    tensor: &str,
    base: usize,
    axes: &[Axis<2>],
    buffer: usize,
) -> Result<()> {
    let forward = axes.iter().filter(|axis| axis.length > 1 && axis.strides[buffer] > 0);
    let last = forward.fold(base as u64, |last, axis| {
        let steps = (axis.length - 1) as u64;
        last.saturating_add(axis.strides[buffer].unsigned_abs().saturating_mul(steps))
    });
    numbered(node, tensor, last, "elements").map(|_| ())
}

/// Wraps a stride round as two's complement does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places are computed modulo 2^32, and each place has been checked to fit"
)]
fn wrapped(stride: i64) -> u32 {
    stride as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(axes: &[(usize, [i64; 2])], base: usize, out_base: usize) -> &'static str {
        let axes = axes.iter().map(|&(length, strides)| Axis { length, strides }).collect();
        launch("t", &Geometry { axes, base, out_base }, 65_535).unwrap().kernel.entry
    }

    #[test]
    fn fours_need_whole_vectors_on_both_sides() {
        assert_eq!(entry(&[(3, [8, 4]), (4, [1, 1])], 4, 8), "copy4");
        assert_eq!(entry(&[(3, [-8, 4]), (4, [1, 1])], 16, 8), "copy4");
        assert_eq!(entry(&[(4, [1, 1])], 0, 0), "copy4");
        // Merged with the next axis, 6 are whole vectors.
        assert_eq!(entry(&[(2, [6, 6]), (6, [1, 1])], 0, 0), "copy4");
        for (axes, base, out_base) in [
            (vec![(3, [8, 4]), (4, [1, 1])], 2, 8),
            (vec![(3, [8, 4]), (4, [1, 1])], 4, 1),
            (vec![(3, [8, 5]), (4, [1, 1])], 4, 8),
            (vec![(3, [6, 4]), (4, [1, 1])], 4, 8),
            (vec![(3, [8, 6]), (6, [1, 1])], 0, 0),
            (vec![(3, [8, 4]), (4, [-1, 1])], 4, 8),
            (vec![(4, [4, 1])], 0, 0),
            (vec![], 0, 0),
        ] {
            assert_eq!(entry(&axes, base, out_base), "copy", "{axes:?} {base} {out_base}");
        }
    }

    #[test]
    fn places_beyond_32_bits_and_too_many_axes_are_refused() {
        let make = |axes: Vec<Axis<2>>, base| {
            launch("copy \"c\"", &Geometry { axes, base, out_base: 0 }, 65_535)
        };
        let axis = |length, strides| Axis { length, strides };
        let far = make(vec![axis(3, [1 << 31, 1])], 0).unwrap_err().to_string();
        assert!(far.starts_with("copy \"c\": the input needs 4294967296 elements but"), "{far}");
        assert!(make(vec![axis(2, [1, 1])], u32::MAX as usize).is_err());
        assert!(make(vec![axis(2, [-1, 1])], u32::MAX as usize).is_ok());
        let odd: Vec<_> = (0..7).map(|k| axis(2, [3 << (2 * k), 1 << k])).collect();
        let deep = make(odd, 0).unwrap_err().to_string();
        assert_eq!(
            deep,
            "copy \"c\": a copy along 7 axes is not supported; do it in several operations, each \
             along at most 6"
        );
    }
}
