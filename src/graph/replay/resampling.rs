//! Resampling of axes: lengths, scales and regions as the layers make them.

use super::Replay;
use crate::error::{Error, Result};
use crate::graph::{Graph, Operand, Site, Symbol, title};
use crate::ops::resampling::resize_axes::{check_pixels, scaled, shared_length};
use crate::ops::{AxisMap, Coordinates, Filter, Op, Resampling, Scale};
use crate::shape::{Dim, Shape, element_count};

pub(super) fn again(graph: &mut Graph, replay: &Replay<'_>, rule: &Resampling) -> Result<Symbol> {
    let name = graph.name_for("resize2d", None)?;
    let node = title("resize2d", &name);
    let x = graph.operand(&node, "x", replay.alone()?)?;
    let site = Site::new(&node, format!("{}, {rule:?}", x.describe()));
    check_sampling(&site, rule)?;
    let mut dims = x.shape.dims().to_vec();
    for (place, map) in [Some(rule.rows), rule.columns].into_iter().flatten().enumerate() {
        let axis = rule.axis.saturating_add(place);
        let Some(Dim::Fixed(input)) = dims.get(axis).copied() else {
            return Err(site.refuse(
                "axis",
                format!("is {}", rule.axis),
                format!("\"{}\" has {} axes, and the batch keeps its length", x.name, dims.len()),
                "save the graph again",
            ));
        };
        check_map(&site, &x, rule, &map, input)?;
        if let Some(dim) = dims.get_mut(axis) {
            *dim = Dim::Fixed(map.length);
        }
    }
    let shape = Shape::new(dims);
    element_count(&node, &shape.resolve(1))?;
    Ok(graph.insert(name, Op::Resize2d(*rule), vec![x.index], Vec::new(), shape))
}

fn refuse(site: &Site, option: &str, got: String, expected: &str) -> Error {
    site.refuse(option, got, expected, "save the graph again")
}

/// Refuses what every layer refuses.
fn check_sampling(site: &Site, rule: &Resampling) -> Result<()> {
    let sampling = &rule.sampling;
    if matches!(sampling.filter, Filter::Nearest(_)) && sampling.antialias {
        let expected = "nearest takes one pixel";
        return Err(refuse(site, "antialias", "is true".to_owned(), expected));
    }
    match sampling.filter {
        Filter::Cubic(a) if !a.is_finite() => {
            Err(refuse(site, "cubic_coeff_a", format!("is {a}"), "a weight is a finite number"))
        }
        _ => Ok(()),
    }
}

/// Checks that an axis gets the length that its scale and region give.
fn check_map(
    site: &Site,
    x: &Operand,
    rule: &Resampling,
    map: &AxisMap,
    input: usize,
) -> Result<()> {
    let crops = rule.sampling.coordinates == Coordinates::TfCropAndResize;
    let whole = AxisMap::kept(input).roi.map(f32::to_bits) == map.roi.map(f32::to_bits);
    if !map.roi.iter().all(|edge| edge.is_finite()) || !(crops || whole) {
        let expected = "edges are finite, and 0 and 1 unless it is cropped";
        return Err(refuse(site, "roi", format!("is {:?}", map.roi), expected));
    }
    let length = match map.scale {
        Scale::Given(scale) => scaled(site, Dim::Fixed(input), scale, map.roi)?.length,
        Scale::Ratio { input: 0, .. } => {
            let got = format!("is {:?}", map.scale);
            return Err(refuse(site, "scale", got, "it is a ratio of lengths"));
        }
        Scale::Ratio { output, input: from } => {
            check_pixels(site, input, map.length)?;
            let is_own = (output, from) == (map.length, input);
            let sampling = &rule.sampling;
            if !is_own
                && sampling.exclude_outside
                && sampling.coordinates == Coordinates::AlignCorners
            {
                let expected = "with aligned corners a shared scale may leave no pixel";
                return Err(refuse(site, "exclude_outside", "is true".to_owned(), expected));
            }
            shared_length(input, output, from)
        }
    };
    if length == map.length {
        return Ok(());
    }
    let expected = format!("the scale makes {length} of {input} pixels of \"{}\"", x.name);
    Err(refuse(site, "length", format!("is {}", map.length), &expected))
}
