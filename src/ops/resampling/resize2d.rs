//! Resampling of height and width: `up_sampling2d` and `resize2d`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::graph::{Graph, Pending, Symbol};
use crate::ops::convolution::window::check_positive;
use crate::ops::{AxisMap, Op, Pair, Resampling, Sampling};

/// Names the interpolation between pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest pixel, copied exactly.
    #[default]
    Nearest,
    /// Linear in height and width.
    Bilinear,
    /// Keys' cubic with coefficient -0.5, as in Keras on TensorFlow, JAX and NumPy.
    Bicubic,
    /// Lanczos windowed sinc of radius 3.
    Lanczos3,
    /// Lanczos windowed sinc of radius 5.
    Lanczos5,
}

/// Names the rule that maps an output pixel to a place in the input.
///
/// `in / out` stands for the inverse of the scale; [`Resize`](crate::ops::Resize) can be given one
/// that differs from the quotient of the sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// `(x + 0.5) * in / out - 0.5`: pixel centers agree. Keras's only rule.
    #[default]
    HalfPixel,
    /// `x * (in - 1) / (out - 1)`, 0 for a single output: corner centers agree.
    AlignCorners,
    /// `x * in / out`: upper left corners agree.
    Asymmetric,
    /// Half-pixel, with the centers of input and output agreeing where an output's length was
    /// rounded: ONNX's `half_pixel_symmetric`.
    HalfPixelSymmetric,
    /// Half-pixel, but 0 for a single output pixel.
    PytorchHalfPixel,
    /// `(x + 0.5) * in / out`, of ONNX's opset 11 alone.
    TfHalfPixelForNn,
    /// Corners of a region of the input, with a value for what lies outside: ONNX's
    /// `tf_crop_and_resize`, for [`Resize`](crate::ops::Resize) alone.
    TfCropAndResize,
}

/// Describes a resampling of an image to a given size, by Keras's rules.
///
/// ```
/// use longshore::{Graph, Interpolation, Resize2d, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.resize2d(x, Resize2d::new((10, 12)).interpolation(Interpolation::Bicubic))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([10, 12, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize2d {
    size: Pair,
    interpolation: Interpolation,
    coordinates: Coordinates,
    antialias: bool,
}

impl Resize2d {
    /// Resizes to `size` (height, width) by the nearest pixel, pixel centers agreeing.
    pub fn new(size: impl Into<Pair>) -> Self {
        Resize2d {
            size: size.into(),
            interpolation: Interpolation::Nearest,
            coordinates: Coordinates::HalfPixel,
            antialias: false,
        }
    }

    /// Sets the interpolation.
    #[must_use]
    pub fn interpolation(mut self, interpolation: Interpolation) -> Self {
        self.interpolation = interpolation;
        self
    }

    /// Sets the coordinate rule.
    #[must_use]
    pub fn coordinates(mut self, coordinates: Coordinates) -> Self {
        self.coordinates = coordinates;
        self
    }

    /// Widens the weights where the image shrinks, as `keras.ops.image.resize` does.
    #[must_use]
    pub fn antialias(mut self, antialias: bool) -> Self {
        self.antialias = antialias;
        self
    }
}

/// Describes an upsampling by whole factors, Keras's `UpSampling2D`.
///
/// ```
/// use longshore::{Graph, Shape, UpSampling2d};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 3]));
/// let y = g.up_sampling2d(x, UpSampling2d::bilinear(2))?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 16, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpSampling2d {
    size: Pair,
    interpolation: Interpolation,
}

impl UpSampling2d {
    /// Makes a layer that enlarges height and width by these factors.
    pub fn new(size: impl Into<Pair>, interpolation: Interpolation) -> Self {
        UpSampling2d { size: size.into(), interpolation }
    }

    /// Repeats each pixel: an exact copy.
    pub fn nearest(size: impl Into<Pair>) -> Self {
        UpSampling2d::new(size, Interpolation::Nearest)
    }

    /// Interpolates linearly.
    pub fn bilinear(size: impl Into<Pair>) -> Self {
        UpSampling2d::new(size, Interpolation::Bilinear)
    }

    /// Interpolates by Keys' cubic.
    pub fn bicubic(size: impl Into<Pair>) -> Self {
        UpSampling2d::new(size, Interpolation::Bicubic)
    }

    /// Interpolates by a windowed sinc of radius 3.
    pub fn lanczos3(size: impl Into<Pair>) -> Self {
        UpSampling2d::new(size, Interpolation::Lanczos3)
    }

    /// Interpolates by a windowed sinc of radius 5.
    pub fn lanczos5(size: impl Into<Pair>) -> Self {
        UpSampling2d::new(size, Interpolation::Lanczos5)
    }
}

impl Graph {
    /// Enlarges height and width by whole factors, without antialiasing, as Keras does.
    ///
    /// `x` is (batch, height, width, channels), the result (batch, height * factor,
    /// width * factor, channels).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image or a factor is 0.
    pub fn up_sampling2d(&mut self, x: Symbol, layer: UpSampling2d) -> Result<Symbol> {
        let pending = self.begin("up_sampling2d", None, [("x", x)])?;
        let [x] = &pending.operands;
        let site = pending.site(&format!("size {}", layer.size));
        let [height, width, _] = x.image(&site)?;
        check_positive(&site, "size", layer.size)?;
        let product = |length: usize, factor: usize| {
            length.checked_mul(factor).ok_or_else(|| {
                site.refuse(
                    "size",
                    format!("is {}", layer.size),
                    format!("{length} * {factor} pixels are more than a machine word counts"),
                    "use smaller factors",
                )
            })
        };
        let size =
            Pair::new(product(height, layer.size.height)?, product(width, layer.size.width)?);
        let coordinates = Coordinates::HalfPixel;
        let interpolation = layer.interpolation;
        let layer = Resize2d { size, interpolation, coordinates, antialias: false };
        self.resample(pending, layer)
    }

    /// Resamples height and width to a given size, by Keras's rules.
    ///
    /// `x` is (batch, height, width, channels), the result (batch, size.height,
    /// size.width, channels). With half-pixel coordinates the rule is
    /// `keras.ops.image.resize`'s, so that of Keras's `Resizing`; the other coordinates are
    /// ONNX `Resize`'s. Pixels outside the image are left out, and the weights of the others
    /// divided by their sum.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when `x` is no image, is empty, or the
    /// size has a 0, [`Error::Unsupported`] for antialiasing of nearest and for
    /// [`Coordinates::TfCropAndResize`], which [`Graph::resize`] has.
    pub fn resize2d(&mut self, x: Symbol, layer: Resize2d) -> Result<Symbol> {
        let pending = self.begin("resize2d", None, [("x", x)])?;
        check_positive(&pending.site(""), "size", layer.size)?;
        let unsupported = |what: &str, remedy: &str| {
            let (what, remedy) = (what.to_owned(), remedy.to_owned());
            Err(Error::Unsupported { node: pending.node.clone(), what, remedy })
        };
        if layer.coordinates == Coordinates::TfCropAndResize {
            return unsupported("a crop by resize2d", "use Graph::resize with a roi");
        }
        if layer.antialias && layer.interpolation == Interpolation::Nearest {
            return unsupported("antialias of nearest", "use another interpolation");
        }
        self.resample(pending, layer)
    }

    fn resample(&mut self, pending: Pending<1>, layer: Resize2d) -> Result<Symbol> {
        let (site, [x]) = (pending.site(""), &pending.operands);
        let [height, width, _] = x.image(&site)?;
        if height == 0 || width == 0 {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                format!("is {height} by {width}"),
                "an image without pixels cannot be resampled",
                "use an image of at least one pixel",
            ));
        }
        let Resize2d { size, interpolation, coordinates, antialias } = layer;
        let op = Op::Resize2d(Resampling {
            axis: 1,
            rows: AxisMap::sized(height, size.height),
            columns: Some(AxisMap::sized(width, size.width)),
            sampling: Sampling::keras(interpolation, coordinates, antialias),
        });
        self.add_node(pending, op, Vec::new())
    }
}
