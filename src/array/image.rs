//! Pictures of the crate `image`, with its feature: into host arrays and back.

use std::ops::Deref;

use image::{ImageBuffer, Pixel, Primitive};
use ndarray::{ArrayBase, ArrayView, Data, Dimension, Ix4};

use super::element::Element;
use super::host_array::HostArray;
use crate::error::{Error, Result};

/// A picture as a batch of one, (1, height, width, channels), without a copy and without a scale.
///
/// ```
/// use image::{GrayImage, Luma, RgbImage};
/// use longshore::array::to_image;
/// use longshore::{HostArray, Runtime};
///
/// # fn main() -> longshore::Result<()> {
/// let photo = RgbImage::from_fn(4, 2, |x, y| image::Rgb([x as u8, y as u8, 255]));
/// let array = HostArray::from(&photo);
/// assert_eq!(array.shape(), [1, 2, 4, 3]);
///
/// // Networks mostly want 0 to 1.
/// let staged = Runtime::host().stage("photo", array.scaled(1.0 / 255.0))?;
/// let back: RgbImage = to_image(&staged.read()?, 255.0)?;
/// assert_eq!(back, photo);
/// # Ok(())
/// # }
/// ```
impl<'a, P, C> From<&'a ImageBuffer<P, C>> for HostArray<'a>
where
    P: Pixel,
    P::Subpixel: Element,
    C: Deref<Target = [P::Subpixel]>,
{
    fn from(image: &'a ImageBuffer<P, C>) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        let shape = (1, height, width, usize::from(P::CHANNEL_COUNT));
        let samples: &[P::Subpixel] = image.as_raw();
        // A buffer may be longer than its picture and is never shorter.
        ArrayView::from_shape(shape, samples)
            .map_or_else(|_| HostArray::from(ArrayView::from(samples)), HostArray::from)
    }
}

/// A sample of a picture's channel: `u8`, `u16` or `f32`.
pub trait Sample: Element + Primitive {
    /// Makes a sample of a value; see [`to_image`].
    #[must_use]
    fn rounded(value: f64) -> Self;
}

impl Sample for u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    fn rounded(value: f64) -> Self {
        value.round() as u8
    }
}

impl Sample for u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    fn rounded(value: f64) -> Self {
        value.round() as u16
    }
}

impl Sample for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is asked for")]
    fn rounded(value: f64) -> Self {
        value as f32
    }
}

/// Makes a picture of (height, width, channels), or of a batch of one such.
///
/// Each value times `scale`, in f64, becomes a sample: for `u8` and `u16` the nearest whole
/// number, halves away from zero, with what lies outside of the type at its nearest end and NaN
/// at 0; for `f32` the nearest f32.
///
/// # Errors
///
/// [`Error::Operand`] for another shape, and for other channels than the pixel's.
pub fn to_image<P, S, D>(
    array: &ArrayBase<S, D>,
    scale: f64,
) -> Result<ImageBuffer<P, Vec<P::Subpixel>>>
where
    P: Pixel,
    P::Subpixel: Sample,
    S: Data<Elem = f32>,
    D: Dimension,
{
    let view = array.view().into_dyn();
    let refuse = || Error::Operand {
        node: "to_image".to_owned(),
        operand: "array".to_owned(),
        got: format!("has shape {:?}", array.shape()),
        expected: format!(
            "a picture is (height, width, {0}) or (1, height, width, {0})",
            P::CHANNEL_COUNT
        ),
        shapes: format!("{} channels in a pixel", P::CHANNEL_COUNT),
        remedy: "take one item of the batch, and a pixel with as many channels".to_owned(),
    };
    let view = if view.ndim() == 3 { view.insert_axis(ndarray::Axis(0)) } else { view };
    let view = view.into_dimensionality::<Ix4>().map_err(|_| refuse())?;
    let (items, height, width, channels) = view.dim();
    if items != 1 || channels != usize::from(P::CHANNEL_COUNT) {
        return Err(refuse());
    }
    let samples = view.iter().map(|&value| Sample::rounded(f64::from(value) * scale)).collect();
    let (width, height) = (u32::try_from(width), u32::try_from(height));
    let (Ok(width), Ok(height)) = (width, height) else { return Err(refuse()) };
    ImageBuffer::from_raw(width, height, samples).ok_or_else(refuse)
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, Rgb, Rgb32FImage, Rgba, RgbaImage};
    use ndarray::{Array3, array};

    use super::*;

    #[test]
    fn pictures_of_each_sample_and_pixel_go_in_without_a_copy() {
        let rgba = RgbaImage::from_fn(3, 2, |x, y| Rgba([x as u8, y as u8, 7, 255]));
        let array = HostArray::from(&rgba);
        assert_eq!(array.shape(), [1, 2, 3, 4]);
        let view = array.view_as::<u8>().unwrap();
        assert_eq!(view.as_ptr(), rgba.as_raw().as_ptr());
        assert_eq!((view[[0, 1, 2, 0]], view[[0, 1, 2, 1]]), (2, 1));

        let deep = ImageBuffer::from_fn(2, 1, |x, _| Luma([60_000 + x as u16]));
        let array = HostArray::from(&deep);
        assert_eq!(array.to_array::<u16>().unwrap(), array![[[[60_000], [60_001]]]].into_dyn());
        let floats = Rgb32FImage::from_pixel(1, 1, Rgb([0.5, 2.0, -1.0]));
        let array = HostArray::from(&floats);
        assert_eq!(array.to_array::<f32>().unwrap(), array![[[[0.5, 2.0, -1.0]]]].into_dyn());

        // A container that is longer than its picture.
        let long = ImageBuffer::<Luma<u8>, _>::from_raw(2, 1, vec![1, 2, 3]).unwrap();
        assert_eq!(HostArray::from(&long).shape(), [1, 1, 2, 1]);
    }

    #[test]
    fn samples_round_to_the_nearest_and_stay_in_their_type() {
        let values = array![[[0.5_f32], [1.4], [-3.0], [f32::NAN], [300.0], [2.5]]];
        let picture: ImageBuffer<Luma<u8>, _> = to_image(&values, 1.0).unwrap();
        assert_eq!(picture.as_raw(), &[1, 1, 0, 0, 255, 3]);
        let deep: ImageBuffer<Luma<u16>, _> = to_image(&values, 1000.0).unwrap();
        assert_eq!(deep.as_raw(), &[500, 1400, 0, 0, 65_535, 2500]);
        let floats: ImageBuffer<Luma<f32>, _> = to_image(&values, 2.0).unwrap();
        assert_eq!(floats.as_raw()[..3], [1.0, 2.8, -6.0]);
        assert!(floats.as_raw()[3].is_nan());
    }

    #[test]
    fn other_shapes_are_refused() {
        let three = Array3::<f32>::zeros((2, 5, 3));
        let picture: ImageBuffer<Rgb<u8>, _> = to_image(&three.view(), 1.0).unwrap();
        assert_eq!(picture.dimensions(), (5, 2));
        let error = to_image::<Luma<u8>, _, _>(&three, 1.0).unwrap_err().to_string();
        assert!(
            error.contains("has shape [2, 5, 3] but a picture is (height, width, 1)"),
            "{error}"
        );
        assert!(to_image::<Rgb<u8>, _, _>(&array![1.0_f32], 1.0).is_err());
        let two = ndarray::Array4::<f32>::zeros((2, 1, 1, 3));
        assert!(to_image::<Rgb<u8>, _, _>(&two, 1.0).is_err());
    }
}
