//! 1-D transposed convolution over (batch, steps, channels), by Keras's rules or by ONNX's.
//!
//! A line is computed as an image of one row, by the kernels of 2-D transposed convolution. The
//! kernel is (k, filters/groups, Cin): for one group Keras's layout.

use crate::error::{Error, Result};
use crate::graph::{Graph, LayerWeights, Symbol, title};
use crate::ops::Activation;
use crate::ops::convolution::convolve_transpose::{Layer, Rule};
use crate::ops::convolution::line::Padding1d;
use crate::ops::convolution::space::Space;
use crate::ops::convolution::window::{Options, Pair, window_setters};

/// Describes a 1-D transposed convolution layer; defaults are Keras's.
///
/// Made by [`Conv1dTranspose::new`] it follows Keras, whose paddings are `Valid` and `Same`;
/// made by [`Conv1dTranspose::onnx`] it follows ONNX, with every padding but `Causal` and
/// `output_shape`.
///
/// ```
/// use longshore::{Conv1dTranspose, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::Array3;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([10, 4]));
/// let kernel = HostArray::from(Array3::<f32>::zeros((4, 2, 4)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.conv1d_transpose(x, Conv1dTranspose::new(2, 4).strides(2), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([22, 2])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Conv1dTranspose {
    filters: usize,
    kernel_size: usize,
    groups: usize,
    rule: Rule,
    output_padding: Option<usize>,
    output_shape: Option<usize>,
    options: Options<Padding1d>,
}

impl Conv1dTranspose {
    /// Makes a layer of `filters` output channels by Keras's rules; strides 1, padding `Valid`.
    #[must_use]
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        Conv1dTranspose {
            filters,
            kernel_size,
            groups: 1,
            rule: Rule::Keras,
            output_padding: None,
            output_shape: None,
            options: Options::default(),
        }
    }

    /// Makes a layer of `filters` output channels by ONNX's rules, as
    /// [`Conv2dTranspose::onnx`](crate::ops::Conv2dTranspose::onnx) does.
    #[must_use]
    pub fn onnx(filters: usize, kernel_size: usize) -> Self {
        Conv1dTranspose { rule: Rule::Onnx, ..Conv1dTranspose::new(filters, kernel_size) }
    }

    /// Splits the channels into this many independent blocks.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the steps added to the output's end; by Keras's rules fewer than the stride.
    #[must_use]
    pub fn output_padding(mut self, output_padding: usize) -> Self {
        self.output_padding = Some(output_padding);
        self
    }

    /// Sets the output's steps, by ONNX's rules only: what is beyond them is cut off, with
    /// `Padding1d::Same` the smaller half at the beginning, else the larger one.
    #[must_use]
    pub fn output_shape(mut self, output_shape: usize) -> Self {
        self.output_shape = Some(output_shape);
        self
    }

    window_setters!(usize, Pair::of_line, Padding1d);
}

impl Graph {
    /// Adds a 1-D transposed convolution.
    ///
    /// `x` is (batch, steps, Cin), the kernel (k, filters/groups, Cin), the optional bias
    /// (filters), the result (batch, out steps, filters).
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d_transpose`], and [`Error::Unsupported`] for padding `Causal`.
    pub fn conv1d_transpose(
        &mut self,
        x: Symbol,
        layer: Conv1dTranspose,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let kind = "conv1d_transpose";
        if layer.options.padding == Padding1d::Causal {
            let name = self.name_for(kind, layer.options.name.as_deref())?;
            return Err(Error::Unsupported {
                node: title(kind, &name),
                what: "padding Causal of a transposed convolution".to_owned(),
                remedy: "use Padding1d::Valid or Padding1d::Same".to_owned(),
            });
        }
        let layer = Layer {
            kind,
            space: Space::Line,
            filters: layer.filters,
            kernel_size: Pair::of_line(layer.kernel_size),
            groups: layer.groups,
            rule: layer.rule,
            // The one row has a stride of 1: nothing is added to it.
            output_padding: layer.output_padding.map(|added| Pair::new(0, added)),
            output_shape: layer.output_shape.map(Pair::of_line),
            options: layer.options.of_images(layer.kernel_size),
        };
        self.convolve_transpose(x, layer, weights)
    }
}
