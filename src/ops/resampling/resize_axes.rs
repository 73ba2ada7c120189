//! What a `Resize` does to each axis: lengths, scales, regions, and what is refused.

use crate::error::{Error, Result};
use crate::graph::{Operand, Site};
use crate::ops::resampling::resize::{AspectRatio, Resize, ResizeMode, Target};
use crate::ops::resampling::rule::{AxisMap, Scale};
use crate::ops::{Coordinates, MAX_BROADCAST_RANK};
use crate::shape::Dim;

/// Refuses options that contradict one another.
pub(crate) fn check_options(site: &Site, layer: &Resize) -> Result<()> {
    let refuse = |what: &str, remedy: &str| {
        Err(Error::Unsupported {
            node: site.node.clone(),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        })
    };
    let has_policy = layer.policy != AspectRatio::Stretch;
    if layer.mode == ResizeMode::Nearest && layer.antialias {
        return refuse("antialias of nearest", "use linear or cubic, or leave it out");
    }
    if layer.mode == ResizeMode::Nearest && layer.exclude_outside {
        return refuse("exclude_outside of nearest", "use linear or cubic, or leave it out");
    }
    if has_policy && matches!(layer.target, Target::Scales(_)) {
        return refuse("keep_aspect_ratio_policy with scales", "give sizes, or leave it out");
    }
    if has_policy && layer.exclude_outside && layer.coordinates == Coordinates::AlignCorners {
        // Places far outside the input, where no pixel would be left.
        return refuse(
            "exclude_outside with keep_aspect_ratio_policy and aligned corners",
            "use other coordinates",
        );
    }
    Ok(())
}

/// Resolves what happens to each axis, in order of the axes.
pub(crate) fn maps(site: &Site, x: &Operand, layer: &Resize) -> Result<Vec<(usize, AxisMap)>> {
    let dims = x.shape.dims();
    if dims.len() > MAX_BROADCAST_RANK {
        return Err(site.refuse(
            &format!("\"{}\"", x.name),
            format!("has {} dimensions", dims.len()),
            format!("at most {MAX_BROADCAST_RANK} are supported"),
            "merge dimensions by a reshape",
        ));
    }
    let axes = resolve_axes(site, dims.len(), layer.axes.as_deref())?;
    let (what, found) = match &layer.target {
        Target::Scales(scales) => ("scales", scales.len()),
        Target::Sizes(sizes) => ("sizes", sizes.len()),
    };
    check_count(site, what, found, axes.len())?;
    let crops = layer.coordinates == Coordinates::TfCropAndResize;
    if crops {
        check_count(site, "roi", layer.roi.len(), 2 * axes.len())?;
    }
    let roi = |number: usize| -> Result<[f32; 2]> {
        let at = |number: usize| layer.roi.get(number).copied();
        match (at(number), at(axes.len() + number)) {
            _ if !crops => Ok([0.0, 1.0]),
            (Some(start), Some(end)) if start.is_finite() && end.is_finite() => Ok([start, end]),
            _ => Err(site.refuse(
                "roi",
                format!("is {:?}", layer.roi),
                "start and end are finite numbers",
                "give finite numbers",
            )),
        }
    };
    let lengths: Vec<Dim> = axes.iter().map(|&axis| dims[axis]).collect();
    let mut maps = Vec::with_capacity(axes.len());
    match &layer.target {
        Target::Scales(scales) => {
            for (number, (&axis, &scale)) in axes.iter().zip(scales).enumerate() {
                let map = scaled(site, dims[axis], scale, roi(number)?)?;
                maps.push((axis, agreed(site, layer, (axis, dims[axis]), map)?));
            }
        }
        Target::Sizes(sizes) => {
            let sized = sized(site, &lengths, sizes, layer.policy)?;
            for (number, (&axis, map)) in axes.iter().zip(sized).enumerate() {
                maps.push((axis, AxisMap { roi: roi(number)?, ..map }));
            }
        }
    }
    maps.sort_by_key(|(axis, _)| *axis);
    Ok(maps)
}

fn check_count(site: &Site, what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(site.refuse(
        what,
        format!("has {found} numbers"),
        format!("the axes need {expected}"),
        "give one for each axis, or set axes",
    ))
}

/// Counts axes from the first; all of them, if none are given.
fn resolve_axes(site: &Site, rank: usize, axes: Option<&[isize]>) -> Result<Vec<usize>> {
    let Some(axes) = axes else {
        return Ok((0..rank).collect());
    };
    let mut resolved = Vec::with_capacity(axes.len());
    for &axis in axes {
        let found =
            if axis < 0 { rank.checked_add_signed(axis) } else { usize::try_from(axis).ok() };
        match found.filter(|found| *found < rank && !resolved.contains(found)) {
            Some(found) => resolved.push(found),
            None => {
                return Err(site.refuse(
                    "axes",
                    format!("are {axes:?}"),
                    format!("each is one of the {rank} axes, and named once"),
                    "use different axes from -rank to rank - 1",
                ));
            }
        }
    }
    Ok(resolved)
}

/// Maps an axis by a given scale.
pub(crate) fn scaled(site: &Site, dim: Dim, scale: f32, roi: [f32; 2]) -> Result<AxisMap> {
    let refuse = |expected: &str, remedy: &str| {
        Err(site.refuse("scales", format!("have {scale}"), expected, remedy))
    };
    if !(scale.is_finite() && scale > 0.0) {
        return refuse("each is a finite number above 0", "use positive scales");
    }
    let map = AxisMap { length: 0, scale: Scale::Given(scale), roi };
    let Dim::Fixed(input) = dim else {
        if map.is_kept() {
            return Ok(map);
        }
        return refuse("the batch keeps its length", "use fixed dimensions, or the scale 1");
    };
    if map.is_kept() {
        return Ok(AxisMap { length: input, ..map });
    }
    let [start, end] = roi;
    // In f32, as ONNX Runtime has it: exporters round `output / input` to f32, and this product
    // rounds back. 7 by f32(13 / 7) is 13 here, and less than 13 without a rounding.
    let length = (input as f32 * (end - start) * scale).floor();
    if !(0.0..9.0e15).contains(&length) {
        return refuse("the axis would have a length that is none", "use other scales or roi");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 on, far below the limit"
    )]
    let length = length as u64;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    check_pixels(site, input, length)?;
    Ok(AxisMap { length, ..map })
}

/// Gives an axis the length that was declared, if the scale makes that one or one next to it.
fn agreed(site: &Site, layer: &Resize, (axis, dim): (usize, Dim), map: AxisMap) -> Result<AxisMap> {
    let declared = layer.declared.get(axis).copied().flatten();
    let (Some(length), Dim::Fixed(input)) = (declared.filter(|_| !map.is_kept()), dim) else {
        return Ok(map);
    };
    // Where pixels outside are left out, one more might have none.
    let most = usize::from(!layer.exclude_outside);
    if length.abs_diff(map.length) > most {
        return Err(site.refuse(
            "scales",
            format!("make {} of the {input} elements of axis {axis}", map.length),
            format!("{length} are declared"),
            "bind the lengths that the model was made for, or correct what it declares",
        ));
    }
    check_pixels(site, input, length)?;
    Ok(AxisMap { length, ..map })
}

/// Maps axes to sizes, by the policy.
fn sized(
    site: &Site,
    lengths: &[Dim],
    sizes: &[usize],
    policy: AspectRatio,
) -> Result<Vec<AxisMap>> {
    let mut maps = Vec::with_capacity(sizes.len());
    for (dim, &size) in lengths.iter().zip(sizes) {
        let Dim::Fixed(input) = *dim else {
            return Err(site.refuse(
                "axes",
                "have the batch",
                "sizes are for fixed lengths",
                "use fixed dimensions, or leave the batch out of axes",
            ));
        };
        check_pixels(site, input, size)?;
        maps.push((input, AxisMap::sized(input, size)));
    }
    // Which axis has the scale of all: products of two lengths fit 128 bits.
    let ratios = sizes.iter().zip(&maps).filter(|(_, (input, _))| *input > 0);
    let ratios = ratios.map(|(&size, (input, _))| (size, *input));
    let order = |one: &(usize, usize), other: &(usize, usize)| {
        (one.0 as u128 * other.1 as u128).cmp(&(other.0 as u128 * one.1 as u128))
    };
    let common = match policy {
        AspectRatio::Stretch => None,
        AspectRatio::NotLarger => ratios.min_by(order),
        AspectRatio::NotSmaller => ratios.max_by(order),
    };
    let Some((output, input)) = common else {
        return Ok(maps.into_iter().map(|(_, map)| map).collect());
    };
    let scale = Scale::Ratio { output, input };
    let one = |(length, map): (usize, AxisMap)| AxisMap {
        length: shared_length(length, output, input),
        scale,
        ..map
    };
    Ok(maps.into_iter().map(one).collect())
}

pub(crate) fn check_pixels(site: &Site, input: usize, output: usize) -> Result<()> {
    if input > 0 || output == 0 {
        return Ok(());
    }
    Err(site.refuse(
        "x",
        "has an axis of length 0",
        "an axis without pixels cannot be resampled",
        "use at least one pixel",
    ))
}

/// Returns the length of an axis by a scale that is another one's, `output / input`: to the
/// nearest whole number, halves up. `input` is not 0.
pub(crate) fn shared_length(length: usize, output: usize, input: usize) -> usize {
    let (numerator, denominator) = (output as u128 * length as u128, input as u128);
    let rounded = numerator.checked_mul(2).map(|twice| (twice + denominator) / (2 * denominator));
    let rounded = rounded.and_then(|rounded| usize::try_from(rounded).ok());
    rounded.unwrap_or(usize::MAX)
}
