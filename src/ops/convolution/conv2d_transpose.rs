//! 2-D transposed convolution, by Keras's rules or by ONNX's.
//!
//! The kernel is (kh, kw, filters/groups, Cin): for one group Keras's layout, and ONNX's
//! (Cin, filters/groups, kh, kw) with its axes permuted. Kernel and bias are weights of the
//! node; a kernel that the graph computes is a case of ONNX that is not supported.
//! `convolve_transpose` has the rules of output sizes.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol};
use crate::kernels::Work;
use crate::ops::convolution::convolve_transpose::{Layer, Rule, infer};
use crate::ops::convolution::space::{Space, image};
use crate::ops::convolution::window::{Options, Padding, Pair, window_setters};
use crate::ops::{Activation, Arguments, Epilogue, Operator, Shapes};
use crate::serial::length;
use crate::shape::Shape;

/// A transposed convolution whose output size and cropping are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Steps between the places that neighboring input pixels write to.
    pub strides: Pair,
    /// Steps between the kernel's taps, in pixels.
    pub dilation: Pair,
    /// Rows and columns cropped from the top and the left of the full result.
    pub crop: Pair,
    /// Height and width of the kernel.
    pub kernel_size: Pair,
    /// Blocks that the channels are split into.
    #[serde(with = "length")]
    pub groups: usize,
}

/// Describes a 2-D transposed convolution layer; defaults are Keras's.
///
/// Made by [`Conv2dTranspose::new`] it follows Keras, whose paddings are `Valid` and `Same`;
/// made by [`Conv2dTranspose::onnx`] it follows ONNX, with every padding and `output_shape`.
///
/// ```
/// use longshore::{Conv2dTranspose, Graph, HostArray, LayerWeights, Padding, Shape};
/// use ndarray::Array4;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([8, 8, 4]));
/// let kernel = HostArray::from(Array4::<f32>::zeros((4, 4, 2, 4)));
/// let weights = LayerWeights::new(kernel);
/// let layer = Conv2dTranspose::new(2, 4).strides(2).padding(Padding::Same);
/// let y = g.conv2d_transpose(x, layer, &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 16, 2])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Conv2dTranspose {
    filters: usize,
    kernel_size: Pair,
    groups: usize,
    rule: Rule,
    output_padding: Option<Pair>,
    output_shape: Option<Pair>,
    options: Options,
}

impl Conv2dTranspose {
    /// Makes a layer of `filters` output channels by Keras's rules; strides 1, padding `Valid`.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        Conv2dTranspose {
            filters,
            kernel_size: kernel_size.into(),
            groups: 1,
            rule: Rule::Keras,
            output_padding: None,
            output_shape: None,
            options: Options::default(),
        }
    }

    /// Makes a layer of `filters` output channels by ONNX's rules; strides 1, no padding.
    ///
    /// With `k` the dilated kernel and `s` the stride, the full result has
    /// `(in - 1) * s + k + output_padding` pixels. `Padding::Valid` keeps them all,
    /// `Padding::Explicit` (`pads`) cuts its numbers off, `Padding::Same` (`SAME_UPPER`) and
    /// `Padding::SameLower` cut down to `in * s`, or to `output_shape` where it is set.
    pub fn onnx(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        Conv2dTranspose { rule: Rule::Onnx, ..Conv2dTranspose::new(filters, kernel_size) }
    }

    /// Splits the channels into this many independent blocks.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the rows and columns added to the output's end; by Keras's rules each is less than
    /// its stride.
    #[must_use]
    pub fn output_padding(mut self, output_padding: impl Into<Pair>) -> Self {
        self.output_padding = Some(output_padding.into());
        self
    }

    /// Sets the output's height and width, by ONNX's rules only: what is beyond them is cut off,
    /// with `Padding::Same` the smaller half at the beginning, else the larger one.
    #[must_use]
    pub fn output_shape(mut self, output_shape: impl Into<Pair>) -> Self {
        self.output_shape = Some(output_shape.into());
        self
    }

    window_setters!(impl Into<Pair>, Into::into, Padding);
}

impl Operator for Resolved {
    fn name(&self) -> &'static str {
        "conv2d_transpose"
    }

    fn infer(&self, of: &Arguments<'_>) -> Result<Shape> {
        infer(self, of)
    }

    fn work(&self, at: &Shapes) -> Option<Work> {
        Some(Work::Conv2dTranspose(Geometry {
            input: image(at.operand(0)?)?,
            output: image(&at.result)?,
            kernel: self.kernel_size.sides(),
            strides: self.strides.sides(),
            dilation: self.dilation.sides(),
            crop: self.crop.sides(),
            groups: self.groups,
            has_bias: at.weights > 1,
            epilogue: at.epilogue.clone(),
        }))
    }

    fn has_epilogue(&self) -> bool {
        true
    }
}

/// What to compute. The kernel is (height, width, Cout/groups, Cin).
#[derive(Clone, Debug, PartialEq)]
pub struct Geometry {
    /// The input's shape: batch, height, width, channels.
    pub input: [usize; 4],
    /// The output's shape: batch, height, width, channels. Rows and columns that no input
    /// pixel reaches hold the bias.
    pub output: [usize; 4],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between the windows that input pixels are spread over, along height and width.
    pub strides: [usize; 2],
    /// Steps between a window's taps, along height and width; at least 1.
    pub dilation: [usize; 2],
    /// Rows cut off at the top and columns cut off at the left of the full output.
    pub crop: [usize; 2],
    /// Blocks that the channels are split into; divides both channel counts.
    pub groups: usize,
    /// Whether a bias (Cout) is added; without one, bind the kernel in its place.
    pub has_bias: bool,
    /// What happens to each result before it is stored.
    pub epilogue: Epilogue,
}

impl Graph {
    /// Adds a 2-D transposed convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, filters/groups, Cin), the
    /// optional bias (filters), the result (batch, out height, out width, filters).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes or options disagree,
    /// [`Error::Unsupported`](crate::Error::Unsupported) for options that the layer's rules do
    /// not have, [`Error::Name`](crate::Error::Name) for a weight the layer does not know.
    pub fn conv2d_transpose(
        &mut self,
        x: Symbol,
        layer: Conv2dTranspose,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let layer = Layer {
            kind: "conv2d_transpose",
            space: Space::Image,
            filters: layer.filters,
            kernel_size: layer.kernel_size,
            groups: layer.groups,
            rule: layer.rule,
            output_padding: layer.output_padding,
            output_shape: layer.output_shape,
            options: layer.options,
        };
        self.convolve_transpose(x, layer, weights)
    }
}
