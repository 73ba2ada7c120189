//! How axes are resampled, with every option resolved: what a `resize2d` node holds.

use crate::ops::{Coordinates, Interpolation};

/// Names which of the two pixels around a place is the nearest: ONNX's `nearest_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// One pixel, copied exactly.
    Nearest(NearestMode),
    /// `1 - distance`, of the two pixels around.
    Linear,
    /// Keys' cubic convolution with this coefficient, of four pixels.
    Cubic(f32),
    /// Windowed sinc of radius 3.
    Lanczos3,
    /// Windowed sinc of radius 5.
    Lanczos5,
}

/// How many output pixels stand for one of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// An exact fraction, from sizes.
    Ratio {
        /// Pixels of the output ...
        output: usize,
        /// ... for as many of the input.
        input: usize,
    },
    /// A number that was given. It enters the formulas itself, not the quotient of the sizes.
    Given(f32),
}

/// How one axis is resampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisMap {
    /// The output's length.
    pub length: usize,
    /// Output pixels for each of the input.
    pub scale: Scale,
    /// Start and end of what [`Coordinates::TfCropAndResize`] takes, in lengths of the input.
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
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pub extrapolation_value: f32,
}

impl Sampling {
    /// Returns Keras's rule: pixels outside are left out.
    #[must_use]
    pub fn keras(interpolation: Interpolation, coordinates: Coordinates, antialias: bool) -> Self {
        let nearest = match coordinates {
            Coordinates::AlignCorners => NearestMode::RoundPreferFloor,
            Coordinates::Asymmetric | Coordinates::TfHalfPixelForNn => NearestMode::Floor,
            // floor((x + 0.5) * in / out): the pixel that the centre lies in.
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

/// A resampling of one axis, or of two that are neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// The first axis.
    pub axis: usize,
    /// How the first axis is resampled.
    pub rows: AxisMap,
    /// How the axis behind it is resampled, if it is.
    pub columns: Option<AxisMap>,
    /// The rule for both.
    pub sampling: Sampling,
}
