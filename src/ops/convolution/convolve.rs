//! What convolutions over images and lines share: their rule, and how they enter a graph.

use crate::error::Result;
use crate::graph::{Draft, Graph, LayerWeights, Operand, Site, Symbol, Weight, title};
use crate::ops::checks::{check_bias, check_divides, check_input_channels, check_last};
use crate::ops::convolution::conv2d::Resolved;
use crate::ops::convolution::window::{Axis, Options, Pads, Pair};
use crate::ops::movement::space::Space;
use crate::ops::{Activation, Op};
use crate::shape::Shape;

/// A convolution on its way into the graph: everything but its input.
pub(crate) struct Request {
    pub kind: &'static str,
    pub name: String,
    pub space: Space,
    /// Output channels, or how many each input channel has.
    pub channels: Channels,
    pub kernel_size: Pair,
    pub options: Options,
    pub kernel: Weight,
    pub bias: Option<Weight>,
}

pub(crate) enum Channels {
    Filters { filters: usize, groups: usize },
    Multiplier(usize),
}

/// A depthwise convolution and one of a single pixel behind it.
pub(crate) struct Separable {
    /// How the whole and its first half are called.
    pub kinds: [&'static str; 2],
    pub space: Space,
    pub filters: usize,
    pub kernel_size: Pair,
    pub depth_multiplier: usize,
    pub options: Options,
}

impl Graph {
    pub(crate) fn convolve(&mut self, x: Symbol, request: Request) -> Result<Symbol> {
        let node = title(request.kind, &request.name);
        let x = self.operand(&node, "x", x)?;
        let (resolved, shape) = rule(&node, &x, &request)?;
        let weights = std::iter::once(request.kernel).chain(request.bias).collect();
        let activation = request.options.activation;
        let draft =
            Draft { title: node, name: request.name, operands: vec![x.index], weights, shape };
        self.insert_activated(draft, activation, Op::Conv2d(resolved))
    }

    pub(crate) fn convolve_separably(
        &mut self,
        x: Symbol,
        layer: Separable,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let Separable { kinds: [kind, half], space, filters, options, .. } = layer;
        let name = self.name_for(kind, options.name.as_deref())?;
        let node = title(kind, &name);
        weights.check_names(&node, &["depthwise_kernel", "pointwise_kernel", "bias"])?;
        let activation = options.activation;
        let depthwise = Request {
            kind: half,
            name: self.name_for(half, Some(&format!("{name}/depthwise")))?,
            space,
            channels: Channels::Multiplier(layer.depth_multiplier),
            kernel_size: layer.kernel_size,
            options: Options { activation: Activation::Linear, ..options },
            kernel: weights.required(&node, "depthwise_kernel")?,
            bias: None,
        };
        let pointwise = Request {
            kind,
            name,
            space,
            channels: Channels::Filters { filters, groups: 1 },
            kernel_size: Pair::new(1, 1),
            options: Options { activation, ..Options::default() },
            kernel: weights.required(&node, "pointwise_kernel")?,
            bias: weights.optional("bias"),
        };
        let nodes_before = self.nodes().len();
        let middle = self.convolve(x, depthwise)?;
        // A refused second half takes the first one with it: the graph is as before.
        self.convolve(middle, pointwise).inspect_err(|_| self.truncate(nodes_before))
    }
}

/// Checks a convolution and resolves its padding, groups and result.
fn rule(node: &str, x: &Operand, request: &Request) -> Result<(Resolved, Shape)> {
    let Request { space, ref options, kernel_size, .. } = *request;
    let kernel = request.kernel.shape();
    let site = Site::new(node, format!("{}, kernel {kernel:?}", x.describe()));
    let [height, width, channels] = space.sizes(&site, x)?;
    space.check_positive(&site, "strides", options.strides)?;
    space.check_positive(&site, "dilation", options.dilation)?;
    space.check_positive(&site, "kernel_size", kernel_size)?;
    let [kernel_height, kernel_width, third, last] =
        space.kernel(&site, kernel, "a convolution kernel", "Cin/groups, Cout")?;
    space.check_kernel_size(&site, Pair::new(kernel_height, kernel_width), kernel_size)?;
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
    let ([out_height, out_width], pads) = sizes(&site, [height, width], request)?;
    let shape = space.shape(x.shape.dims()[0], [out_height, out_width, filters]);
    let resolved = Resolved {
        strides: options.strides,
        dilation: options.dilation,
        pads,
        kernel_size,
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
    let each = check_divides(site, groups, channels, filters)?[0];
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
    request: &Request,
) -> Result<([usize; 2], Pads)> {
    let Request { space, ref options, kernel_size, .. } = *request;
    let given = options.padding.given();
    let pairs = [kernel_size, options.strides, options.dilation];
    let [vertical, horizontal] = Axis::both(space.axis_names(), [height, width], pairs);
    let (out_height, top, bottom) =
        vertical.resolve(site, options.padding, (given.top, given.bottom))?;
    let (out_width, left, right) =
        horizontal.resolve(site, options.padding, (given.left, given.right))?;
    Ok(([out_height, out_width], Pads { top, bottom, left, right }))
}
