//! What convolutions over images and lines share: their rule, and how they enter a graph.

use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Operand, Site, Symbol, title};
use crate::ops::checks::{check_bias, check_divides, check_input_channels, check_last};
use crate::ops::convolution::conv2d::Resolved;
use crate::ops::convolution::space::Space;
use crate::ops::convolution::window::{Axis, Options, Pads, Pair};
use crate::ops::{Activation, Arguments, Op};
use crate::shape::Shape;

/// A convolution on its way into the graph: everything but its input and its weights.
pub(crate) struct Layer {
    pub kind: &'static str,
    pub space: Space,
    pub channels: Channels,
    pub kernel_size: Pair,
    pub options: Options,
}

/// Output channels, or how many each input channel has.
#[derive(Clone, Copy)]
pub(crate) enum Channels {
    Filters { filters: usize, groups: usize },
    Multiplier(usize),
}

impl Graph {
    pub(crate) fn convolve(
        &mut self,
        x: Symbol,
        layer: Layer,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let pending = self.begin(layer.kind, layer.options.name.as_deref(), [("x", x)])?;
        let weights = weights.kernel_and_bias(&pending.node)?;
        let (rule, _) = layer.resolve(&pending.arguments(&weights))?;
        self.add_activated_node(pending, Op::Conv2d(rule), weights, layer.options.activation)
    }

    /// Adds a depthwise convolution, called `half`, and one of a single pixel behind it, which
    /// has the layer's name and activation.
    pub(crate) fn convolve_separably(
        &mut self,
        x: Symbol,
        half: &'static str,
        filters: usize,
        layer: Layer,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let Layer { kind, space, options, .. } = layer;
        let name = self.name_for(kind, options.name.as_deref())?;
        let node = title(kind, &name);
        weights.check_names(&node, &["depthwise_kernel", "pointwise_kernel", "bias"])?;
        let depthwise = LayerWeights::new(weights.required(&node, "depthwise_kernel")?);
        let pointwise = LayerWeights::new(weights.required(&node, "pointwise_kernel")?);
        let pointwise = weights.optional("bias").into_iter().fold(pointwise, LayerWeights::bias);
        let activation = options.activation;
        let (whole, name) = (Some(name.clone()), Some(format!("{name}/depthwise")));
        let options = Options { name, activation: Activation::Linear, ..options };
        let nodes_before = self.nodes().len();
        let middle = self.convolve(x, Layer { kind: half, options, ..layer }, &depthwise)?;
        let last = Layer {
            kind,
            space,
            channels: Channels::Filters { filters, groups: 1 },
            kernel_size: Pair::new(1, 1),
            options: Options { name: whole, activation, ..Options::default() },
        };
        // A refused second half takes the first one with it: the graph is as before.
        self.convolve(middle, last, &pointwise).inspect_err(|_| self.truncate(nodes_before))
    }
}

impl Layer {
    /// Checks a convolution and resolves its padding, groups and result.
    pub(super) fn resolve(&self, of: &Arguments<'_>) -> Result<(Resolved, Shape)> {
        let Layer { space, ref options, kernel_size, .. } = *self;
        let Options { strides, dilation, .. } = *options;
        let [x] = of.operands()?;
        let (kernel, bias) = of.kernel_and_bias()?;
        let site = of.site(&format!("kernel {:?}", kernel.shape()));
        let [height, width, channels] = space.sizes(&site, x)?;
        let pairs = [("strides", strides), ("dilation", dilation), ("kernel_size", kernel_size)];
        space.check_positive(&site, pairs)?;
        let [kernel_height, kernel_width, third, last] =
            space.kernel(&site, kernel.shape(), "a convolution kernel", "Cin/groups, Cout")?;
        space.check_kernel_size(&site, Pair::new(kernel_height, kernel_width), kernel_size)?;
        let (groups, filters) = match self.channels {
            Channels::Filters { filters, groups } => {
                check_groups(&site, x, channels, third, (groups, filters))?;
                check_last(&site, last, filters)?;
                (groups, filters)
            }
            Channels::Multiplier(multiplier) => {
                let expected = format!("\"{}\" has {channels}", x.name);
                check_input_channels(&site, third, channels, expected)?;
                check_last(&site, last, multiplier)?;
                // The product counts a part of the kernel's elements, so it fits.
                (channels, channels.saturating_mul(multiplier))
            }
        };
        check_bias(&site, bias, filters)?;
        let pairs = [kernel_size, strides, dilation];
        let [vertical, horizontal] = Axis::both(space.axis_names(), [height, width], pairs);
        let (padding, given) = (options.padding, options.padding.given());
        let (out_height, top, bottom) =
            vertical.resolve(&site, padding, (given.top, given.bottom))?;
        let (out_width, left, right) =
            horizontal.resolve(&site, padding, (given.left, given.right))?;
        let pads = Pads { top, bottom, left, right };
        let shape = space.shape(x.shape.dims()[0], [out_height, out_width, filters]);
        Ok((Resolved { strides, dilation, pads, kernel_size, groups }, shape))
    }
}

fn check_groups(
    site: &Site,
    x: &Operand,
    channels: usize,
    kernel: usize,
    (groups, filters): (usize, usize),
) -> Result<()> {
    let each = check_divides(site, groups, channels, filters)?[0];
    let expected = if groups == 1 {
        format!("\"{}\" has {channels}", x.name)
    } else {
        format!("\"{}\" has {channels} in {groups} groups, so {each} each", x.name)
    };
    check_input_channels(site, kernel, each, expected)
}
