//! From a node over windows or places of an image to its step's work.

use crate::graph::grid_sample::Resolved as SampleLayer;
use crate::graph::pool2d::Resolved as PoolLayer;
use crate::graph::{AxisMap, Epilogue, Pair, Resampling};
use crate::kernels::{Work, grid_sample, pool2d, resize2d};

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

/// Describes a sampling by a grid; `None` for shapes without one to three axes.
pub(super) fn sampling(layer: SampleLayer, input: &[usize], output: &[usize]) -> Option<Work> {
    let axes = input.len().checked_sub(2)?;
    let (batch, rest) = input.split_first()?;
    let (channels, lengths) = rest.split_last()?;
    let [depth, height, width] = match *lengths {
        [width] => [1, 1, width],
        [height, width] => [1, height, width],
        [depth, height, width] => [depth, height, width],
        _ => return None,
    };
    Some(Work::GridSample(grid_sample::Geometry {
        input: [*batch, depth, height, width, *channels],
        points: product(output.get(1..=axes)?),
        axes,
        mode: layer.mode,
        padding: layer.padding_mode,
        align_corners: layer.align_corners,
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
