//! What transposed convolutions over images and lines share: the rules of their output sizes.
//!
//! With `k` the dilated kernel and `s` the stride, the full result has `(in - 1) * s + k`
//! pixels, of which padding crops. By Keras's rules:
//!
//! | padding | `output_padding` | output | zeros before, on the dilated input |
//! |---|---|---|---|
//! | Valid | none | `(in - 1) * s + max(k, s)` | `k - 1` |
//! | Valid | op | `(in - 1) * s + k + op` | `k - 1` |
//! | Same | none | `in * s` | `P = s + k - 2`, split below |
//! | Same | op | `(in - 1) * s + k % 2 + op` | `P = k + k % 2 - 2 + op`, split below |
//!
//! `Same` puts `min(P / 2 + P % 2, k - 1)` before; what lies before the first
//! kept pixel, `(k - 1) - before`, is cropped. Source: Keras 3,
//! `backend/common/backend_utils.py`.
//!
//! By ONNX's rules, with `full = (in - 1) * s + k + output_padding`:
//!
//! | padding | `output_shape` | output | cropped at the beginning |
//! |---|---|---|---|
//! | Valid | none | `full` | 0 |
//! | Explicit | none | `full - before - after` | `before` |
//! | Same, `SameLower` | none | `in * s` | of `T = max(0, full - output)`: `T / 2`; `T - T / 2` |
//! | Same; Valid, `SameLower` | given | that | `T / 2`; `T - T / 2` |
//!
//! Pixels behind the full result hold the bias. Source: ONNX, `Operators.md`, `ConvTranspose`;
//! a negative `T` is none of its cases, and counts as 0 in its runtimes.

use crate::error::{Error, Result};
use crate::graph::{Draft, Graph, LayerWeights, Operand, Site, Symbol, Weight, title};
use crate::ops::Op;
use crate::ops::checks::{check_bias, check_divides, check_input_channels, check_last};
use crate::ops::convolution::conv2d_transpose::Resolved;
use crate::ops::convolution::window::{Options, Padding, Pair};
use crate::ops::movement::space::Space;
use crate::shape::Shape;

/// Whose rules give the output's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Keras,
    Onnx,
}

/// A transposed convolution on its way into the graph.
pub(crate) struct Request {
    pub kind: &'static str,
    pub space: Space,
    pub filters: usize,
    pub kernel_size: Pair,
    pub groups: usize,
    pub rule: Rule,
    pub output_padding: Option<Pair>,
    pub output_shape: Option<Pair>,
    pub options: Options,
}

impl Graph {
    pub(crate) fn convolve_transpose(
        &mut self,
        x: Symbol,
        layer: Request,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let name = self.name_for(layer.kind, layer.options.name.as_deref())?;
        let node = title(layer.kind, &name);
        let (kernel, bias) = weights.kernel_and_bias(&node)?;
        let x = self.operand(&node, "x", x)?;
        let (resolved, shape) = rule(&node, &x, &layer, &kernel, bias.as_ref())?;
        let weights = std::iter::once(kernel).chain(bias).collect();
        let draft = Draft { title: node, name, operands: vec![x.index], weights, shape };
        self.insert_activated(draft, layer.options.activation, Op::Conv2dTranspose(resolved))
    }
}

fn rule(
    node: &str,
    x: &Operand,
    layer: &Request,
    kernel: &Weight,
    bias: Option<&Weight>,
) -> Result<(Resolved, Shape)> {
    let site = Site::new(node, format!("{}, kernel {:?}", x.describe(), kernel.shape()));
    let Request { space, ref options, .. } = *layer;
    let [height, width, channels] = space.sizes(&site, x)?;
    space.check_positive(&site, "strides", options.strides)?;
    space.check_positive(&site, "dilation", options.dilation)?;
    space.check_positive(&site, "kernel_size", layer.kernel_size)?;
    check_options(&site, layer)?;
    let kind = "a transposed convolution's kernel";
    let names = if layer.groups == 1 { "filters, Cin" } else { "filters/groups, Cin" };
    let [kernel_height, kernel_width, each, kernel_channels] =
        space.kernel(&site, kernel.shape(), kind, names)?;
    space.check_kernel_size(&site, Pair::new(kernel_height, kernel_width), layer.kernel_size)?;
    let [_, outputs] = check_divides(&site, layer.groups, channels, layer.filters)?;
    let expected = format!("\"{}\" has {channels}", x.name);
    check_input_channels(&site, kernel_channels, channels, expected)?;
    if layer.groups == 1 {
        check_last(&site, each, layer.filters)?;
    } else if each != outputs || outputs == 0 {
        return Err(site.refuse(
            "kernel",
            format!("gives {each} channels of each group"),
            format!("the layer asks for {} in {} groups", layer.filters, layer.groups),
            "make both equal and positive",
        ));
    }
    check_bias(&site, bias, layer.filters)?;
    let axis = |input, pick: fn(Pair) -> usize| Axis {
        input,
        kernel: pick(layer.kernel_size),
        stride: pick(options.strides),
        dilation: pick(options.dilation),
        added: layer.output_padding.map(pick),
        wanted: layer.output_shape.map(pick),
    };
    let pads = match options.padding {
        Padding::Explicit(pads) => [(pads.top, pads.bottom), (pads.left, pads.right)],
        _ => [(0, 0); 2],
    };
    let vertical = axis(height, |pair| pair.height);
    let horizontal = axis(width, |pair| pair.width);
    let (out_height, crop_top) = vertical.resolve(&site, layer.rule, options.padding, pads[0])?;
    let (out_width, crop_left) = horizontal.resolve(&site, layer.rule, options.padding, pads[1])?;
    let shape = space.shape(x.shape.dims()[0], [out_height, out_width, layer.filters]);
    let resolved = Resolved {
        strides: options.strides,
        dilation: options.dilation,
        crop: Pair::new(crop_top, crop_left),
        kernel_size: layer.kernel_size,
        groups: layer.groups,
    };
    Ok((resolved, shape))
}

/// Refuses options that the layer's rules do not have.
fn check_options(site: &Site, layer: &Request) -> Result<()> {
    let refuse = |what: &str, remedy: &str| {
        Err(Error::Unsupported {
            node: site.node.clone(),
            what: format!("{what} of a transposed convolution"),
            remedy: remedy.to_owned(),
        })
    };
    let remedy = "use Padding::Valid or Padding::Same, or make the layer by its `onnx`";
    match (layer.rule, layer.options.padding, layer.output_shape) {
        (Rule::Keras, Padding::Explicit(_), _) => refuse("explicit padding", remedy),
        (Rule::Keras, Padding::SameLower, _) => refuse("padding SameLower", remedy),
        (Rule::Keras, _, Some(_)) => refuse("output_shape", "make the layer by its `onnx`"),
        (Rule::Onnx, Padding::Explicit(_), Some(_)) => {
            let remedy = "leave the padding out: ONNX derives it from the output's shape";
            refuse("explicit padding beside output_shape", remedy)
        }
        _ => Ok(()),
    }
}

/// One axis of a transposed window.
struct Axis {
    input: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    added: Option<usize>,
    wanted: Option<usize>,
}

impl Axis {
    /// Returns the output length, and how much of the full result is cropped before it.
    fn resolve(
        &self,
        site: &Site,
        rule: Rule,
        padding: Padding,
        given: (usize, usize),
    ) -> Result<(usize, usize)> {
        if let Some(added) = self.added.filter(|&added| rule == Rule::Keras && added >= self.stride)
        {
            return Err(site.refuse(
                "output_padding",
                format!("is {added}"),
                format!("it must be less than the stride {}", self.stride),
                "use a smaller output_padding",
            ));
        }
        let (output, crop) = match rule {
            Rule::Keras => self.keras(padding),
            Rule::Onnx => self.onnx(padding, given),
        };
        let refuse = |expected: String, remedy: &str| {
            site.refuse("x", format!("is {} pixels long", self.input), expected, remedy)
        };
        match (usize::try_from(output), usize::try_from(crop)) {
            (Ok(output), Ok(crop)) if output > 0 => Ok((output, crop)),
            _ if output > 0 => Err(refuse(
                format!("the output would have {output}, more than a machine word counts"),
                "use smaller strides or dilation",
            )),
            _ => Err(refuse(
                format!("the output would have {output}, and at least 1 is needed"),
                "use a larger image or kernel",
            )),
        }
    }

    /// Returns the extent of the dilated kernel. 128 bits hold any product of two lengths.
    fn extent(&self) -> i128 {
        (self.kernel as i128 - 1) * self.dilation as i128 + 1
    }

    /// Returns how far the first pixels of the first and the last window are apart.
    fn spread(&self) -> i128 {
        (self.input as i128 - 1) * self.stride as i128
    }

    fn keras(&self, padding: Padding) -> (i128, i128) {
        let (input, stride, extent) = (self.input as i128, self.stride as i128, self.extent());
        let added = self.added.map(|added| added as i128);
        match (padding, added) {
            (Padding::Same, None) => {
                (input * stride, extent - 1 - before(stride + extent - 2, extent))
            }
            (Padding::Same, Some(added)) => {
                let total = extent + extent % 2 - 2 + added;
                (self.spread() + extent % 2 + added, extent - 1 - before(total, extent))
            }
            (_, None) => (self.spread() + extent.max(stride), 0),
            (_, Some(added)) => (self.spread() + extent + added, 0),
        }
    }

    fn onnx(&self, padding: Padding, (before, after): (usize, usize)) -> (i128, i128) {
        let full = self.spread() + self.extent() + self.added.unwrap_or(0) as i128;
        let output = match (padding, self.wanted) {
            (_, Some(wanted)) => wanted as i128,
            (Padding::Same | Padding::SameLower, None) => self.input as i128 * self.stride as i128,
            (Padding::Valid, None) => return (full, 0),
            (Padding::Explicit(_), None) => {
                return (full - before as i128 - after as i128, before as i128);
            }
        };
        let total = (full - output).max(0);
        (output, if padding == Padding::Same { total / 2 } else { total - total / 2 })
    }
}

/// Finds how much of the full result is cropped behind this many pixels, and how many pixels are
/// added to it: ONNX's padding at the end and `output_padding` of a layer with this crop.
pub(crate) fn margins(
    layer: &Resolved,
    input: usize,
    output: usize,
    pick: fn(Pair) -> usize,
) -> Option<[usize; 2]> {
    let axis = Axis {
        input,
        kernel: pick(layer.kernel_size),
        stride: pick(layer.strides),
        dilation: pick(layer.dilation),
        added: None,
        wanted: None,
    };
    let behind = axis.spread() + axis.extent() - pick(layer.crop) as i128 - output as i128;
    let [after, added] = if behind < 0 { [0, -behind] } else { [behind, 0] };
    Some([usize::try_from(after).ok()?, usize::try_from(added).ok()?])
}

/// Returns how much of the padding `total` stands before the dilated input.
fn before(total: i128, extent: i128) -> i128 {
    (total.div_euclid(2) + total.rem_euclid(2)).min(extent - 1)
}
