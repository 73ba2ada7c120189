//! 2-D convolution: plain, grouped, depthwise and separable.
//!
//! Kernels are (kh, kw, Cin/groups, Cout), depthwise ones (kh, kw, Cin, multiplier):
//! Keras's layouts. Keras refuses strides and dilation above 1 together; ONNX
//! defines them, and so does this crate. Kernel and bias are weights of the node; a kernel
//! that the graph computes is a case of ONNX that is not supported.

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol, title};
use crate::ops::Activation;
use crate::ops::convolution::convolve::{Channels, Request, Separable};
use crate::ops::convolution::window::{Options, Padding, Pads, Pair, window_setters};
use crate::ops::movement::space::Space;

/// A convolution whose padding and groups are resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    /// Steps between windows, in pixels.
    pub strides: Pair,
    /// Steps between a window's taps, in pixels.
    pub dilation: Pair,
    /// Zeros around the image, in pixels.
    pub pads: Pads,
    /// Height and width of the kernel.
    pub kernel_size: Pair,
    /// Blocks that the channels are split into.
    pub groups: usize,
}

/// Describes a 2-D convolution layer; defaults are Keras's.
#[derive(Clone, Debug)]
pub struct Conv2d {
    filters: usize,
    kernel_size: Pair,
    groups: usize,
    options: Options,
}

impl Conv2d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`, one group.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        Conv2d { filters, kernel_size, groups: 1, options: Options::default() }
    }

    /// Splits the channels into this many independent blocks.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    window_setters!();
}

/// Describes a depthwise convolution: each channel has its own kernels.
#[derive(Clone, Debug)]
pub struct DepthwiseConv2d {
    kernel_size: Pair,
    depth_multiplier: usize,
    options: Options,
}

impl DepthwiseConv2d {
    /// Makes a layer with one kernel for each channel; strides 1, padding `Valid`.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        DepthwiseConv2d { kernel_size, depth_multiplier: 1, options: Options::default() }
    }

    /// Sets how many kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!();
}

/// Describes a depthwise convolution followed by a 1x1 one, which has the bias.
///
/// The node has the layer's name, its depthwise half is named `NAME/depthwise`.
#[derive(Clone, Debug)]
pub struct SeparableConv2d {
    filters: usize,
    kernel_size: Pair,
    depth_multiplier: usize,
    options: Options,
}

impl SeparableConv2d {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        SeparableConv2d { filters, kernel_size, depth_multiplier: 1, options: Options::default() }
    }

    /// Sets how many depthwise kernels each channel has.
    #[must_use]
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    window_setters!();
}

impl Graph {
    /// Adds a 2-D convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, Cin/groups, filters),
    /// the optional bias (filters), the result (batch, out height, out width, filters).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) when shapes or options disagree,
    /// [`Error::Name`](crate::Error::Name) for a weight the layer does not know or a name used twice.
    pub fn conv2d(&mut self, x: Symbol, layer: Conv2d, weights: &LayerWeights) -> Result<Symbol> {
        let kind = "conv2d";
        let name = self.name_for(kind, layer.options.name.as_deref())?;
        let (kernel, bias) = weights.kernel_and_bias(&title(kind, &name))?;
        let channels = Channels::Filters { filters: layer.filters, groups: layer.groups };
        let Conv2d { kernel_size, options, .. } = layer;
        let space = Space::Image;
        self.convolve(
            x,
            Request { kind, name, space, channels, kernel_size, options, kernel, bias },
        )
    }

    /// Adds a depthwise convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, Cin, multiplier), the
    /// optional bias (Cin * multiplier), which is also the result's channels.
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn depthwise_conv2d(
        &mut self,
        x: Symbol,
        layer: DepthwiseConv2d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let kind = "depthwise_conv2d";
        let name = self.name_for(kind, layer.options.name.as_deref())?;
        let (kernel, bias) = weights.kernel_and_bias(&title(kind, &name))?;
        let channels = Channels::Multiplier(layer.depth_multiplier);
        let DepthwiseConv2d { kernel_size, options, .. } = layer;
        let space = Space::Image;
        self.convolve(
            x,
            Request { kind, name, space, channels, kernel_size, options, kernel, bias },
        )
    }

    /// Adds a separable convolution: a depthwise one, then a 1x1 one with bias and activation.
    ///
    /// The weights are `depthwise_kernel` (kh, kw, Cin, multiplier), `pointwise_kernel`
    /// (1, 1, Cin * multiplier, filters) and an optional `bias` (filters).
    ///
    /// # Errors
    ///
    /// As [`Graph::conv2d`].
    pub fn separable_conv2d(
        &mut self,
        x: Symbol,
        layer: SeparableConv2d,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let SeparableConv2d { filters, kernel_size, depth_multiplier, options } = layer;
        let separable = Separable {
            kinds: ["separable_conv2d", "depthwise_conv2d"],
            space: Space::Image,
            filters,
            kernel_size,
            depth_multiplier,
            options,
        };
        self.convolve_separably(x, separable, weights)
    }
}
