//! Resampling by scales, sizes and grids.

use super::{Inputs, Row, inputs, row};
use crate::error::Result;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::Numbers;
use crate::import::onnx::value::Value;
use crate::import::onnx::whole::UNSUPPORTED;
use crate::ops::{
    AspectRatio, Coordinates, GridPadding, GridSample, GridSampleMode, NearestMode, Resize,
    ResizeMode,
};

type Outputs = Result<Vec<Value>>;

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("GridSample", grid_sample).inputs(2).whole(nearest),
    row("Resize", resize).inputs(2).inputs_since(11, 4).known_from(1).whole(nearest),
    row("Upsample", upsample).inputs(2).known(1, 1).whole(nearest),
];

/// Elements that stay as they are, picked by the nearest place, beside what fills the rest.
fn nearest(_: &mut Importer<'_>, node: &Node<'_>, _: &Inputs, x: Numbers) -> Result<Numbers> {
    let default = if node.op() == "GridSample" { "linear" } else { "nearest" };
    if node.text("mode", default)? != "nearest" {
        return Err(node.unsupported(UNSUPPORTED));
    }
    let fills = node.op() == "Resize" && node.opset > 10;
    let fill = if fills { node.float("extrapolation_value", 0.0)? } else { 0.0 };
    x.beside(node, fill.into())
}

fn resize(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    if node.opset < 11 {
        return upsample(importer, node, inputs);
    }
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let scales = floats(node, inputs, 2)?;
    let sizes = inputs::ints(node, inputs, 3)?.filter(|sizes| !sizes.is_empty());
    let layer = match (scales, sizes) {
        (Some(scales), None) => Resize::scales(scales).declared(importer.declared(node, x)),
        (None, Some(sizes)) => Resize::sizes(inputs::lengths(node, &sizes)?),
        (scales, _) => {
            let got = if scales.is_some() { "has both" } else { "has neither" };
            let expected = "it has scales or sizes".to_owned();
            return Err(node.refuse("scales and sizes", got.to_owned(), expected));
        }
    };
    let coordinates = match node.text("coordinate_transformation_mode", "half_pixel")?.as_str() {
        "half_pixel" => Coordinates::HalfPixel,
        "half_pixel_symmetric" => Coordinates::HalfPixelSymmetric,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        "tf_half_pixel_for_nn" => Coordinates::TfHalfPixelForNn,
        "tf_crop_and_resize" => Coordinates::TfCropAndResize,
        other => {
            let what = format!("coordinate_transformation_mode = \"{other}\"");
            return Err(node.unsupported(&what));
        }
    };
    let nearest = match node.text("nearest_mode", "round_prefer_floor")?.as_str() {
        "round_prefer_floor" => NearestMode::RoundPreferFloor,
        "round_prefer_ceil" => NearestMode::RoundPreferCeil,
        "floor" => NearestMode::Floor,
        "ceil" => NearestMode::Ceil,
        other => return Err(node.unsupported(&format!("nearest_mode = \"{other}\""))),
    };
    let policy = match node.text("keep_aspect_ratio_policy", "stretch")?.as_str() {
        "stretch" => AspectRatio::Stretch,
        "not_larger" => AspectRatio::NotLarger,
        "not_smaller" => AspectRatio::NotSmaller,
        other => return Err(node.unsupported(&format!("keep_aspect_ratio_policy = \"{other}\""))),
    };
    let mut layer = layer
        .mode(mode(node)?)
        .coordinates(coordinates)
        .nearest_mode(nearest)
        .keep_aspect_ratio_policy(policy)
        .cubic_coeff_a(node.float("cubic_coeff_a", -0.75)?)
        .exclude_outside(node.flag("exclude_outside", false)?)
        .antialias(node.flag("antialias", false)?)
        .extrapolation_value(node.float("extrapolation_value", 0.0)?);
    if let Some(axes) = node.ints("axes")? {
        layer = layer.axes(inputs::positions(node, &axes)?);
    }
    // It counts for one rule alone; exporters leave one without meaning beside the others.
    if let Some(roi) =
        floats(node, inputs, 1)?.filter(|_| coordinates == Coordinates::TfCropAndResize)
    {
        layer = layer.roi(roi);
    }
    Ok(vec![importer.graph.resize(x, layer)?.into()])
}

/// Upsample, and Resize as version 10 has it: upper left corners agree, and the nearest pixel is
/// the one before.
fn upsample(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    // Version 7 has an attribute.
    let scales = match node.floats("scales")? {
        Some(scales) => Some(scales),
        None => floats(node, inputs, 1)?,
    };
    let Some(scales) = scales else {
        let expected = format!("{} has scales", node.op());
        return Err(node.refuse("scales", "is left out".to_owned(), expected));
    };
    let layer = Resize::scales(scales)
        .declared(importer.declared(node, x))
        .mode(mode(node)?)
        .coordinates(Coordinates::Asymmetric)
        .nearest_mode(NearestMode::Floor);
    Ok(vec![importer.graph.resize(x, layer)?.into()])
}

fn mode(node: &Node<'_>) -> Result<ResizeMode> {
    Ok(match node.text("mode", "nearest")?.as_str() {
        "nearest" => ResizeMode::Nearest,
        "linear" | "bilinear" => ResizeMode::Linear,
        "cubic" => ResizeMode::Cubic,
        other => return Err(node.unsupported(&format!("mode = \"{other}\""))),
    })
}

/// Returns the numbers of an input; none if it is left out or empty.
fn floats(node: &Node<'_>, inputs: &Inputs, number: usize) -> Result<Option<Vec<f32>>> {
    let known = inputs::known(node, inputs, number)?;
    let floats = known.map(|known| known.to_floats().iter().copied().collect::<Vec<f32>>());
    Ok(floats.filter(|floats| !floats.is_empty()))
}

fn grid_sample(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Outputs {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let grid = inputs::symbol(importer, node, inputs, 1)?;
    let mode = match node.text("mode", "linear")?.as_str() {
        "linear" | "bilinear" => GridSampleMode::Linear,
        "nearest" => GridSampleMode::Nearest,
        "cubic" | "bicubic" => GridSampleMode::Cubic,
        other => return Err(node.unsupported(&format!("mode = \"{other}\""))),
    };
    let padding = match node.text("padding_mode", "zeros")?.as_str() {
        "zeros" => GridPadding::Zeros,
        "border" => GridPadding::Border,
        "reflection" => GridPadding::Reflection,
        other => return Err(node.unsupported(&format!("padding_mode = \"{other}\""))),
    };
    let layer = GridSample::new()
        .mode(mode)
        .padding_mode(padding)
        .align_corners(node.flag("align_corners", false)?);
    let rank = importer.shape(x).len();
    if rank < 3 {
        return Err(node.unsupported(&format!("a value of {rank} dimensions")));
    }
    let behind: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    let before: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    let x = importer.graph.transpose(x, &behind)?;
    let result = importer.graph.grid_sample(x, grid, layer)?;
    Ok(vec![importer.graph.transpose(result, &before)?.into()])
}
