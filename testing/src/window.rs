//! A convolution's window on both sides: drawn at random or read from a golden case.

use longshore::Padding as OurPadding;
use longshore::ops::Pads;

use crate::fixture::Case;
use crate::oracle::conv2d::Padding;
use crate::random::Random;

/// The options that all windows have, in the oracle's words.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub kernel: (usize, usize),
    pub strides: (usize, usize),
    pub dilation: (usize, usize),
    pub padding: Padding,
}

impl Window {
    /// Reads a case's window.
    pub fn of(case: &Case) -> Window {
        let value = &case.options["padding"];
        let at = |axis: usize, end: usize| value[axis][end].as_u64().expect("a size") as usize;
        let padding = match value.as_str() {
            Some("same") => Padding::Same,
            Some("same_lower") => Padding::SameLower,
            Some("valid") => Padding::Valid,
            Some(other) => panic!("{}: padding {other}", case.name),
            None => Padding::Explicit {
                top: at(0, 0),
                bottom: at(0, 1),
                left: at(1, 0),
                right: at(1, 1),
            },
        };
        let (strides, dilation) = (case.pair("strides"), case.pair("dilation_rate"));
        Window { kernel: case.pair("kernel_size"), strides, dilation, padding }
    }

    /// Draws a window that fits an image.
    pub fn draw(random: &mut Random, height: usize, width: usize) -> Window {
        let mut pair = |sizes: &[usize]| (*random.pick(sizes), *random.pick(sizes));
        let (kernel, strides) = (pair(&[1, 1, 2, 3, 3, 4, 5]), pair(&[1, 1, 2, 3, 4]));
        let dilation = pair(&[1, 1, 1, 2, 3]);
        let (top, left) = pair(&[0, 1, 2, 5]);
        let (bottom, right) = pair(&[0, 1, 3, 4]);
        let reach = |kernel: usize, dilation: usize| (kernel - 1) * dilation + 1;
        let reaches = (reach(kernel.0, dilation.0), reach(kernel.1, dilation.1));
        let explicit = Padding::Explicit {
            top,
            bottom: bottom.max(reaches.0.saturating_sub(height + top)),
            left,
            right: right.max(reaches.1.saturating_sub(width + left)),
        };
        let padding =
            match *random.pick(&[Padding::Same, Padding::SameLower, Padding::Valid, explicit]) {
                // A window larger than the image needs padding.
                Padding::Valid if reaches.0 > height || reaches.1 > width => explicit,
                padding => padding,
            };
        Window { kernel, strides, dilation, padding }
    }

    /// Zeros before and after an axis, by the formulas of TensorFlow and ONNX.
    pub fn amounts(self, axis: usize, size: usize) -> (usize, usize) {
        let pick = |pair: (usize, usize)| [pair.0, pair.1][axis];
        let (stride, reach) =
            (pick(self.strides), (pick(self.kernel) - 1) * pick(self.dilation) + 1);
        let total = ((size.div_ceil(stride) - 1) * stride + reach).saturating_sub(size);
        match self.padding {
            Padding::Same => (total / 2, total - total / 2),
            Padding::SameLower => (total - total / 2, total / 2),
            Padding::Valid => (0, 0),
            Padding::Explicit { top, bottom, left, right } => [(top, bottom), (left, right)][axis],
        }
    }

    /// The padding in the crate's words.
    pub fn ours(self) -> OurPadding {
        match self.padding {
            Padding::Same => OurPadding::Same,
            Padding::SameLower => OurPadding::SameLower,
            Padding::Valid => OurPadding::Valid,
            Padding::Explicit { top, bottom, left, right } => {
                OurPadding::Explicit(Pads { top, bottom, left, right })
            }
        }
    }
}
