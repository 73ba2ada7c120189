//! Resampling of one axis, or of two neighbors: what a `resize2d` node holds.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Node, Operand, Site};
use crate::kernels::Work;
use crate::ops::resampling::resize_axes::{check_pixels, scaled, shared_length};
use crate::ops::{Arguments, Coordinates, Epilogue, Interpolation, Op, Operator, Shapes};
use crate::serial::{length, number};
use crate::shape::{Dim, Shape, element_count};

/// Names which of the two pixels around a place is the nearest: ONNX's `nearest_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NearestMode {
    /// The nearest, of two equally near ones the first.
    #[default]
    RoundPreferFloor,
    /// The nearest, of two equally near ones the second.
    RoundPreferCeil,
    /// The one at or before the place.
    Floor,
    /// The one at or behind the place.
    Ceil,
}

/// Names the weights of the pixels around a place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// One pixel, copied exactly.
    Nearest(NearestMode),
    /// `1 - distance`, of the two pixels around.
    Linear,
    /// Keys' cubic convolution with this coefficient, of four pixels.
    Cubic(#[serde(with = "number")] f32),
    /// Windowed sinc of radius 3.
    Lanczos3,
    /// Windowed sinc of radius 5.
    Lanczos5,
}

/// How many output pixels stand for one of the input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scale {
    /// An exact fraction, from sizes.
    Ratio {
        /// Pixels of the output ...
        #[serde(with = "length")]
        output: usize,
        /// ... for as many of the input.
        #[serde(with = "length")]
        input: usize,
    },
    /// A number that was given. It enters the formulas itself, not the quotient of the sizes.
    Given(#[serde(with = "number")] f32),
}

/// How one axis is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxisMap {
    /// The output's length.
    #[serde(with = "length")]
    pub length: usize,
    /// Output pixels for each of the input.
    pub scale: Scale,
    /// Start and end of what [`Coordinates::TfCropAndResize`] takes, in lengths of the input.
    #[serde(with = "number::pair")]
    pub roi: [f32; 2],
}

impl AxisMap {
    /// Maps a whole axis of one length to another one.
    #[must_use]
    pub fn sized(input: usize, output: usize) -> Self {
        AxisMap { length: output, scale: Scale::Ratio { output, input }, roi: [0.0, 1.0] }
    }

    /// Leaves an axis as it is.
    #[must_use]
    pub fn kept(length: usize) -> Self {
        AxisMap { length, scale: Scale::Ratio { output: 1, input: 1 }, roi: [0.0, 1.0] }
    }

    /// Tells whether the axis is copied, whatever the rule.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        let is_one = match self.scale {
            Scale::Ratio { output, input } => output == input,
            Scale::Given(scale) => scale.to_bits() == 1f32.to_bits(),
        };
        is_one && self.roi.map(f32::to_bits) == [0f32.to_bits(), 1f32.to_bits()]
    }
}

/// The rule that all axes of a node share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The weights.
    pub filter: Filter,
    /// Which place in the input an output pixel has.
    pub coordinates: Coordinates,
    /// Whether the weights are widened where the axis shrinks.
    pub antialias: bool,
    /// Whether pixels outside the input are left out and the other weights divided by their
    /// sum. Otherwise they count as the nearest pixel inside.
    pub exclude_outside: bool,
    /// What [`Coordinates::TfCropAndResize`] gives for places outside the input.
    #[serde(with = "number")]
    pub extrapolation_value: f32,
}

impl Sampling {
    /// Refuses a cubic whose weights would be no numbers.
    pub(super) fn check_cubic(&self, site: &Site) -> Result<()> {
        match self.filter {
            Filter::Cubic(a) if !a.is_finite() => Err(site.refuse(
                "cubic_coeff_a",
                format!("is {a}"),
                "a weight is a finite number",
                "use -0.75 or -0.5",
            )),
            Filter::Nearest(_)
            | Filter::Linear
            | Filter::Cubic(_)
            | Filter::Lanczos3
            | Filter::Lanczos5 => Ok(()),
        }
    }

    /// Returns Keras's rule: pixels outside are left out.
    #[must_use]
    pub fn keras(interpolation: Interpolation, coordinates: Coordinates, antialias: bool) -> Self {
        let nearest = match coordinates {
            Coordinates::AlignCorners => NearestMode::RoundPreferFloor,
            Coordinates::Asymmetric | Coordinates::TfHalfPixelForNn => NearestMode::Floor,
            // floor((x + 0.5) * in / out): the pixel that the center lies in.
            Coordinates::HalfPixel
            | Coordinates::HalfPixelSymmetric
            | Coordinates::PytorchHalfPixel
            | Coordinates::TfCropAndResize => NearestMode::RoundPreferCeil,
        };
        let filter = match interpolation {
            Interpolation::Nearest => Filter::Nearest(nearest),
            Interpolation::Bilinear => Filter::Linear,
            Interpolation::Bicubic => Filter::Cubic(-0.5),
            Interpolation::Lanczos3 => Filter::Lanczos3,
            Interpolation::Lanczos5 => Filter::Lanczos5,
        };
        Sampling { filter, coordinates, antialias, exclude_outside: true, extrapolation_value: 0.0 }
    }
}

/// A resampling of one axis, or of two that are neighbors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    /// The first axis.
    #[serde(with = "length")]
    pub axis: usize,
    /// How the first axis is resampled.
    pub rows: AxisMap,
    /// How the axis behind it is resampled, if it is.
    #[serde(deserialize_with = "Option::deserialize")]
    pub columns: Option<AxisMap>,
    /// The rule for both.
    pub sampling: Sampling,
}

impl Operator for Resampling {
    fn name(&self) -> &'static str {
        "resize2d"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        let [x] = of.only()?;
        let site = of.site(&format!("{self:?}"));
        self.sampling.check_cubic(&site)?;
        if matches!(self.sampling.filter, Filter::Nearest(_)) && self.sampling.antialias {
            let (got, expected) = ("is true", "nearest takes one pixel");
            return Err(site.refuse("antialias", got, expected, "use another filter"));
        }
        let mut dims = x.shape.dims().to_vec();
        for (place, map) in [Some(self.rows), self.columns].into_iter().flatten().enumerate() {
            let Some(Dim::Fixed(input)) = dims.get(self.axis.saturating_add(place)).copied() else {
                return Err(site.refuse(
                    "axis",
                    format!("is {}", self.axis),
                    format!(
                        "\"{}\" has {} axes, and the batch keeps its length",
                        x.name,
                        dims.len()
                    ),
                    "save the graph again",
                ));
            };
            self.check_map(&site, x, &map, input)?;
            if let Some(dim) = dims.get_mut(self.axis.saturating_add(place)) {
                *dim = Dim::Fixed(map.length);
            }
        }
        let shape = Shape::new(dims);
        element_count(of.node, &shape.resolve(1))?;
        Ok(shape)
    }

    /// The operand is seen as images whose height, and width if there are columns, are resampled.
    fn work(&self, at: &Shapes) -> Option<Work> {
        let (before, rest) = at.operand(0)?.split_at_checked(self.axis)?;
        let (height, rest) = rest.split_first()?;
        let (width, rest) = match self.columns {
            Some(_) => rest.split_first()?,
            None => (&1, rest),
        };
        // Their products were checked to fit when the shape was made.
        let [batch, channels] = [before, rest].map(|lengths| lengths.iter().product());
        Some(Work::Resize2d(Geometry {
            input: [batch, *height, *width, channels],
            rows: self.rows,
            columns: self.columns.unwrap_or_else(|| AxisMap::kept(1)),
            sampling: self.sampling,
            epilogue: at.epilogue.clone(),
        }))
    }

    /// Two axes are resampled at once only where they are still neighbors.
    fn reordered(&self, _node: &Node, perm: &[usize]) -> Option<Op> {
        let axis = *perm.get(self.axis)?;
        let second = self.columns.map(|_| perm.get(self.axis.checked_add(1)?).copied());
        let follows = second.is_none_or(|second| second == axis.checked_add(1));
        follows.then_some(Op::Resize2d(Resampling { axis, ..*self }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

impl Resampling {
    /// Checks that an axis gets the length that its scale and region give.
    fn check_map(&self, site: &Site, x: &Operand, map: &AxisMap, input: usize) -> Result<()> {
        let Sampling { coordinates, exclude_outside, .. } = self.sampling;
        let refuse = |option: &str, got: String, expected: &str| {
            Err(site.refuse(option, got, expected, "save the graph again"))
        };
        let crops = coordinates == Coordinates::TfCropAndResize;
        let whole = AxisMap::kept(input).roi.map(f32::to_bits) == map.roi.map(f32::to_bits);
        if !map.roi.iter().all(|edge| edge.is_finite()) || !(crops || whole) {
            let expected = "edges are finite, and 0 and 1 unless it is cropped";
            return refuse("roi", format!("is {:?}", map.roi), expected);
        }
        let length = match map.scale {
            Scale::Given(scale) => {
                let length = scaled(site, Dim::Fixed(input), scale, map.roi)?.length;
                // A model may declare one more or less; older files have the product rounded in f64.
                let most = (length >> 23).saturating_add(1);
                if !map.is_kept() && length.abs_diff(map.length) <= most {
                    check_pixels(site, input, map.length)?;
                    return Ok(());
                }
                length
            }
            Scale::Ratio { output, input: from } => {
                check_pixels(site, input, map.length)?;
                if (output, from) == (map.length, input) {
                    return Ok(());
                }
                if from == 0 {
                    let got = format!("is {:?}", map.scale);
                    return refuse("scale", got, "it is a ratio of lengths");
                }
                if exclude_outside && coordinates == Coordinates::AlignCorners {
                    let expected = "with aligned corners a shared scale may leave no pixel";
                    return refuse("exclude_outside", "is true".to_owned(), expected);
                }
                shared_length(input, output, from)
            }
        };
        if length == map.length {
            return Ok(());
        }
        let expected = format!("the scale makes {length} of {input} pixels of \"{}\"", x.name);
        refuse("length", format!("is {}", map.length), &expected)
    }
}

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input, seen as images: batch, height, width, channels; no length 0 among height and
    /// width, unless the output has one.
    pub input: [usize; 4],
    /// How the height is resampled.
    pub rows: AxisMap,
    /// How the width is resampled.
    pub columns: AxisMap,
    /// The rule for both.
    pub sampling: Sampling,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

impl Geometry {
    /// Returns the output's shape: batch, height, width, channels.
    #[must_use]
    pub fn output(&self) -> [usize; 4] {
        [self.input[0], self.rows.length, self.columns.length, self.input[3]]
    }
}
