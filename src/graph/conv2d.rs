//! 2-D convolution: plain, grouped, depthwise and separable.
//!
//! Kernels are (kh, kw, Cin/groups, Cout), depthwise ones (kh, kw, Cin, multiplier):
//! Keras's layouts. Keras refuses strides and dilation above 1 together; ONNX
//! defines them, and so does this crate.

use super::checks::{check_bias, check_input_channels, check_kernel_size, check_last};
use super::window::{Axis, Options, Padding, Pads, Pair, check_positive, window_setters};
use super::{Activation, Draft, Graph, LayerWeights, Op, Operand, Site, Symbol, Weight, title};
use crate::error::Result;
use crate::shape::{Dim, Shape};

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

/// A convolution on its way into the graph: everything but its input.
struct Request {
    kind: &'static str,
    name: String,
    /// Output channels, or how many each input channel has.
    channels: Channels,
    kernel_size: Pair,
    options: Options,
    kernel: Weight,
    bias: Option<Weight>,
}

enum Channels {
    Filters { filters: usize, groups: usize },
    Multiplier(usize),
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
        self.convolve(x, Request { kind, name, channels, kernel_size, options, kernel, bias })
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
        self.convolve(x, Request { kind, name, channels, kernel_size, options, kernel, bias })
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
        let kind = "separable_conv2d";
        let name = self.name_for(kind, layer.options.name.as_deref())?;
        let node = title(kind, &name);
        weights.check_names(&node, &["depthwise_kernel", "pointwise_kernel", "bias"])?;
        let depthwise = Request {
            kind: "depthwise_conv2d",
            name: self.name_for("depthwise_conv2d", Some(&format!("{name}/depthwise")))?,
            channels: Channels::Multiplier(layer.depth_multiplier),
            kernel_size: layer.kernel_size,
            options: Options { activation: Activation::Linear, ..layer.options.clone() },
            kernel: weights.required(&node, "depthwise_kernel")?,
            bias: None,
        };
        let pointwise = Request {
            kind,
            name,
            channels: Channels::Filters { filters: layer.filters, groups: 1 },
            kernel_size: Pair::new(1, 1),
            options: Options { activation: layer.options.activation, ..Options::default() },
            kernel: weights.required(&node, "pointwise_kernel")?,
            bias: weights.optional("bias"),
        };
        let nodes_before = self.nodes.len();
        let middle = self.convolve(x, depthwise)?;
        // A refused second half takes the first one with it: the graph is as before.
        self.convolve(middle, pointwise).inspect_err(|_| self.truncate(nodes_before))
    }

    fn convolve(&mut self, x: Symbol, request: Request) -> Result<Symbol> {
        let node = title(request.kind, &request.name);
        let x = self.operand(&node, "x", x)?;
        let (resolved, shape) = rule(&node, &x, &request)?;
        let weights = std::iter::once(request.kernel).chain(request.bias).collect();
        let activation = request.options.activation;
        let draft =
            Draft { title: node, name: request.name, operands: vec![x.index], weights, shape };
        self.insert_activated(draft, activation, Op::Conv2d(resolved))
    }
}

/// Checks a convolution and resolves its padding, groups and result.
fn rule(node: &str, x: &Operand, request: &Request) -> Result<(Resolved, Shape)> {
    let kernel = request.kernel.shape();
    let site = Site::new(node, format!("{}, kernel {kernel:?}", x.describe()));
    let [height, width, channels] = x.image(&site)?;
    let options = &request.options;
    check_positive(&site, "strides", options.strides)?;
    check_positive(&site, "dilation", options.dilation)?;
    check_positive(&site, "kernel_size", request.kernel_size)?;
    let &[kernel_height, kernel_width, third, last] = kernel else {
        return Err(site.refuse(
            "kernel",
            format!("has {} dimensions", kernel.len()),
            "a convolution kernel has 4: (kh, kw, Cin/groups, Cout)",
            "reshape it",
        ));
    };
    check_kernel_size(&site, Pair::new(kernel_height, kernel_width), request.kernel_size)?;
    let (groups, filters) = match request.channels {
        Channels::Filters { filters, groups } => {
            check_groups(&site, x, channels, third, (groups, filters))?;
            check_last(&site, last, filters)?;
            (groups, filters)
        }
        Channels::Multiplier(multiplier) => {
            check_input_channels(&site, third, channels, format!("\"{}\" has {channels}", x.name))?;
            check_last(&site, last, multiplier)?;
            // The product counts a part of the kernel's elements, so it fits.
            (channels, channels.saturating_mul(multiplier))
        }
    };
    check_bias(&site, request.bias.as_ref(), filters)?;
    let (out_height, out_width, pads) =
        sizes(&site, [height, width], request.kernel_size, options)?;
    let shape = Shape::new([x.shape.dims()[0], out_height, out_width, Dim::Fixed(filters)]);
    let resolved = Resolved {
        strides: options.strides,
        dilation: options.dilation,
        pads,
        kernel_size: request.kernel_size,
        groups,
    };
    Ok((resolved, shape))
}

fn check_groups(
    site: &Site,
    x: &Operand,
    channels: usize,
    kernel: usize,
    (groups, filters): (usize, usize),
) -> Result<()> {
    let divides = |count: usize| count.checked_rem(groups) == Some(0);
    if !divides(channels) || !divides(filters) {
        return Err(site.refuse(
            "groups",
            format!("is {groups}"),
            format!("it must divide both Cin {channels} and filters {filters}"),
            "choose a common divisor",
        ));
    }
    let each = channels / groups;
    let expected = if groups == 1 {
        format!("\"{}\" has {channels}", x.name)
    } else {
        format!("\"{}\" has {channels} in {groups} groups, so {each} each", x.name)
    };
    check_input_channels(site, kernel, each, expected)
}

/// Resolves output size and padding along both axes.
fn sizes(
    site: &Site,
    [height, width]: [usize; 2],
    kernel_size: Pair,
    options: &Options,
) -> Result<(Dim, Dim, Pads)> {
    let given = match options.padding {
        Padding::Explicit(pads) => pads,
        Padding::Same | Padding::SameLower | Padding::Valid => Pads::default(),
    };
    let vertical = Axis {
        name: "height",
        input: height,
        kernel: kernel_size.height,
        stride: options.strides.height,
        dilation: options.dilation.height,
    };
    let horizontal = Axis {
        name: "width",
        input: width,
        kernel: kernel_size.width,
        stride: options.strides.width,
        dilation: options.dilation.width,
    };
    let (out_height, top, bottom) =
        vertical.resolve(site, options.padding, (given.top, given.bottom))?;
    let (out_width, left, right) =
        horizontal.resolve(site, options.padding, (given.left, given.right))?;
    Ok((out_height.into(), out_width.into(), Pads { top, bottom, left, right }))
}
