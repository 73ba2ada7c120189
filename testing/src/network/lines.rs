//! Convolutions over lines, and transposed ones by ONNX's rules.

use longshore::ops::Pads;
use longshore::{
    Conv1d, Conv1dTranspose, Conv2dTranspose, DepthwiseConv1d, HostArray, LayerWeights, Padding,
    Padding1d, SeparableConv1d,
};
use ndarray::{ArrayD, Axis};

use super::Network;
use super::convolutions::{Drawn, linear};
use crate::golden::widen;
use crate::oracle::Expected;
use crate::oracle::conv2d as exact;
use crate::oracle::conv2d_transpose::{OnnxPadding, grouped_conv2d_transpose, onnx_window};

/// A line as an image of one row, or a kernel of one.
fn row(array: &ArrayD<f64>, axis: usize) -> ArrayD<f64> {
    array.clone().insert_axis(Axis(axis))
}

fn flat(image: Expected) -> Expected {
    let drop = |array: ArrayD<f64>| array.index_axis_move(Axis(1), 0);
    Expected { value: drop(image.value), bound: drop(image.bound) }
}

/// A window over a line on both sides.
struct Line {
    kernel: usize,
    strides: usize,
    dilation: usize,
    ours: Padding1d,
    padding: exact::Padding,
}

impl Line {
    fn draw(net: &mut Network, length: usize) -> Line {
        let kernel = net.random.range(1, length.min(4) + 1);
        let (strides, wide) = (net.random.range(1, 3), (kernel - 1) * 2 < length);
        let dilation = if wide { net.random.range(1, 3) } else { 1 };
        let ends = |left, right| exact::Padding::Explicit { top: 0, bottom: 0, left, right };
        let (before, after) = (net.random.range(0, 3), net.random.range(0, 3));
        let (ours, padding) = *net.random.pick(&[
            (Padding1d::Valid, exact::Padding::Valid),
            (Padding1d::Same, exact::Padding::Same),
            (Padding1d::SameLower, exact::Padding::SameLower),
            (Padding1d::Causal, ends((kernel - 1) * dilation, 0)),
            (Padding1d::Explicit { before, after }, ends(before, after)),
        ]);
        Line { kernel, strides, dilation, ours, padding }
    }
}

pub fn conv1d(net: &mut Network, name: &str) -> bool {
    let x = net.of_rank(3);
    let shape = net.shape(x);
    let Line { kernel, strides, dilation, ours, padding } = Line::draw(net, shape[1]);
    let (channels, is_depthwise) = (shape[2], name == "depthwise_conv1d");
    let groups = if channels.is_multiple_of(2) && net.coin() { 2 } else { 1 };
    let (multiplier, filters) = (net.random.range(1, 3), groups * net.random.range(1, 4));
    let drawn = if is_depthwise {
        Drawn::new(net, &[kernel, channels, multiplier], kernel, channels * multiplier)
    } else {
        Drawn::new(net, &[kernel, channels / groups, filters], kernel * channels, filters)
    };
    let (given, twin) = (drawn.weights(), drawn.twin);
    let (kernels, bias) = drawn.exact();
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let (x, kernel) = (row(x, 1), row(&kernels[usize::from(is_spread)], 0));
            let (strides, dilation) = ((1, strides), (1, dilation));
            flat(if is_depthwise {
                exact::depthwise_conv2d(&x, &kernel, bias, strides, dilation, padding)
            } else {
                exact::conv2d(&x, &kernel, bias, strides, dilation, groups, padding)
            })
        })
    };
    net.layer(&[x], oracle, |g, x| {
        if is_depthwise {
            let layer = DepthwiseConv1d::new(kernel).depth_multiplier(multiplier).padding(ours);
            let layer = layer.strides(strides).dilation(dilation).activation(twin.ours);
            return g.depthwise_conv1d(x[0], layer, &given);
        }
        let layer = Conv1d::new(filters, kernel).groups(groups).padding(ours);
        let layer = layer.strides(strides).dilation(dilation).activation(twin.ours);
        g.conv1d(x[0], layer, &given)
    })
}

pub fn separable_conv1d(net: &mut Network, _: &str) -> bool {
    let x = net.of_rank(3);
    let shape = net.shape(x);
    let Line { kernel, strides, dilation, ours, padding } = Line::draw(net, shape[1]);
    let (multiplier, filters) = (net.random.range(1, 3), net.random.range(1, 5));
    let middle = shape[2] * multiplier;
    let depthwise = net.random.uniform(&[kernel, shape[2], multiplier]);
    let drawn = Drawn::new(net, &[1, middle, filters], middle, filters);
    let host = |array: &ArrayD<f32>| HostArray::from(array.clone());
    let mut given = LayerWeights::separable(host(&depthwise), host(&drawn.kernel));
    if let Some(bias) = &drawn.bias {
        given = given.bias(host(bias));
    }
    let (twin, (pointwise, bias)) = (drawn.twin, drawn.exact());
    let depthwise = [widen(&depthwise), widen(&depthwise).mapv(f64::abs)];
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let number = usize::from(is_spread);
            let [first, second] = [row(&depthwise[number], 0), row(&pointwise[number], 0)];
            let (strides, dilation) = ((1, strides), (1, dilation));
            let x = row(x, 1);
            flat(exact::separable_conv2d(&x, &first, &second, bias, strides, dilation, padding))
        })
    };
    let layer = SeparableConv1d::new(filters, kernel).depth_multiplier(multiplier).padding(ours);
    let layer = layer.strides(strides).dilation(dilation).activation(twin.ours);
    net.layer(&[x], oracle, |g, x| g.separable_conv1d(x[0], layer, &given))
}

/// One axis of a transposed window: kernel, stride, dilation, and what is cut off.
fn cut(net: &mut Network) -> (usize, usize, usize, (usize, usize)) {
    let (kernel, stride) = (net.random.range(1, 4), net.random.range(1, 3));
    let dilation = net.random.range(1, 3);
    let reach = (kernel - 1) * dilation;
    let before = net.random.range(0, reach / 2 + 1);
    (kernel, stride, dilation, (before, net.random.range(0, reach - before + 1)))
}

/// Transposed convolutions by ONNX's rules with groups and pads, over lines and images.
pub fn onnx_transpose(net: &mut Network, name: &str) -> bool {
    let is_line = name == "conv1d_transpose";
    let x = net.of_rank(if is_line { 3 } else { 4 });
    let shape = net.shape(x);
    let channels = shape[shape.len() - 1];
    let groups = if channels.is_multiple_of(2) && net.coin() { 2 } else { 1 };
    let each = net.random.range(1, 3);
    let rows = if is_line { (1, 1, 1, (0, 0)) } else { cut(net) };
    let columns = cut(net);
    let (size, strides) = ((rows.0, columns.0), (rows.1, columns.1));
    let dilation = (rows.2, columns.2);
    let mut kernel = vec![size.0, size.1, each, channels];
    if is_line {
        kernel.remove(0);
    }
    let terms = size.0 * size.1 * channels;
    let drawn = Drawn::new(net, &kernel, terms, each * groups);
    let (given, twin) = (drawn.weights(), drawn.twin);
    let (kernels, bias) = drawn.exact();
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let kernel = &kernels[usize::from(is_spread)];
            let (image, kernel) =
                if is_line { (row(x, 1), row(kernel, 0)) } else { (x.clone(), kernel.clone()) };
            let window = |axis: usize, (k, stride, dilation, (before, after))| {
                let pads = OnnxPadding::Pads(before, after);
                onnx_window(image.shape()[axis], k, stride, dilation, pads, 0)
            };
            let windows = [window(1, rows), window(2, columns)];
            let result =
                grouped_conv2d_transpose(&image, &kernel, bias, strides, dilation, groups, windows);
            if is_line { flat(result) } else { result }
        })
    };
    net.layer(&[x], oracle, |g, x| {
        let ((top, bottom), (left, right)) = (rows.3, columns.3);
        if is_line {
            let padding = Padding1d::Explicit { before: left, after: right };
            let layer = Conv1dTranspose::onnx(each * groups, size.1).strides(strides.1);
            let layer = layer.dilation(dilation.1).groups(groups).padding(padding);
            return g.conv1d_transpose(x[0], layer.activation(twin.ours), &given);
        }
        let padding = Padding::Explicit(Pads { top, bottom, left, right });
        let layer = Conv2dTranspose::onnx(each * groups, size).strides(strides);
        let layer = layer.dilation(dilation).groups(groups).padding(padding);
        g.conv2d_transpose(x[0], layer.activation(twin.ours), &given)
    })
}
