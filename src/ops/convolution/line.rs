//! What layers over lines share: padding and options of one axis.

use crate::ops::Activation;
use crate::ops::convolution::window::{Options, Padding, Pads, Pair};

/// Names how a line is padded with zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding1d {
    /// No padding: the window stays inside.
    #[default]
    Valid,
    /// As much as makes the output `ceil(in / stride)`, the odd one at the end.
    Same,
    /// As much as `Same` pads, the odd one at the beginning: ONNX's `SAME_LOWER`.
    SameLower,
    /// `(k - 1) * dilation` zeros before the first step, so that no result depends on later
    /// steps than its own: Keras's `causal`.
    Causal,
    /// A number for each end.
    Explicit {
        /// Zeros before the first step.
        before: usize,
        /// Zeros after the last step.
        after: usize,
    },
}

/// The options that all layers over lines share.
#[derive(Clone, Debug)]
pub(crate) struct LineOptions {
    pub name: Option<String>,
    pub strides: usize,
    pub dilation: usize,
    pub padding: Padding1d,
    pub activation: Activation,
}

impl Default for LineOptions {
    fn default() -> Self {
        LineOptions {
            name: None,
            strides: 1,
            dilation: 1,
            padding: Padding1d::Valid,
            activation: Activation::Linear,
        }
    }
}

impl LineOptions {
    /// Makes the options of the same layer over images of one row.
    pub(crate) fn of_images(self, kernel_size: usize) -> Options {
        let sides = |left, right| Padding::Explicit(Pads { left, right, ..Pads::default() });
        let padding = match self.padding {
            Padding1d::Valid => Padding::Valid,
            Padding1d::Same => Padding::Same,
            Padding1d::SameLower => Padding::SameLower,
            // A product beyond counting is beyond any kernel too, which planning refuses.
            Padding1d::Causal => {
                sides(kernel_size.saturating_sub(1).saturating_mul(self.dilation), 0)
            }
            Padding1d::Explicit { before, after } => sides(before, after),
        };
        Options {
            name: self.name,
            strides: Pair::new(1, self.strides),
            dilation: Pair::new(1, self.dilation),
            padding,
            activation: self.activation,
        }
    }
}

/// Writes the setters of [`LineOptions`] for a layer that keeps them in `options`.
macro_rules! line_setters {
    () => {
        /// Names the node.
        #[must_use]
        pub fn name(mut self, name: impl Into<String>) -> Self {
            self.options.name = Some(name.into());
            self
        }

        /// Sets the steps between windows.
        #[must_use]
        pub fn strides(mut self, strides: usize) -> Self {
            self.options.strides = strides;
            self
        }

        /// Sets the steps between a window's taps (Keras's `dilation_rate`).
        #[must_use]
        pub fn dilation(mut self, dilation: usize) -> Self {
            self.options.dilation = dilation;
            self
        }

        /// Sets the padding.
        #[must_use]
        pub fn padding(mut self, padding: Padding1d) -> Self {
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
pub(crate) use line_setters;
