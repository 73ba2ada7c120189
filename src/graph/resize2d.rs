//! Resampling of height and width: `up_sampling2d` and `resize2d`.

use super::window::check_positive;
use super::{Graph, Op, Operand, Pair, Site, Symbol, title};
use crate::error::Result;
use crate::shape::{Shape, element_count};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coordinates {
    /// `(x + 0.5) * in / out - 0.5`: pixel centres agree. Keras's only rule.
    #[default]
    HalfPixel,
    /// `x * (in - 1) / (out - 1)`, 0 for a single output: corner centres agree.
    AlignCorners,
    /// `x * in / out`: upper left corners agree.
    Asymmetric,
}

/// A resampling with its output size resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize2d {
    size: Pair,
    interpolation: Interpolation,
    coordinates: Coordinates,
}

impl Resize2d {
    /// Resizes to `size` (height, width) by the nearest pixel, pixel centres agreeing.
    pub fn new(size: impl Into<Pair>) -> Self {
        Resize2d {
            size: size.into(),
            interpolation: Interpolation::Nearest,
            coordinates: Coordinates::HalfPixel,
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

    /// Returns interpolation and coordinate rule.
    #[must_use]
    pub fn rule(&self) -> (Interpolation, Coordinates) {
        (self.interpolation, self.coordinates)
    }
}

/// Describes an upsampling by whole factors, Keras's `UpSampling2D`.
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
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no image or a factor is 0.
    pub fn up_sampling2d(&mut self, x: Symbol, layer: UpSampling2d) -> Result<Symbol> {
        let name = self.name_for("up_sampling2d", None)?;
        let node = title("up_sampling2d", &name);
        let x = self.operand(&node, "x", x)?;
        let site = Site::new(&node, format!("{}, size {}", x.describe(), layer.size));
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
        let layer = Resize2d { size, interpolation: layer.interpolation, coordinates };
        self.resample(&node, name, &x, layer)
    }

    /// Resamples height and width to a given size, without antialiasing.
    ///
    /// `x` is (batch, height, width, channels), the result (batch, size.height,
    /// size.width, channels). With half-pixel coordinates the rule is
    /// `keras.ops.image.resize`'s; the other coordinates are ONNX `Resize`'s.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when `x` is no image, is empty, or the
    /// size has a 0.
    pub fn resize2d(&mut self, x: Symbol, layer: Resize2d) -> Result<Symbol> {
        let name = self.name_for("resize2d", None)?;
        let node = title("resize2d", &name);
        let x = self.operand(&node, "x", x)?;
        check_positive(&Site::new(&node, x.describe()), "size", layer.size)?;
        self.resample(&node, name, &x, layer)
    }

    fn resample(
        &mut self,
        node: &str,
        name: String,
        x: &Operand,
        layer: Resize2d,
    ) -> Result<Symbol> {
        let site = Site::new(node, x.describe());
        let [height, width, channels] = x.image(&site)?;
        if height == 0 || width == 0 {
            return Err(site.refuse(
                &format!("\"{}\"", x.name),
                format!("is {height} by {width}"),
                "an image without pixels cannot be resampled",
                "use an image of at least one pixel",
            ));
        }
        let Pair { height, width } = layer.size;
        let dims = [x.shape.dims()[0], height.into(), width.into(), channels.into()];
        let shape = Shape::new(dims);
        element_count(&site.node, &shape.resolve(1))?;
        Ok(self.insert(name, Op::Resize2d(layer), vec![x.index], Vec::new(), shape))
    }
}
