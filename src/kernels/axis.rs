//! Places: where an output pixel lies in the input, along one axis.
//!
//! They are exact fractions where the scale is one, so that a place on a pixel is exactly on
//! it and a tie is a tie; where a scale was given they are computed from it in f64, as ONNX's
//! reference does.

use std::cmp::Ordering;

use super::narrow;
use crate::error::Result;
use crate::ops::{AxisMap, Coordinates, NearestMode, Scale};

/// One axis, with lengths of 32 bits.
pub(super) struct Line {
    pub from: u32,
    pub to: u32,
    scale: LineScale,
    roi: [f64; 2],
    is_kept: bool,
}

#[derive(Clone, Copy)]
enum LineScale {
    Ratio { output: u32, input: u32 },
    Given(f64),
}

impl Line {
    pub(super) fn new(node: &str, from: usize, map: &AxisMap) -> Result<Line> {
        let scale = match map.scale {
            Scale::Ratio { output, input } => {
                let [output, input] = narrow(node, "a scale", [output, input])?;
                LineScale::Ratio { output, input }
            }
            Scale::Given(scale) => LineScale::Given(scale.into()),
        };
        let [from, to] = narrow(node, "an axis", [from, map.length])?;
        Ok(Line { from, to, scale, roi: map.roi.map(f64::from), is_kept: map.is_kept() })
    }

    /// Output pixels for each of the input.
    pub(super) fn factor(&self) -> f64 {
        match self.scale {
            LineScale::Ratio { output, input } => f64::from(output) / f64::from(input),
            LineScale::Given(scale) => scale,
        }
    }

    /// Maps an output pixel to its place in the input; `None` outside of what is cropped.
    pub(super) fn place(&self, x: u32, coordinates: Coordinates) -> Option<Place> {
        if self.is_kept {
            return Some(Place::fraction(x.into(), 1));
        }
        match (coordinates, self.scale) {
            (Coordinates::TfCropAndResize, _) => self.cropped(x),
            (_, LineScale::Ratio { output, input }) => {
                Some(self.by_ratio(x, coordinates, output.into(), input.into()))
            }
            (_, LineScale::Given(scale)) => Some(self.by_number(x, coordinates, scale)),
        }
    }

    /// With the scale `output / input`. 128 bits hold the products of three lengths.
    fn by_ratio(&self, x: u32, coordinates: Coordinates, output: i128, input: i128) -> Place {
        let (x, from, to) = (i128::from(x), i128::from(self.from), i128::from(self.to));
        let half_pixel = (2 * x + 1) * input - output;
        let (numerator, denominator) = match coordinates {
            Coordinates::PytorchHalfPixel if to <= 1 => (0, 1),
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => (half_pixel, 2 * output),
            Coordinates::HalfPixelSymmetric => {
                (from * output - to * input + half_pixel, 2 * output)
            }
            Coordinates::AlignCorners if from * output <= input => (0, 1),
            Coordinates::AlignCorners => (x * (from - 1) * input, from * output - input),
            Coordinates::Asymmetric | Coordinates::TfCropAndResize => (x * input, output),
            Coordinates::TfHalfPixelForNn => ((2 * x + 1) * input, 2 * output),
        };
        Place::fraction(numerator, denominator)
    }

    /// With a scale that was given; ONNX's formulas in ONNX's order.
    fn by_number(&self, x: u32, coordinates: Coordinates, scale: f64) -> Place {
        let (x, from, to) = (f64::from(x), f64::from(self.from), f64::from(self.to));
        // The output's length before it was rounded down.
        let length = scale * from;
        Place::number(match coordinates {
            Coordinates::PytorchHalfPixel if to <= 1.0 => 0.0,
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => (x + 0.5) / scale - 0.5,
            Coordinates::HalfPixelSymmetric => {
                let offset = from / 2.0 * (1.0 - to / length);
                offset + (x + 0.5) / scale - 0.5
            }
            Coordinates::AlignCorners if length <= 1.0 => 0.0,
            Coordinates::AlignCorners => x * (from - 1.0) / (length - 1.0),
            Coordinates::Asymmetric | Coordinates::TfCropAndResize => x / scale,
            Coordinates::TfHalfPixelForNn => (x + 0.5) / scale,
        })
    }

    /// Within a region of the input. Written as a mean of its ends, which is exact at both.
    fn cropped(&self, x: u32) -> Option<Place> {
        let [start, end] = self.roi;
        let (x, last) = (f64::from(x), f64::from(self.from) - 1.0);
        let length = match self.scale {
            LineScale::Ratio { output, input } => {
                f64::from(self.from) * f64::from(output) / f64::from(input)
            }
            LineScale::Given(scale) => f64::from(self.from) * (end - start) * scale,
        };
        let at = if length <= 1.0 {
            0.5 * (start + end) * last
        } else {
            (start * (length - 1.0 - x) + end * x) * last / (length - 1.0)
        };
        (0.0..=last).contains(&at).then(|| Place::number(at))
    }
}

/// A place on an axis: the pixel at or before it, and how far behind that pixel it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub pixel: i64,
    pub fraction: f64,
    /// How the fraction compares with a half.
    half: Ordering,
}

impl Place {
    fn fraction(numerator: i128, denominator: i128) -> Place {
        let rest = numerator.rem_euclid(denominator);
        #[expect(clippy::cast_possible_truncation, reason = "lengths have 32 bits")]
        let pixel = numerator.div_euclid(denominator) as i64;
        let fraction = rest as f64 / denominator as f64;
        Place { pixel, fraction, half: (2 * rest).cmp(&denominator) }
    }

    pub(super) fn number(at: f64) -> Place {
        let fraction = at - at.floor();
        #[expect(clippy::cast_possible_truncation, reason = "a larger one saturates")]
        let pixel = at.floor() as i64;
        let half = fraction.partial_cmp(&0.5).unwrap_or(Ordering::Less);
        Place { pixel, fraction, half }
    }

    /// Returns the pixel that a nearest mode takes, which may lie outside the input.
    pub(super) fn nearest(self, mode: NearestMode) -> i64 {
        let takes_next = match mode {
            NearestMode::RoundPreferFloor => self.half == Ordering::Greater,
            NearestMode::RoundPreferCeil => self.half != Ordering::Less,
            NearestMode::Floor => false,
            NearestMode::Ceil => self.fraction > 0.0,
        };
        self.pixel.saturating_add(takes_next.into())
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "places that are exact are compared so")]
mod tests {
    use super::*;

    fn line(from: usize, to: usize) -> Line {
        Line::new("t", from, &AxisMap::sized(from, to)).unwrap()
    }

    fn given(from: usize, to: usize, scale: f32) -> Line {
        let map = AxisMap { length: to, scale: Scale::Given(scale), roi: [0.0, 1.0] };
        Line::new("t", from, &map).unwrap()
    }

    fn at(line: &Line, x: u32, coordinates: Coordinates) -> f64 {
        let place = line.place(x, coordinates).unwrap();
        place.pixel as f64 + place.fraction
    }

    #[test]
    fn the_longest_axes_have_exact_places() {
        let last = u32::MAX - 1;
        let mut long = line(u32::MAX as usize, u32::MAX as usize);
        long.is_kept = false;
        for coordinates in [Coordinates::HalfPixel, Coordinates::AlignCorners] {
            let place = long.place(last, coordinates).unwrap();
            assert_eq!((place.pixel, place.fraction), (i64::from(last), 0.0));
        }
    }

    #[test]
    fn a_single_output_pixel_lies_at_0_for_pytorch() {
        // Not at -0.5, which a cubic would tell.
        assert_eq!(at(&line(4, 1), 0, Coordinates::PytorchHalfPixel), 0.0);
        assert_eq!(at(&given(4, 1, 0.3), 0, Coordinates::PytorchHalfPixel), 0.0);
        assert_eq!(at(&line(4, 1), 0, Coordinates::HalfPixel), 1.5);
        assert_eq!(at(&line(4, 2), 1, Coordinates::PytorchHalfPixel), 2.5);
    }

    #[test]
    fn a_given_scale_enters_the_formulas() {
        assert_eq!(at(&given(5, 3, 0.625), 2, Coordinates::Asymmetric), 3.2);
        assert_eq!(at(&line(5, 3), 2, Coordinates::Asymmetric), 10.0 / 3.0);
        assert_eq!(at(&given(5, 3, 0.625), 2, Coordinates::TfHalfPixelForNn), 4.0);
        assert_eq!(at(&given(5, 3, 0.625), 2, Coordinates::HalfPixel), 3.5);
        // The output would be 3.125 pixels long.
        let aligned = at(&given(5, 3, 0.625), 2, Coordinates::AlignCorners);
        assert!((aligned - 8.0 / 2.125).abs() < 1e-15);
        let symmetric = at(&given(5, 3, 0.625), 2, Coordinates::HalfPixelSymmetric);
        assert!((symmetric - 3.6).abs() < 1e-15);
    }

    #[test]
    fn a_crop_ends_exactly_at_its_ends() {
        for (from, to, end) in [(7, 5, 1.0f32), (1000, 999, 0.3), (3, 1, 0.7)] {
            let map = AxisMap { roi: [0.1, end], ..AxisMap::sized(from, to) };
            let line = Line::new("t", from, &map).unwrap();
            let last = (from - 1) as f64;
            let found = at(&line, line.to - 1, Coordinates::TfCropAndResize);
            let expected =
                if to == 1 { 0.5 * (f64::from(0.1f32) + f64::from(end)) } else { end.into() };
            assert!((found - expected * last).abs() <= 1e-13 * last, "{found}");
        }
        let map = AxisMap { roi: [-0.5, 1.0], ..AxisMap::sized(7, 4) };
        let line = Line::new("t", 7, &map).unwrap();
        let inside = |x| line.place(x, Coordinates::TfCropAndResize).is_some();
        assert_eq!([0, 1, 2, 3].map(inside), [false, true, true, true]);
    }
}
