//! Which input pixels an output pixel takes along one axis, and with which weights.

use std::f64::consts::PI;

use super::axis::{Line, Place};
use super::{narrow, numbered};
use crate::error::Result;
use crate::ops::{Coordinates, Filter, NearestMode, Sampling};

/// Stands for a place outside the input, in tables of nearest pixels.
pub(crate) const OUTSIDE: u32 = u32::MAX;

/// Appends the pixels that an axis copies.
pub(super) fn append_nearest(
    table: &mut Vec<u32>,
    line: &Line,
    mode: NearestMode,
    coordinates: Coordinates,
) {
    table.extend((0..line.to).map(|x| match line.place(x, coordinates) {
        Some(place) => clamp(place.nearest(mode), line.from),
        None => OUTSIDE,
    }));
}

/// Appends an axis's taps: for each output pixel the first tap's pixel, how many there are,
/// their weights, and zeros up to the length of an entry, which is returned. A place outside
/// has no taps.
///
/// # Errors
///
/// [`Error::Limit`](crate::error::Error::Limit) when there are too many taps.
pub(super) fn append_taps(
    node: &str,
    table: &mut Vec<u32>,
    line: &Line,
    sampling: &Sampling,
) -> Result<u32> {
    let shrink = if sampling.antialias { line.factor().min(1.0) } else { 1.0 };
    let reach = radius(sampling.filter) / shrink;
    let most = (2.0 * reach + 3.0) * f64::from(line.to);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    numbered(node, "an axis", most.ceil() as u64, "taps")?;
    let mut entries = Vec::new();
    let mut longest = 0;
    for x in 0..line.to {
        let place = line.place(x, sampling.coordinates);
        let entry = place.map(|place| taps(place, line.from, sampling, shrink, reach));
        let entry = entry.unwrap_or_default();
        longest = longest.max(entry.1.len());
        entries.push(entry);
    }
    let [entry] = narrow(node, "the taps", [longest + 2])?;
    for (start, weights) in entries {
        let end = table.len() + longest + 2;
        let [count] = narrow(node, "the taps", [weights.len()])?;
        table.extend([start, count]);
        table.extend(weights.into_iter().map(f32::to_bits));
        table.resize(end, 0);
    }
    Ok(entry)
}

/// Returns the first tap's pixel and the taps' weights.
///
/// Zero weights at both ends are left out: a tap that counts for nothing must not bring in
/// an infinite pixel as NaN.
fn taps(place: Place, from: u32, sampling: &Sampling, shrink: f64, reach: f64) -> (u32, Vec<f32>) {
    #[expect(clippy::cast_possible_truncation, reason = "the reach was checked")]
    let [first, last] =
        [(place.fraction - reach).floor() as i64, (place.fraction + reach).ceil() as i64];
    let lowest = clamp(place.pixel.saturating_add(first), from);
    let highest = clamp(place.pixel.saturating_add(last), from);
    let mut weights = vec![0.0f64; (highest - lowest) as usize + 1];
    for tap in first..=last {
        let pixel = place.pixel.saturating_add(tap);
        let inside = clamp(pixel, from);
        if sampling.exclude_outside && i64::from(inside) != pixel {
            continue;
        }
        let distance = (place.fraction - tap as f64).abs() * shrink;
        weights[(inside - lowest) as usize] += kernel(distance, sampling.filter);
    }
    let Some(start) = weights.iter().position(|&weight| weight != 0.0) else {
        // No pixel that counts is left: the one next to the place stands for them.
        return (clamp(place.nearest(NearestMode::RoundPreferFloor), from), vec![1.0]);
    };
    let end = weights.iter().rposition(|&weight| weight != 0.0).map_or(start, |last| last + 1);
    let weights = &weights[start..end];
    let total: f64 = weights.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "the device computes in f32")]
    let weights = weights.iter().map(|weight| (weight / total) as f32).collect();
    #[expect(clippy::cast_possible_truncation, reason = "a pixel of the input")]
    let start = lowest + start as u32;
    (start, weights)
}

/// Returns the pixel of an axis that is nearest to a number.
fn clamp(pixel: i64, length: u32) -> u32 {
    let last = i64::from(length.saturating_sub(1));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
    let inside = pixel.clamp(0, last) as u32;
    inside
}

/// How far from a pixel its weight reaches.
fn radius(filter: Filter) -> f64 {
    match filter {
        Filter::Nearest(_) => 0.5,
        Filter::Linear => 1.0,
        Filter::Cubic(_) => 2.0,
        Filter::Lanczos3 => 3.0,
        Filter::Lanczos5 => 5.0,
    }
}

/// Returns the weight of a pixel at a distance.
fn kernel(distance: f64, filter: Filter) -> f64 {
    let d = distance;
    match filter {
        Filter::Nearest(_) => f64::from(u8::from(d <= 0.5)),
        Filter::Linear => (1.0 - d).max(0.0),
        Filter::Cubic(a) if d < 1.0 => {
            ((f64::from(a) + 2.0) * d - (f64::from(a) + 3.0)) * d * d + 1.0
        }
        Filter::Cubic(a) if d < 2.0 => f64::from(a) * (((d - 5.0) * d + 8.0) * d - 4.0),
        Filter::Cubic(_) => 0.0,
        Filter::Lanczos3 => lanczos(d, 3.0),
        Filter::Lanczos5 => lanczos(d, 5.0),
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
    use crate::ops::{AxisMap, Interpolation};

    fn line(from: usize, to: usize) -> Line {
        Line::new("t", from, &AxisMap::sized(from, to)).unwrap()
    }

    #[test]
    fn nearest_is_exact_and_takes_ties_by_its_mode() {
        let all = |from, to, coordinates, mode| {
            let mut table = Vec::new();
            append_nearest(&mut table, &line(from, to), mode, coordinates);
            table
        };
        let (floor, ceil) = (NearestMode::RoundPreferFloor, NearestMode::RoundPreferCeil);
        assert_eq!(all(3, 7, Coordinates::HalfPixel, ceil), [0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(all(3, 7, Coordinates::Asymmetric, NearestMode::Floor), [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(all(3, 7, Coordinates::Asymmetric, NearestMode::Ceil), [0, 1, 1, 2, 2, 2, 2]);
        assert_eq!(all(3, 5, Coordinates::AlignCorners, floor), [0, 0, 1, 1, 2]);
        assert_eq!(all(3, 5, Coordinates::AlignCorners, ceil), [0, 1, 1, 2, 2]);
        assert_eq!(all(4, 1, Coordinates::AlignCorners, floor), [0]);
    }

    #[test]
    fn taps_stay_on_the_image_and_sum_to_one() {
        use Interpolation::{Bicubic, Bilinear, Lanczos3, Lanczos5};
        for interpolation in [Bilinear, Bicubic, Lanczos3, Lanczos5] {
            for (from, to) in [(1, 4), (2, 7), (5, 3), (9, 20), (50, 3)] {
                for (antialias, exclude_outside) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    let rule = Sampling::keras(interpolation, Coordinates::HalfPixel, antialias);
                    let rule = Sampling { exclude_outside, ..rule };
                    let mut table = Vec::new();
                    let entry = append_taps("t", &mut table, &line(from, to), &rule).unwrap();
                    assert_eq!(table.len(), to * entry as usize);
                    for entry in table.chunks(entry as usize) {
                        let (start, count) = (entry[0] as usize, entry[1] as usize);
                        assert!(count > 0 && start + count <= from);
                        let sum: f32 = entry[2..2 + count].iter().map(|&w| f32::from_bits(w)).sum();
                        assert!((sum - 1.0).abs() <= 16.0 * f32::EPSILON);
                        assert!(entry[2 + count..].iter().all(|&rest| rest == 0));
                    }
                }
            }
        }
    }

    #[test]
    fn weights_are_those_of_the_published_kernels() {
        let place = Place::number(3.25);
        let taps = |filter| {
            let rule = Sampling::keras(Interpolation::Bilinear, Coordinates::HalfPixel, false);
            taps(place, 9, &Sampling { filter, ..rule }, 1.0, radius(filter))
        };
        assert_eq!(taps(Filter::Linear), (3, vec![0.75, 0.25]));
        let cubic = vec![-0.070_312_5, 0.867_187_5, 0.226_562_5, -0.023_437_5];
        assert_eq!(taps(Filter::Cubic(-0.5)), (2, cubic));
        let cubic = vec![-0.105_468_75, 0.878_906_25, 0.261_718_75, -0.035_156_25];
        assert_eq!(taps(Filter::Cubic(-0.75)), (2, cubic));
    }
}
