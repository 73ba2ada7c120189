//! 2-D transposed convolution, by Keras's rules.
//!
//! The kernel is (kh, kw, filters, Cin). With `k` the dilated kernel and `s` the
//! stride, the full result has `(in - 1) * s + k` pixels, of which padding crops:
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

use super::checks::{check_bias, check_input_channels, check_kernel_size, check_last};
use super::window::{Options, Padding, Pair, check_positive, window_setters};
use super::{Activation, Draft, Graph, LayerWeights, Op, Operand, Site, Symbol, Weight, title};
use crate::error::{Error, Result};
use crate::shape::{Dim, Shape};

/// A transposed convolution whose output size and cropping are resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolved {
    /// Steps between the places that neighbouring input pixels write to.
    pub strides: Pair,
    /// Steps between the kernel's taps, in pixels.
    pub dilation: Pair,
    /// Rows and columns cropped from the top and the left of the full result.
    pub crop: Pair,
    /// Height and width of the kernel.
    pub kernel_size: Pair,
}

/// Describes a 2-D transposed convolution layer; defaults are Keras's.
#[derive(Clone, Debug)]
pub struct Conv2dTranspose {
    filters: usize,
    kernel_size: Pair,
    output_padding: Option<Pair>,
    options: Options,
}

impl Conv2dTranspose {
    /// Makes a layer of `filters` output channels; strides 1, padding `Valid`.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        let kernel_size = kernel_size.into();
        Conv2dTranspose { filters, kernel_size, output_padding: None, options: Options::default() }
    }

    /// Sets the rows and columns added to the output, each less than its stride.
    #[must_use]
    pub fn output_padding(mut self, output_padding: impl Into<Pair>) -> Self {
        self.output_padding = Some(output_padding.into());
        self
    }

    window_setters!();
}

impl Graph {
    /// Adds a 2-D transposed convolution.
    ///
    /// `x` is (batch, height, width, Cin), the kernel (kh, kw, filters, Cin), the
    /// optional bias (filters), the result (batch, out height, out width, filters).
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] when shapes or options disagree, [`Error::Unsupported`] for
    /// explicit padding, [`Error::Name`] for a weight the layer does not know.
    pub fn conv2d_transpose(
        &mut self,
        x: Symbol,
        layer: Conv2dTranspose,
        weights: &LayerWeights,
    ) -> Result<Symbol> {
        let name = self.name_for("conv2d_transpose", layer.options.name.as_deref())?;
        let node = title("conv2d_transpose", &name);
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
    layer: &Conv2dTranspose,
    kernel: &Weight,
    bias: Option<&Weight>,
) -> Result<(Resolved, Shape)> {
    let site = Site::new(node, format!("{}, kernel {:?}", x.describe(), kernel.shape()));
    let [height, width, channels] = x.image(&site)?;
    let options = &layer.options;
    check_positive(&site, "strides", options.strides)?;
    check_positive(&site, "dilation", options.dilation)?;
    check_positive(&site, "kernel_size", layer.kernel_size)?;
    let &[kernel_height, kernel_width, filters, kernel_channels] = kernel.shape() else {
        return Err(site.refuse(
            "kernel",
            format!("has {} dimensions", kernel.shape().len()),
            "a transposed convolution's kernel has 4: (kh, kw, filters, Cin)",
            "reshape it",
        ));
    };
    check_kernel_size(&site, Pair::new(kernel_height, kernel_width), layer.kernel_size)?;
    let expected = format!("\"{}\" has {channels}", x.name);
    check_input_channels(&site, kernel_channels, channels, expected)?;
    check_last(&site, filters, layer.filters)?;
    check_bias(&site, bias, filters)?;
    let added = layer.output_padding;
    let vertical = Axis {
        input: height,
        kernel: kernel_height,
        stride: options.strides.height,
        dilation: options.dilation.height,
        added: added.map(|pair| pair.height),
    };
    let horizontal = Axis {
        input: width,
        kernel: kernel_width,
        stride: options.strides.width,
        dilation: options.dilation.width,
        added: added.map(|pair| pair.width),
    };
    let (out_height, crop_top) = vertical.resolve(&site, options.padding)?;
    let (out_width, crop_left) = horizontal.resolve(&site, options.padding)?;
    let dims = [x.shape.dims()[0], out_height.into(), out_width.into(), Dim::Fixed(filters)];
    let resolved = Resolved {
        strides: options.strides,
        dilation: options.dilation,
        crop: Pair::new(crop_top, crop_left),
        kernel_size: layer.kernel_size,
    };
    Ok((resolved, Shape::new(dims)))
}

/// One axis of a transposed window.
struct Axis {
    input: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    added: Option<usize>,
}

impl Axis {
    /// Returns the output length and what is cropped before it.
    fn resolve(&self, site: &Site, padding: Padding) -> Result<(usize, usize)> {
        if let Some(added) = self.added.filter(|&added| added >= self.stride) {
            return Err(site.refuse(
                "output_padding",
                format!("is {added}"),
                format!("it must be less than the stride {}", self.stride),
                "use a smaller output_padding",
            ));
        }
        // 128 bits hold the product of any two lengths.
        let (input, stride) = (self.input as i128, self.stride as i128);
        let extent = (self.kernel as i128 - 1) * self.dilation as i128 + 1;
        let added = self.added.map(|added| added as i128);
        let full = (input - 1) * stride;
        let (output, crop) = match (padding, added) {
            (Padding::Valid, None) => (full + extent.max(stride), 0),
            (Padding::Valid, Some(added)) => (full + extent + added, 0),
            (Padding::Same, None) => {
                (input * stride, extent - 1 - before(stride + extent - 2, extent))
            }
            (Padding::Same, Some(added)) => {
                let total = extent + extent % 2 - 2 + added;
                (full + extent % 2 + added, extent - 1 - before(total, extent))
            }
            (Padding::Explicit(_), _) => return Err(unsupported(site, "explicit padding")),
            (Padding::SameLower, _) => return Err(unsupported(site, "padding SameLower")),
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
}

fn unsupported(site: &Site, padding: &str) -> Error {
    Error::Unsupported {
        node: site.node.clone(),
        what: format!("{padding} of a transposed convolution"),
        remedy: "use Padding::Valid or Padding::Same".to_owned(),
    }
}

/// Returns how much of the padding `total` stands before the dilated input.
fn before(total: i128, extent: i128) -> i128 {
    (total.div_euclid(2) + total.rem_euclid(2)).min(extent - 1)
}
