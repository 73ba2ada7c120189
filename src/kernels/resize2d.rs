//! Resampling of height and width through tables of taps.
//!
//! Which input pixels an output row or column takes, and with which weights, is the same for
//! every image and channel. It is computed here once, from coordinates that are exact
//! fractions, and goes to the device with the parameters.
//!
//! Taps outside the image are dropped and the weights of the others divided by their sum:
//! what Keras (through JAX's `scale_and_translate`) does at edges. For bilinear that is the
//! same as repeating the edge pixel. There is no antialiasing: the kernels keep their radius
//! when an image shrinks.

use std::f64::consts::PI;

use super::{Binding, Definition, Family, Kernel, Launch, count, fold, narrow};
use crate::error::Result;
use crate::graph::{Coordinates, Interpolation};

/// The family's WGSL.
const SOURCE: &str = concat!(
    include_str!("../../shaders/resize2d.wgsl"),
    include_str!("../../shaders/shared/thread.wgsl"),
);

parameters! {
    threads: u32,
    input_height: u32,
    input_width: u32,
    channels: u32,
    output_height: u32,
    output_width: u32,
    row_entry: u32,
    column_entry: u32,
}

/// What the family is made of.
pub const DEFINITION: Definition = Definition {
    stem: "resize2d",
    source: SOURCE,
    entries: &["nearest", "nearest4", "taps", "taps4"],
    bindings: &[Binding::Params, Binding::Table, Binding::Read, Binding::Write],
    fields: FIELDS,
};

/// What to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape: batch, height, width, channels; no length 0 among height and width.
    pub input: [usize; 4],
    /// Height and width of the output.
    pub size: [usize; 2],
    /// How to go from pixels to the place between them.
    pub interpolation: Interpolation,
    /// Which place in the input an output pixel has.
    pub coordinates: Coordinates,
}

/// Makes the dispatch for a geometry.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when a size exceeds what the kernel or the
/// device can number.
pub fn launch(
    node: &str,
    geometry: &Geometry,
    max_workgroups_per_dimension: u32,
) -> Result<Launch> {
    let Geometry { input, size, interpolation, coordinates } = *geometry;
    count(node, "the input", &input)?;
    let elements = count(node, "the output", &[input[0], size[0], size[1], input[3]])?;
    let [_, input_height, input_width, input_channels] = narrow(node, "the input", input)?;
    let [output_height, output_width] = narrow(node, "the output", size)?;
    let entry = entry_length(interpolation);
    count(node, "the table of taps", &[size[0], entry])?;
    count(node, "the table of taps", &[size[1], entry])?;
    let mut table = Vec::new();
    if elements > 0 {
        for (from, to) in [(input_height, output_height), (input_width, output_width)] {
            append_axis(&mut table, from, to, interpolation, coordinates);
        }
    } else {
        // A binding must not be empty.
        table.push(0);
    }
    let [row_entry, column_entry] = narrow(node, "the table of taps", [entry; 2])?;
    let is_wide = elements > 0 && input_channels.is_multiple_of(4);
    let width = if is_wide { 4 } else { 1 };
    let (threads, channels) = (elements / width, input_channels / width);
    let params = Params {
        threads,
        input_height,
        input_width,
        channels,
        output_height,
        output_width,
        row_entry,
        column_entry,
    };
    let entry = match (interpolation, is_wide) {
        (Interpolation::Nearest, false) => "nearest",
        (Interpolation::Nearest, true) => "nearest4",
        (_, false) => "taps",
        (_, true) => "taps4",
    };
    Ok(Launch {
        kernel: Kernel { family: Family::Resize2d, entry },
        params: bytemuck::bytes_of(&params).to_vec(),
        table: bytemuck::cast_slice(&table).to_vec(),
        workgroups: fold(node, threads.into(), max_workgroups_per_dimension)?,
    })
}

/// Taps to each side of a place between two pixels; 0 for nearest.
fn radius(interpolation: Interpolation) -> u8 {
    match interpolation {
        Interpolation::Nearest => 0,
        Interpolation::Bilinear => 1,
        Interpolation::Bicubic => 2,
        Interpolation::Lanczos3 => 3,
        Interpolation::Lanczos5 => 5,
    }
}

/// Numbers in the table for one output row or column.
pub(crate) fn entry_length(interpolation: Interpolation) -> usize {
    match interpolation {
        Interpolation::Nearest => 1,
        other => 2 + 2 * usize::from(radius(other)),
    }
}

/// Appends the entries of one axis.
fn append_axis(
    table: &mut Vec<u32>,
    from: u32,
    to: u32,
    interpolation: Interpolation,
    coordinates: Coordinates,
) {
    for x in 0..to {
        if interpolation == Interpolation::Nearest {
            table.push(nearest(x, from, to, coordinates));
            continue;
        }
        let (start, weights) = taps(Place::of(x, from, to, coordinates), from, interpolation);
        let end = table.len() + entry_length(interpolation);
        #[expect(clippy::cast_possible_truncation, reason = "there are at most 10 taps")]
        let count = weights.len() as u32;
        table.extend([start, count]);
        table.extend(weights.into_iter().map(f32::to_bits));
        table.resize(end, 0);
    }
}

/// Returns the input pixel that output pixel `x` copies.
///
/// Half-pixel: `floor((x + 0.5) * from / to)`. Align-corners: `x * (from - 1) / (to - 1)` to the
/// nearest whole number, halves down (ONNX's `round_prefer_floor`). Asymmetric:
/// `floor(x * from / to)`.
fn nearest(x: u32, from: u32, to: u32, coordinates: Coordinates) -> u32 {
    let (x, from, to) = (u128::from(x), u128::from(from), u128::from(to));
    let pixel = match coordinates {
        Coordinates::HalfPixel => (2 * x + 1) * from / (2 * to),
        Coordinates::AlignCorners if to == 1 => 0,
        // ceil(p - 1/2), which takes a half down.
        Coordinates::AlignCorners => {
            (2 * x * (from - 1)).saturating_sub(to - 1).div_ceil(2 * (to - 1))
        }
        Coordinates::Asymmetric => x * from / to,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the input is below `from`")]
    let pixel = pixel as u32;
    pixel
}

/// A place on an axis: the pixel at or before it, and how far behind that pixel it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    pixel: i64,
    fraction: f64,
}

impl Place {
    /// Maps an output pixel to its place in the input. The fraction's numerator and
    /// denominator are whole numbers, so that a place on a pixel is exactly on it.
    fn of(x: u32, from: u32, to: u32, coordinates: Coordinates) -> Place {
        let (x, from, to) = (i128::from(x), i128::from(from), i128::from(to));
        let (numerator, denominator) = match coordinates {
            Coordinates::HalfPixel => ((2 * x + 1) * from - to, 2 * to),
            Coordinates::AlignCorners if to == 1 => (0, 1),
            Coordinates::AlignCorners => (x * (from - 1), to - 1),
            Coordinates::Asymmetric => (x * from, to),
        };
        #[expect(clippy::cast_possible_truncation, reason = "at most a pixel outside the input")]
        let pixel = numerator.div_euclid(denominator) as i64;
        // Both are below 2^34, so exact in f64.
        let fraction = numerator.rem_euclid(denominator) as f64 / denominator as f64;
        Place { pixel, fraction }
    }
}

/// Returns the first tap's pixel and the taps' weights.
///
/// Zero weights at both ends are left out: a tap that counts for nothing must not bring in
/// an infinite pixel as NaN.
fn taps(place: Place, from: u32, interpolation: Interpolation) -> (u32, Vec<f32>) {
    let radius = i64::from(radius(interpolation));
    let mut start = 0;
    let mut weights: Vec<f64> = Vec::new();
    for tap in 1 - radius..=radius {
        let Some(pixel) = u32::try_from(place.pixel + tap).ok().filter(|&pixel| pixel < from)
        else {
            continue;
        };
        let weight = kernel((place.fraction - tap as f64).abs(), interpolation);
        if weights.is_empty() {
            start = pixel;
        }
        if weight != 0.0 || !weights.is_empty() {
            weights.push(weight);
        }
    }
    while weights.last() == Some(&0.0) {
        weights.pop();
    }
    let total: f64 = weights.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "the device computes in f32")]
    let weights = weights.into_iter().map(|weight| (weight / total) as f32).collect();
    (start, weights)
}

/// Returns the weight of a pixel at a distance.
fn kernel(distance: f64, interpolation: Interpolation) -> f64 {
    let d = distance;
    match interpolation {
        Interpolation::Nearest => f64::from(u8::from(d <= 0.5)),
        Interpolation::Bilinear => (1.0 - d).max(0.0),
        // Keys' cubic convolution with a = -1/2.
        Interpolation::Bicubic if d < 1.0 => (1.5 * d - 2.5) * d * d + 1.0,
        Interpolation::Bicubic if d < 2.0 => ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0,
        Interpolation::Bicubic => 0.0,
        Interpolation::Lanczos3 => lanczos(d, 3.0),
        Interpolation::Lanczos5 => lanczos(d, 5.0),
    }
}

/// `sinc(d) * sinc(d / radius)` within the radius.
fn lanczos(d: f64, radius: f64) -> f64 {
    if d == 0.0 {
        1.0
    } else if d >= radius || d.fract() == 0.0 {
        // Exactly 0, where the sine of a rounded multiple of pi is not.
        0.0
    } else {
        radius * (PI * d).sin() * (PI * d / radius).sin() / (PI * PI * d * d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_exact_and_takes_halves_down() {
        let all = |from, to, coordinates| -> Vec<u32> {
            (0..to).map(|x| nearest(x, from, to, coordinates)).collect()
        };
        assert_eq!(all(3, 7, Coordinates::HalfPixel), [0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(all(3, 7, Coordinates::Asymmetric), [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(all(3, 5, Coordinates::AlignCorners), [0, 0, 1, 1, 2]);
        assert_eq!(all(4, 1, Coordinates::AlignCorners), [0]);
        let last = u32::MAX - 1;
        assert_eq!(nearest(last, u32::MAX, u32::MAX, Coordinates::HalfPixel), last);
        assert_eq!(nearest(last, u32::MAX, u32::MAX, Coordinates::AlignCorners), last);
    }

    #[test]
    fn taps_stay_on_the_image_and_sum_to_one() {
        let smooth = [
            Interpolation::Bilinear,
            Interpolation::Bicubic,
            Interpolation::Lanczos3,
            Interpolation::Lanczos5,
        ];
        for interpolation in smooth {
            for (from, to) in [(1, 4), (2, 7), (5, 3), (9, 20)] {
                for x in 0..to {
                    let place = Place::of(x, from, to, Coordinates::HalfPixel);
                    let (start, weights) = taps(place, from, interpolation);
                    assert!(start as usize + weights.len() <= from as usize);
                    assert!((weights.iter().sum::<f32>() - 1.0).abs() <= 4.0 * f32::EPSILON);
                }
            }
            let on_a_pixel = Place::of(4, 9, 9, Coordinates::HalfPixel);
            assert_eq!(taps(on_a_pixel, 9, interpolation), (4, vec![1.0]));
        }
    }

    #[test]
    fn weights_are_those_of_the_published_kernels() {
        let place = Place { pixel: 3, fraction: 0.25 };
        assert_eq!(taps(place, 9, Interpolation::Bilinear), (3, vec![0.75, 0.25]));
        let cubic = vec![-0.070_312_5, 0.867_187_5, 0.226_562_5, -0.023_437_5];
        assert_eq!(taps(place, 9, Interpolation::Bicubic), (2, cubic));
    }
}
