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
use crate::graph::{Graph, LayerWeights, Site, Symbol};
use crate::ops::checks::{check_bias, check_divides, check_input_channels, check_last};
use crate::ops::convolution::conv2d_transpose::Resolved;
use crate::ops::convolution::space::Space;
use crate::ops::convolution::window::{Options, Padding, Pair};
use crate::ops::{Arguments, Op};
use crate::shape::{Shape, element_count};

/// Whose rules give the output's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Keras,
    Onnx,
}

/// A transposed convolution on its way into the graph.
pub(crate) struct Layer {
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
        layer: Layer,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let pending = self.begin(layer.kind, layer.options.name.as_deref(), [("x", x)])?;
        let weights = weights.kernel_and_bias(&pending.node)?;
        let (rule, shape) = layer.resolve(&pending.arguments(&weights))?;
        let op = Op::Conv2dTranspose(rule);
        self.add_resolved_node(pending, op, weights, Some(&shape), layer.options.activation)
    }
}

impl Layer {
    /// Checks a layer and resolves its cropping and result.
    fn resolve(&self, of: &Arguments<'_>) -> Result<(Resolved, Shape)> {
        let Layer { space, ref options, kernel_size, groups, .. } = *self;
        let Options { strides, dilation, padding, .. } = *options;
        let crop = Pair::new(0, 0);
        let uncropped = Resolved { strides, dilation, crop, kernel_size, groups };
        check_options(of.node, self)?;
        let (site, input) = check(&uncropped, of, space, self.filters)?;
        let axis = |at: usize| {
            let pick = |pair: Pair| pair.sides()[at];
            Axis {
                added: self.output_padding.map(pick),
                wanted: self.output_shape.map(pick),
                ..Axis::new(&uncropped, input, at)
            }
        };
        let given = padding.given();
        let (height, top) =
            axis(0).resolve(&site, self.rule, padding, (given.top, given.bottom))?;
        let (width, left) =
            axis(1).resolve(&site, self.rule, padding, (given.left, given.right))?;
        let [x] = of.operands()?;
        let shape = space.shape(x.shape.dims()[0], [height, width, self.filters]);
        Ok((Resolved { crop: Pair::new(top, left), ..uncropped }, shape))
    }
}

/// Checks a node and returns its shape: any part of the full result behind the crop, and any
/// number of pixels behind that, as layers have padding and `output_padding` for both.
pub(super) fn infer(rule: &Resolved, of: &Arguments<'_>) -> Result<Shape> {
    let [x] = of.operands()?;
    let space = Space::of(&x.shape);
    let filters = match *of.kernel_and_bias()?.0.shape() {
        [.., each, _] => each.checked_mul(rule.groups).unwrap_or(0),
        _ => 0,
    };
    let (site, input) = check(rule, of, space, filters)?;
    let told = of.wanted.map_or("not told".to_owned(), ToString::to_string);
    let refuse = || {
        let expected = "no layer makes such a node";
        site.refuse("shape", format!("is {told}"), expected, "save the graph again")
    };
    let output = of.wanted.and_then(|wanted| space.result(wanted)).ok_or_else(refuse)?;
    for (at, &length) in output.iter().enumerate() {
        let axis = Axis::new(rule, input, at);
        let (length, crop) = (length as i128, rule.crop.sides()[at] as i128);
        axis.counted(&site, length, crop)?;
        // What is cropped behind it, or added where that is negative.
        let behind = axis.spread() + axis.extent() - crop - length;
        usize::try_from(behind.abs()).map_err(|_| refuse())?;
    }
    let [height, width] = output;
    let shape = space.shape(x.shape.dims()[0], [height, width, filters]);
    element_count(of.node, &shape.resolve(1))?;
    Ok(shape)
}

/// Checks all but the size of the result, and returns the place of the rule, and the input's
/// height and width.
fn check(
    rule: &Resolved,
    of: &Arguments<'_>,
    space: Space,
    filters: usize,
) -> Result<(Site, [usize; 2])> {
    let Resolved { strides, dilation, kernel_size, groups, .. } = *rule;
    let [x] = of.operands()?;
    let (kernel, bias) = of.kernel_and_bias()?;
    let site = of.site(&format!("kernel {:?}", kernel.shape()));
    let [height, width, channels] = space.sizes(&site, x)?;
    let pairs = [("strides", strides), ("dilation", dilation), ("kernel_size", kernel_size)];
    space.check_positive(&site, pairs)?;
    let kind = "a transposed convolution's kernel";
    let names = if groups == 1 { "filters, Cin" } else { "filters/groups, Cin" };
    let [kernel_height, kernel_width, each, kernel_channels] =
        space.kernel(&site, kernel.shape(), kind, names)?;
    space.check_kernel_size(&site, Pair::new(kernel_height, kernel_width), kernel_size)?;
    let [_, outputs] = check_divides(&site, groups, channels, filters)?;
    let expected = format!("\"{}\" has {channels}", x.name);
    check_input_channels(&site, kernel_channels, channels, expected)?;
    if groups == 1 {
        check_last(&site, each, filters)?;
    } else if each != outputs || outputs == 0 {
        return Err(site.refuse(
            "kernel",
            format!("gives {each} channels of each group"),
            format!("the layer asks for {filters} in {groups} groups"),
            "make both equal and positive",
        ));
    }
    check_bias(&site, bias, filters)?;
    Ok((site, [height, width]))
}

/// Refuses options that the layer's rules do not have.
fn check_options(node: &str, layer: &Layer) -> Result<()> {
    let refuse = |what: &str, remedy: &str| {
        Err(Error::Unsupported {
            node: node.to_owned(),
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
        (Rule::Keras, Padding::Valid | Padding::Same, None)
        | (Rule::Onnx, Padding::Explicit(_), None)
        | (Rule::Onnx, Padding::Valid | Padding::Same | Padding::SameLower, _) => Ok(()),
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
    /// Describes the height (0) or the width (1) of a window over an input of this size.
    fn new(rule: &Resolved, input: [usize; 2], at: usize) -> Self {
        let pick = |pair: Pair| pair.sides()[at];
        Axis {
            input: input[at],
            kernel: pick(rule.kernel_size),
            stride: pick(rule.strides),
            dilation: pick(rule.dilation),
            added: None,
            wanted: None,
        }
    }

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
        self.counted(site, output, crop)
    }

    /// Checks that an output has a pixel, and that it and the crop can be counted.
    fn counted(&self, site: &Site, output: i128, crop: i128) -> Result<(usize, usize)> {
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

/// Returns how much of the padding `total` stands before the dilated input.
fn before(total: i128, extent: i128) -> i128 {
    (total.div_euclid(2) + total.rem_euclid(2)).min(extent - 1)
}
