//! Windows over images and lines, and what samples them.

use super::Replay;
use super::resampling;
use crate::error::Result;
use crate::graph::{Graph, LayerWeights, Symbol};
use crate::ops::convolution::conv2d;
use crate::ops::convolution::conv2d_transpose;
use crate::ops::convolution::convolve::{Channels, Request};
use crate::ops::convolution::convolve_transpose::{self, Rule};
use crate::ops::convolution::window::Options;
use crate::ops::movement::space::Space;
use crate::ops::{Op, Padding, Pads, Pair};
use crate::shape::Dim;

impl Graph {
    pub(super) fn replay_window(&mut self, replay: &Replay<'_>) -> Result<Symbol> {
        match &replay.claim.op {
            Op::Conv2d(rule) => self.replay_convolution(replay, rule),
            Op::Conv2dTranspose(rule) => self.replay_transposed(replay, rule),
            Op::Resize2d(rule) => resampling::again(self, replay, rule),
            other => Err(replay.refuse("op", format!("is {}", other.name()))),
        }
    }

    /// Lines are images of one row, and have a dimension fewer.
    fn space(&self, x: Symbol) -> Space {
        match self.shape(x).map(crate::shape::Shape::rank) {
            Some(3) => Space::Line,
            _ => Space::Image,
        }
    }

    fn replay_convolution(
        &mut self,
        replay: &Replay<'_>,
        rule: &conv2d::Resolved,
    ) -> Result<Symbol> {
        let [x] = replay.operands()?;
        let (kernel, bias) = replay.kernel_and_bias()?;
        let inputs = self.shape(x).and_then(|shape| shape.dims().last().copied());
        let channels = match *kernel.shape() {
            // A depthwise kernel lists all channels, though each group has one.
            [.., third, last]
                if rule.groups == third && third > 1 && inputs == Some(Dim::Fixed(third)) =>
            {
                Channels::Multiplier(last)
            }
            [.., last] => Channels::Filters { filters: last, groups: rule.groups },
            [] => Channels::Filters { filters: 0, groups: rule.groups },
        };
        let request = Request {
            kind: "conv2d",
            name: replay.claim.name.clone(),
            space: self.space(x),
            channels,
            kernel_size: rule.kernel_size,
            options: Options {
                strides: rule.strides,
                dilation: rule.dilation,
                padding: Padding::Explicit(rule.pads),
                ..Options::default()
            },
            kernel,
            bias,
        };
        self.convolve(x, request)
    }

    /// ONNX's rule with the padding that leaves this much of the full result.
    fn replay_transposed(
        &mut self,
        replay: &Replay<'_>,
        rule: &conv2d_transpose::Resolved,
    ) -> Result<Symbol> {
        let [x] = replay.operands()?;
        let (kernel, bias) = replay.kernel_and_bias()?;
        let space = self.space(x);
        let sizes = |dims: &[Dim]| match (space, dims) {
            (Space::Line, [_, Dim::Fixed(length), Dim::Fixed(_)]) => Some([1, *length]),
            (Space::Image, [_, Dim::Fixed(height), Dim::Fixed(width), Dim::Fixed(_)]) => {
                Some([*height, *width])
            }
            _ => None,
        };
        let input = self.shape(x).and_then(|shape| sizes(shape.dims()));
        let both = input.zip(sizes(replay.claim.shape.dims()));
        let margins = both.and_then(|([height, width], [out_height, out_width])| {
            let vertical = convolve_transpose::margins(rule, height, out_height, |p| p.height)?;
            let horizontal = convolve_transpose::margins(rule, width, out_width, |p| p.width)?;
            Some((vertical, horizontal))
        });
        let Some(([bottom, below], [right, behind])) = margins else {
            return Err(replay.refuse("shape", format!("is {}", replay.claim.shape)));
        };
        let pads = Pads { top: rule.crop.height, bottom, left: rule.crop.width, right };
        let filters = match *kernel.shape() {
            [.., each, _] => each.checked_mul(rule.groups),
            _ => None,
        };
        let request = convolve_transpose::Request {
            kind: "conv2d_transpose",
            space,
            filters: filters.unwrap_or(0),
            kernel_size: rule.kernel_size,
            groups: rule.groups,
            rule: Rule::Onnx,
            output_padding: Some(Pair::new(below, behind)),
            output_shape: None,
            options: Options {
                strides: rule.strides,
                dilation: rule.dilation,
                padding: Padding::Explicit(pads),
                ..Options::default()
            },
        };
        let weights = bias.into_iter().fold(LayerWeights::new(kernel), LayerWeights::bias);
        self.convolve_transpose(x, request, &weights)
    }
}
