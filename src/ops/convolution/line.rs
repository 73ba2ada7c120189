//! The padding of layers over lines.

use crate::ops::convolution::window::{Options, Padding, Pads};

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

impl Options<Padding1d> {
    /// Makes the options of the same layer over images of one row.
    pub(crate) fn of_images(self, kernel_size: usize) -> Options {
        let Options { name, strides, dilation, padding, activation } = self;
        let sides = |left, right| Padding::Explicit(Pads { left, right, ..Pads::default() });
        let padding = match padding {
            Padding1d::Valid => Padding::Valid,
            Padding1d::Same => Padding::Same,
            Padding1d::SameLower => Padding::SameLower,
            // A product beyond counting is beyond any kernel too, which planning refuses.
            Padding1d::Causal => {
                sides(kernel_size.saturating_sub(1).saturating_mul(dilation.width), 0)
            }
            Padding1d::Explicit { before, after } => sides(before, after),
        };
        Options { name, strides, dilation, padding, activation }
    }
}
