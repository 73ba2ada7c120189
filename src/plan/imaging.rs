//! From a node over places of an image to its step's work.

use crate::kernels::{Work, resize2d};
use crate::ops::{AxisMap, Epilogue, Resampling};

/// Sees a value as images whose height, and width if there are columns, are resampled; `None`
/// for axes that are not there.
pub(super) fn resampling(layer: &Resampling, input: &[usize], epilogue: Epilogue) -> Option<Work> {
    let (before, rest) = input.split_at_checked(layer.axis)?;
    let (height, rest) = rest.split_first()?;
    let (width, rest) = match layer.columns {
        Some(_) => rest.split_first()?,
        None => (&1, rest),
    };
    Some(Work::Resize2d(resize2d::Geometry {
        input: [product(before), *height, *width, product(rest)],
        rows: layer.rows,
        columns: layer.columns.unwrap_or_else(|| AxisMap::kept(1)),
        sampling: layer.sampling,
        epilogue,
    }))
}

fn product(lengths: &[usize]) -> usize {
    lengths.iter().fold(1, |all, &one| all.saturating_mul(one))
}
