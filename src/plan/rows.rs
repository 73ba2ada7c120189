//! Normalizations: from a node to its geometry.

use crate::kernels::{Work, batch_normalization, moments, normalization};
use crate::ops::{Epilogue, Op};

/// Describes the one step of such a node for a number of items; none for any other node.
/// Normalisations alone take an epilogue.
pub(super) fn work(op: &Op, result: &[usize], items: usize, epilogue: Epilogue) -> Option<Work> {
    let work = match op {
        Op::BatchNormalization(layer) => {
            let [outer, channels, inner] = round(result, layer.axis)?;
            let (has_scale, has_bias, epsilon) = (layer.scale, layer.center, layer.epsilon);
            Work::BatchNormalization(batch_normalization::Geometry {
                outer,
                channels,
                inner,
                has_scale,
                has_bias,
                epsilon,
                epilogue,
            })
        }
        Op::Moments(layer) => Work::Moments(moments::Geometry {
            input: layer.split.resolve(items),
            reduced: layer.reduced.clone(),
            is_centered: layer.is_centered,
            epsilon: layer.epsilon,
            floor: layer.floor,
            part: layer.part,
        }),
        Op::Normalization(layer) => Work::Normalization(normalization::Geometry {
            input: layer.split.resolve(items),
            reduced: layer.reduced.clone(),
            scale: layer.scale.clone(),
            bias: layer.bias.clone(),
            epilogue,
        }),
        _ => return None,
    };
    Some(work)
}

/// The elements in front of an axis, on it and behind it.
fn round(shape: &[usize], axis: usize) -> Option<[usize; 3]> {
    let (before, rest) = shape.split_at_checked(axis)?;
    let (length, after) = rest.split_first()?;
    // Their products were checked to fit when the shape was made.
    Some([before.iter().product(), *length, after.iter().product()])
}
