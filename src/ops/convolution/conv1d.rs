//! 1-D convolution: plain, grouped, depthwise and separable, over (batch, steps, channels).
//!
//! A line is computed as an image of one row, by the kernels of 2-D convolution. Kernels are
//! (k, Cin/groups, Cout), depthwise ones (k, Cin, multiplier): Keras's layouts. As with images,
//! strides and dilation may be above 1 together, and kernel and bias are weights of the node.

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol};
use crate::ops::Activation;
use crate::ops::convolution::convolve::{Channels, Layer};
use crate::ops::convolution::line::Padding1d;
use crate::ops::convolution::space::Space;
use crate::ops::convolution::window::{Options, Pair, window_setters};

/// Describes a 1-D convolution layer; defaults are Keras's.
///
/// ```
/// use longshore::{Conv1d, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::Array3;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([20, 3]));
/// let kernel = HostArray::from(Array3::<f32>::zeros((5, 3, 6)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.conv1d(x, Conv1d::new(6, 5), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 6])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Conv1d {
    filters: usize,
    kernel_size: usize,
    groups: usize,
    options: Options<Padding1d>,
}

impl Conv1d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`, one group.
    #[must_use]
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        Conv1d { filters, kernel_size, groups: 1, options: Options::default() }
    }

    /// Splits the channels into this many independent blocks.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    window_setters!(usize, Pair::of_line, Padding1d);
}

/// Describes a depthwise 1-D convolution: each channel has its own kernels.
///
/// ```
/// use longshore::{DepthwiseConv1d, Graph, HostArray, LayerWeights, Shape};
/// use ndarray::Array3;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([20, 3]));
/// let kernel = HostArray::from(Array3::<f32>::zeros((5, 3, 1)));
/// let weights = LayerWeights::new(kernel);
/// let y = g.depthwise_conv1d(x, DepthwiseConv1d::new(5), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 3])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DepthwiseConv1d {
    kernel_size: usize,
    depth_multiplier: usize,
    options: Options<Padding1d>,
}

impl DepthwiseConv1d {
    /// Makes a layer with one kernel for each channel; strides 1, padding `Valid`.
    #[must_use]
    pub fn new(kernel_size: usize) -> Self {
        DepthwiseConv1d { kernel_size, depth_multiplier: 1, options: Options::default() }
    }

    /// Sets how many kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!(usize, Pair::of_line, Padding1d);
}

/// Describes a depthwise 1-D convolution followed by one of a single step, which has the bias.
///
/// The node has the layer's name, its depthwise half is named `NAME/depthwise`.
///
/// ```
/// use longshore::{Graph, HostArray, LayerWeights, SeparableConv1d, Shape};
/// use ndarray::Array3;
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([20, 3]));
/// let depthwise = HostArray::from(Array3::<f32>::zeros((5, 3, 1)));
/// let pointwise = HostArray::from(Array3::<f32>::zeros((1, 3, 6)));
/// let weights = LayerWeights::separable(depthwise, pointwise);
/// let y = g.separable_conv1d(x, SeparableConv1d::new(6, 5), &weights)?;
/// assert_eq!(g.shape(y), Some(&Shape::batch([16, 6])));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SeparableConv1d {
    filters: usize,
    kernel_size: usize,
    depth_multiplier: usize,
    options: Options<Padding1d>,
}

impl SeparableConv1d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`.
    #[must_use]
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        let options = Options::default();
        SeparableConv1d { filters, kernel_size, depth_multiplier: 1, options }
    }

    /// Sets how many depthwise kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!(usize, Pair::of_line, Padding1d);
}

impl Graph {
    /// Adds a 1-D convolution.
    ///
    /// `x` is (batch, steps, Cin), the kernel (k, Cin/groups, filters), the optional bias
    /// (filters), the result (batch, out steps, filters).
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn conv1d(&mut self, x: Symbol, layer: Conv1d, weights: &LayerWeights) -> Result<Symbol> {
        let Conv1d { filters, kernel_size, groups, options } = layer;
        let channels = Channels::Filters { filters, groups };
        self.convolve(x, over_lines("conv1d", channels, kernel_size, options), weights)
    }

    /// Adds a depthwise 1-D convolution.
    ///
    /// `x` is (batch, steps, Cin), the kernel (k, Cin, multiplier), the optional bias
    /// (Cin * multiplier), which is also the result's channels.
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn depthwise_conv1d(
        &mut self,
        x: Symbol,
        layer: DepthwiseConv1d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let DepthwiseConv1d { kernel_size, depth_multiplier, options } = layer;
        let channels = Channels::Multiplier(depth_multiplier);
        self.convolve(x, over_lines("depthwise_conv1d", channels, kernel_size, options), weights)
    }

    /// Adds a separable 1-D convolution: a depthwise one, then one of a single step with bias
    /// and activation.
    ///
    /// The weights are `depthwise_kernel` (k, Cin, multiplier), `pointwise_kernel`
    /// (1, Cin * multiplier, filters) and an optional `bias` (filters).
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn separable_conv1d(
        &mut self,
        x: Symbol,
        layer: SeparableConv1d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let SeparableConv1d { filters, kernel_size, depth_multiplier, options } = layer;
        let channels = Channels::Multiplier(depth_multiplier);
        let layer = over_lines("separable_conv1d", channels, kernel_size, options);
        self.convolve_separably(x, "depthwise_conv1d", filters, layer, weights)
    }
}

/// Makes a layer over images of one row.
fn over_lines(
    kind: &'static str,
    channels: Channels,
    kernel_size: usize,
    options: Options<Padding1d>,
) -> Layer {
    let options = options.of_images(kernel_size);
    let kernel_size = Pair::of_line(kernel_size);
    Layer { kind, space: Space::Line, channels, kernel_size, options }
}
