//! From a node over windows or places of an image to its step's work.

use crate::kernels::{Work, pool2d, resize2d};
use crate::ops::pooling::pool2d::Resolved as PoolLayer;
use crate::ops::{AxisMap, Epilogue, Pair, Resampling};

/// Describes a pooling; `None` for shapes that are no images.
pub(super) fn pooling(
    layer: &PoolLayer,
    input: Vec<usize>,
    output: Vec<usize>,
    epilogue: Epilogue,
) -> Option<Work> {
    let sides = |pair: Pair| [pair.height, pair.width];
    Some(Work::Pool2d(pool2d::Geometry {
        input: input.try_into().ok()?,
        output: output.try_into().ok()?,
        kernel: sides(layer.kernel_size),
        strides: sides(layer.strides),
        dilation: sides(layer.dilation),
        before: [layer.pads.top, layer.pads.left],
        after: [layer.pads.bottom, layer.pads.right],
        mode: layer.mode,
        count_include_pad: layer.count_include_pad,
        epilogue,
    }))
}

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
