//! What sliding windows share: pairs of sizes, padding modes and output sizes.
//!
//! `Same` and `Valid` follow Keras (`SAME_UPPER` in ONNX's words): the output of
//! `Same` is `ceil(in / stride)` and an odd pad has its extra pixel at the end, with
//! `SameLower` (ONNX's `SAME_LOWER`) at the beginning.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::graph::Site;
use crate::ops::Activation;
use crate::serial::length;

/// A height and a width: one number for both, or a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Along the height.
    #[serde(with = "length")]
    pub height: usize,
    /// Along the width.
    #[serde(with = "length")]
    pub width: usize,
}

impl Pair {
    /// Makes a pair.
    #[must_use]
    pub const fn new(height: usize, width: usize) -> Self {
        Pair { height, width }
    }

    /// Makes the pair of a line, which is an image of one row.
    pub(crate) const fn of_line(width: usize) -> Self {
        Pair::new(1, width)
    }

    /// Returns the height and the width.
    pub(crate) const fn sides(self) -> [usize; 2] {
        [self.height, self.width]
    }
}

impl From<usize> for Pair {
    fn from(both: usize) -> Self {
        Pair::new(both, both)
    }
}

impl From<(usize, usize)> for Pair {
    fn from((height, width): (usize, usize)) -> Self {
        Pair::new(height, width)
    }
}

impl std::fmt::Display for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}, {})", self.height, self.width)
    }
}

/// Rows and columns of zeros around an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pads {
    /// Rows above.
    #[serde(with = "length")]
    pub top: usize,
    /// Rows below.
    #[serde(with = "length")]
    pub bottom: usize,
    /// Columns to the left.
    #[serde(with = "length")]
    pub left: usize,
    /// Columns to the right.
    #[serde(with = "length")]
    pub right: usize,
}

/// Names how a window's image is padded with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// No padding: the window stays inside.
    #[default]
    Valid,
    /// As much as makes the output `ceil(in / stride)`, the odd one at the end.
    Same,
    /// As much as `Same` pads, the odd one at the beginning: ONNX's `SAME_LOWER`.
    SameLower,
    /// A number for each side.
    Explicit(Pads),
}

impl Padding {
    /// Returns the numbers that were given, or none.
    pub(crate) fn given(self) -> Pads {
        match self {
            Padding::Explicit(pads) => pads,
            Padding::Same | Padding::SameLower | Padding::Valid => Pads::default(),
        }
    }
}

/// One axis of a window.
#[derive(Clone, Copy)]
pub(crate) struct Axis {
    pub name: &'static str,
    pub input: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
}

impl Axis {
    /// Describes a window's two axes.
    pub(crate) fn both(
        names: [&'static str; 2],
        input: [usize; 2],
        [kernel, strides, dilation]: [Pair; 3],
    ) -> [Axis; 2] {
        let axis = |at: usize| {
            let pick = |pair: Pair| pair.sides()[at];
            Axis {
                name: names[at],
                input: input[at],
                kernel: pick(kernel),
                stride: pick(strides),
                dilation: pick(dilation),
            }
        };
        [axis(0), axis(1)]
    }

    /// Returns the extent of the dilated kernel. 128 bits hold any product of two lengths.
    pub(crate) fn extent(&self) -> i128 {
        (self.kernel as i128 - 1) * self.dilation as i128 + 1
    }

    /// Returns the output length and the padding before and after.
    pub(crate) fn resolve(
        &self,
        site: &Site,
        padding: Padding,
        explicit: (usize, usize),
    ) -> Result<(usize, usize, usize)> {
        let input = self.input as i128;
        let stride = self.stride as i128;
        let (output, before, after) = match padding {
            Padding::Same | Padding::SameLower => {
                let output = (input + stride - 1) / stride;
                let pad = ((output - 1) * stride + self.extent() - input).max(0);
                let (smaller, larger) = (pad / 2, pad - pad / 2);
                if padding == Padding::Same {
                    (output, smaller, larger)
                } else {
                    (output, larger, smaller)
                }
            }
            Padding::Valid => ((input - self.extent()).div_euclid(stride) + 1, 0, 0),
            Padding::Explicit(_) => {
                let (before, after) = (explicit.0 as i128, explicit.1 as i128);
                let room = input + before + after - self.extent();
                (room.div_euclid(stride) + 1, before, after)
            }
        };
        let lengths = [output, before, after].map(usize::try_from);
        match lengths {
            [Ok(output), Ok(before), Ok(after)] if output > 0 => Ok((output, before, after)),
            _ => Err(site.refuse(
                &format!("kernel {}", self.name),
                format!("spans {} pixels with its dilation", self.extent()),
                format!(
                    "the padded image has {}, so the output would have {output}",
                    input + before + after
                ),
                "use a smaller kernel or dilation, or more padding",
            )),
        }
    }
}

/// Refuses zeros among strides, dilations and sizes.
pub(crate) fn check_positive(site: &Site, what: &str, pair: Pair) -> Result<()> {
    if pair.height > 0 && pair.width > 0 {
        return Ok(());
    }
    Err(site.refuse(what, format!("is {pair}"), "both must be at least 1", "use positive numbers"))
}

/// The options that all layers with a sliding window share, over images or over lines.
#[derive(Clone, Debug)]
pub(crate) struct Options<P = Padding> {
    pub name: Option<String>,
    pub strides: Pair,
    pub dilation: Pair,
    pub padding: P,
    pub activation: Activation,
}

impl<P: Default> Default for Options<P> {
    fn default() -> Self {
        Options {
            name: None,
            strides: Pair::new(1, 1),
            dilation: Pair::new(1, 1),
            padding: P::default(),
            activation: Activation::Linear,
        }
    }
}

/// Writes the setters of [`Options`] for a layer that keeps them in `options`: what its steps
/// and its padding are, and how steps become a pair.
///
/// A macro, since eight builders return eight types and a trait would have to be
/// imported wherever a layer is built.
macro_rules! window_setters {
    ($steps:ty, $pair:path, $padding:ty) => {
        /// Names the node.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.options.name = Some(name.into());
            self
        }

        /// Sets the distance between windows, in pixels of an image or steps of a line.
        #[must_use]
        pub fn strides(mut self, strides: $steps) -> Self {
            self.options.strides = $pair(strides);
            self
        }

        /// Sets the distance between a window's taps (Keras's `dilation_rate`), in pixels of an
        /// image or steps of a line.
        #[must_use]
        pub fn dilation(mut self, dilation: $steps) -> Self {
            self.options.dilation = $pair(dilation);
            self
        }

        /// Sets the padding.
        #[must_use]
        pub fn padding(mut self, padding: $padding) -> Self {
            self.options.padding = padding;
            self
        }

        /// Sets the activation.
        #[must_use]
        pub fn activation(mut self, activation: Activation) -> Self {
            self.options.activation = activation;
            self
        }
    };
}
pub(crate) use window_setters;
