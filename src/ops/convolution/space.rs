//! What windows slide over: images, or lines, which are images of one row.

use crate::error::Result;
use crate::graph::{Operand, Site};
use crate::ops::convolution::window::{Pair, check_positive};
use crate::shape::{Dim, Shape};

/// The axes between the batch and the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// (batch, steps, channels), computed as images of one row.
    Line,
    /// (batch, height, width, channels).
    Image,
}

impl Space {
    /// Tells what a value is that some layer has taken.
    pub(crate) fn of(shape: &Shape) -> Self {
        if shape.rank() == 3 { Space::Line } else { Space::Image }
    }

    /// Takes a value apart: height (1 for a line), width, channels.
    pub(crate) fn sizes(self, site: &Site, x: &Operand) -> Result<[usize; 3]> {
        match (self, x.shape.dims()) {
            (Space::Image, _) => x.image(site),
            (Space::Line, [_, Dim::Fixed(steps), Dim::Fixed(channels)]) => {
                Ok([1, *steps, *channels])
            }
            (Space::Line, _) => Err(site.refuse(
                &format!("\"{}\"", x.name),
                format!("has {} dimensions", x.shape.rank()),
                "a line has 3: (batch, steps, channels)",
                "reshape it",
            )),
        }
    }

    /// Takes a kernel apart: height (1 for a line), width, and its two counts of channels.
    ///
    /// `kind` and `channels` say what the kernel should be: `a convolution kernel`,
    /// `Cin/groups, Cout`.
    pub(crate) fn kernel(
        self,
        site: &Site,
        shape: &[usize],
        kind: &str,
        channels: &str,
    ) -> Result<[usize; 4]> {
        let (lengths, expected) = match self {
            Space::Image => {
                (<[usize; 4]>::try_from(shape).ok(), format!("{kind} has 4: (kh, kw, {channels})"))
            }
            Space::Line => (
                <[usize; 3]>::try_from(shape)
                    .ok()
                    .map(|[length, third, last]| [1, length, third, last]),
                format!("{kind} over lines has 3: (k, {channels})"),
            ),
        };
        let refuse = || {
            let got = format!("has {} dimensions", shape.len());
            site.refuse("kernel", got, expected, "reshape it")
        };
        lengths.ok_or_else(refuse)
    }

    /// Takes a result's height (1 for a line) and width.
    pub(crate) fn result(self, shape: &Shape) -> Option<[usize; 2]> {
        match self {
            Space::Image => match shape.dims() {
                [_, Dim::Fixed(height), Dim::Fixed(width), _] => Some([*height, *width]),
                _ => None,
            },
            Space::Line => match shape.dims() {
                [_, Dim::Fixed(steps), _] => Some([1, *steps]),
                _ => None,
            },
        }
    }

    /// Makes the shape of a result.
    pub(crate) fn shape(self, batch: Dim, [height, width, channels]: [usize; 3]) -> Shape {
        match self {
            Space::Image => Shape::new([batch, height.into(), width.into(), channels.into()]),
            Space::Line => Shape::new([batch, width.into(), channels.into()]),
        }
    }

    /// Refuses zeros among strides, dilations and sizes.
    pub(crate) fn check_positive(self, site: &Site, pairs: [(&str, Pair); 3]) -> Result<()> {
        pairs.into_iter().try_for_each(|(what, pair)| match self {
            Space::Line if pair.width == 0 => {
                Err(site.refuse(what, "is 0", "it must be at least 1", "use a positive number"))
            }
            Space::Line | Space::Image => check_positive(site, what, pair),
        })
    }

    /// Checks the kernel's lengths against the layer's.
    pub(crate) fn check_kernel_size(self, site: &Site, kernel: Pair, layer: Pair) -> Result<()> {
        if kernel == layer {
            return Ok(());
        }
        let (got, expected) = match self {
            Space::Image => (
                format!("is {} by {}", kernel.height, kernel.width),
                format!("the layer's kernel_size is {layer}"),
            ),
            Space::Line => (
                format!("is {} long", kernel.width),
                format!("the layer's kernel_size is {}", layer.width),
            ),
        };
        Err(site.refuse("kernel", got, expected, "make both equal"))
    }

    /// Names an axis, as messages do.
    pub(crate) fn axis_names(self) -> [&'static str; 2] {
        match self {
            Space::Image => ["height", "width"],
            Space::Line => ["height", "length"],
        }
    }
}

/// Sees lengths as an image's: a line is one of one row.
pub(crate) fn image(lengths: &[usize]) -> Option<[usize; 4]> {
    match *lengths {
        [batch, height, width, channels] => Some([batch, height, width, channels]),
        [batch, steps, channels] => Some([batch, 1, steps, channels]),
        _ => None,
    }
}
