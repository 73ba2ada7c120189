//! Layers of weighted sums.

use longshore::{
    Conv2d, Conv2dTranspose, Dense, DepthwiseConv2d, HostArray, LayerWeights, Padding,
    SeparableConv2d,
};
use ndarray::ArrayD;

use super::{Network, lines, near};
use crate::golden::{ELEMENTWISE, Twin, weights, widen};
use crate::oracle::{Expected, conv2d as exact, conv2d_transpose as transposed, dense};
use crate::window::Window;

/// A layer's own part, which passes may fold into another, and then its activation.
pub(super) fn linear(
    twin: Twin,
    x: &Expected,
    bias: Option<&ArrayD<f64>>,
    apply: impl Fn(&ArrayD<f64>, Option<&ArrayD<f64>>, bool) -> Expected,
) -> Expected {
    let spread = apply(&x.bound, None, true).value;
    twin.apply(near(apply(&x.value, bias, false), &spread))
}

/// What every layer here has.
pub(super) struct Drawn {
    pub twin: Twin,
    pub kernel: ArrayD<f32>,
    pub bias: Option<ArrayD<f32>>,
}

impl Drawn {
    /// Weights that keep values small: exponentials and long chains stay far from overflow.
    pub fn new(net: &mut Network, kernel: &[usize], terms: usize, outputs: usize) -> Drawn {
        let twin = if net.coin() { ELEMENTWISE[0] } else { *net.random.pick(&ELEMENTWISE) };
        let kernel = net.random.uniform(kernel) * (2.0 / terms as f32);
        let bias = net.coin().then(|| net.random.uniform(&[outputs]));
        Drawn { twin, kernel, bias }
    }

    pub fn weights(&self) -> LayerWeights {
        weights(&self.kernel, self.bias.as_ref())
    }

    /// The kernel, the kernel's magnitudes, the bias.
    pub fn exact(&self) -> ([ArrayD<f64>; 2], Option<ArrayD<f64>>) {
        let kernel = widen(&self.kernel);
        let magnitudes = kernel.mapv(f64::abs);
        ([kernel, magnitudes], self.bias.as_ref().map(widen))
    }
}

/// An image, and a window that fits it.
fn windowed(net: &mut Network) -> (usize, [usize; 4], Window) {
    let x = net.image();
    let shape: [usize; 4] = net.shape(x).try_into().unwrap();
    (x, shape, Window::draw(&mut net.random, shape[1], shape[2]))
}

pub fn conv2d(net: &mut Network, _: &str) -> bool {
    let (x, shape, window) = windowed(net);
    let Window { kernel: size, strides, dilation, padding } = window;
    let channels = shape[3];
    let groups = if channels % 2 == 0 && net.coin() { 2 } else { 1 };
    let filters = groups * net.random.range(1, 5);
    let kernel = [size.0, size.1, channels / groups, filters];
    let drawn = Drawn::new(net, &kernel, kernel[..3].iter().product(), filters);
    let layer = Conv2d::new(filters, size).strides(strides).dilation(dilation).groups(groups);
    let layer = layer.padding(window.ours()).activation(drawn.twin.ours);
    let given = drawn.weights();
    let (twin, (kernels, bias)) = (drawn.twin, drawn.exact());
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let kernel = &kernels[usize::from(is_spread)];
            exact::conv2d(x, kernel, bias, strides, dilation, groups, padding)
        })
    };
    net.layer(&[x], oracle, |g, x| g.conv2d(x[0], layer, &given))
}

pub fn depthwise_conv2d(net: &mut Network, _: &str) -> bool {
    let (x, shape, window) = windowed(net);
    let Window { kernel: size, strides, dilation, padding } = window;
    let multiplier = net.random.range(1, 3);
    let kernel = [size.0, size.1, shape[3], multiplier];
    let drawn = Drawn::new(net, &kernel, size.0 * size.1, shape[3] * multiplier);
    let layer =
        DepthwiseConv2d::new(size).strides(strides).dilation(dilation).padding(window.ours());
    let layer = layer.depth_multiplier(multiplier).activation(drawn.twin.ours);
    let given = drawn.weights();
    let (twin, (kernels, bias)) = (drawn.twin, drawn.exact());
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let kernel = &kernels[usize::from(is_spread)];
            exact::depthwise_conv2d(x, kernel, bias, strides, dilation, padding)
        })
    };
    net.layer(&[x], oracle, |g, x| g.depthwise_conv2d(x[0], layer, &given))
}

pub fn separable_conv2d(net: &mut Network, _: &str) -> bool {
    let (x, shape, window) = windowed(net);
    let Window { kernel: size, strides, dilation, padding } = window;
    let (multiplier, filters) = (net.random.range(1, 3), net.random.range(1, 5));
    let depthwise = net.random.uniform(&[size.0, size.1, shape[3], multiplier]);
    let middle = shape[3] * multiplier;
    let drawn = Drawn::new(net, &[1, 1, middle, filters], middle, filters);
    let layer = SeparableConv2d::new(filters, size)
        .strides(strides)
        .dilation(dilation)
        .padding(window.ours());
    let layer = layer.depth_multiplier(multiplier).activation(drawn.twin.ours);
    let mut given = LayerWeights::separable(
        HostArray::from(depthwise.clone()),
        HostArray::from(drawn.kernel.clone()),
    );
    if let Some(bias) = &drawn.bias {
        given = given.bias(HostArray::from(bias.clone()));
    }
    let (twin, (pointwise, bias)) = (drawn.twin, drawn.exact());
    let depthwise = [widen(&depthwise), widen(&depthwise).mapv(f64::abs)];
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let number = usize::from(is_spread);
            let (first, second) = (&depthwise[number], &pointwise[number]);
            exact::separable_conv2d(x, first, second, bias, strides, dilation, padding)
        })
    };
    net.layer(&[x], oracle, |g, x| g.separable_conv2d(x[0], layer, &given))
}

pub fn conv2d_transpose(net: &mut Network, name: &str) -> bool {
    if net.coin() {
        return lines::onnx_transpose(net, name);
    }
    let x = net.of_rank(4);
    let channels = net.shape(x)[3];
    let size = (net.random.range(1, 4), net.random.range(1, 4));
    let strides = (net.random.range(1, 3), net.random.range(1, 3));
    let filters = net.random.range(1, 4);
    let kernel = [size.0, size.1, filters, channels];
    let drawn = Drawn::new(net, &kernel, size.0 * size.1 * channels, filters);
    let (ours, same) = *net.random.pick(&[
        (Padding::Same, transposed::TransposePadding::Same),
        (Padding::Valid, transposed::TransposePadding::Valid),
    ]);
    let layer = Conv2dTranspose::new(filters, size).strides(strides).padding(ours);
    let layer = layer.activation(drawn.twin.ours);
    let given = drawn.weights();
    let (twin, (kernels, bias)) = (drawn.twin, drawn.exact());
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            let kernel = &kernels[usize::from(is_spread)];
            transposed::conv2d_transpose(x, kernel, bias, strides, (1, 1), same, None)
        })
    };
    net.layer(&[x], oracle, |g, x| g.conv2d_transpose(x[0], layer, &given))
}

pub fn dense_layer(net: &mut Network, _: &str) -> bool {
    let rank = net.random.range(1, 4);
    let found = net.behind(&["flatten"], |value| value.shape().len() == 2);
    let found = found.or_else(|| net.pick(|value| value.shape().len() > value.first()));
    let x = found.unwrap_or_else(|| net.leaf_of_rank(rank.max(2)));
    dense_on(net, x)
}

/// A dense layer on a value.
pub fn dense_on(net: &mut Network, x: usize) -> bool {
    let inputs = *net.shape(x).last().unwrap();
    let units = if net.coin() { inputs } else { net.random.range(1, 9) };
    let drawn = Drawn::new(net, &[inputs, units], inputs, units);
    let layer = Dense::new(units).activation(drawn.twin.ours);
    let given = drawn.weights();
    let (twin, (kernels, bias)) = (drawn.twin, drawn.exact());
    let oracle = move |x: &[&Expected]| {
        linear(twin, x[0], bias.as_ref(), |x, bias, is_spread| {
            dense::dense(x, &kernels[usize::from(is_spread)], bias)
        })
    };
    net.layer(&[x], oracle, |g, x| g.dense(x[0], layer, &given))
}
