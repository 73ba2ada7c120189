//! Depthwise and separable convolutions on the device; they run on the kernel of `conv2d`.

use longshore::{DepthwiseConv2d, HostArray, LayerWeights, SeparableConv2d};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{ELEMENTWISE, Twin, apply, cases, check, narrow, trials, weights, widen};
use crate::oracle::Expected;
use crate::oracle::conv2d::{Padding, depthwise_conv2d, separable_conv2d};
use crate::random::Random;
use crate::window::Window;

const KNOWN: [&str; 8] = [
    "strides",
    "padding",
    "dilation_rate",
    "use_bias",
    "activation",
    "filters",
    "kernel_size",
    "depth_multiplier",
];

/// One layer with its data: depthwise, or separable where there is a pointwise kernel.
struct Trial {
    window: Window,
    twin: Twin,
    input: ArrayD<f32>,
    depthwise: ArrayD<f32>,
    pointwise: Option<ArrayD<f32>>,
    bias: Option<ArrayD<f32>>,
}

impl Trial {
    fn oracle(&self) -> Expected {
        let Window { strides, dilation, padding, .. } = self.window;
        let (input, depthwise) = (widen(&self.input), widen(&self.depthwise));
        let bias = self.bias.as_ref().map(widen);
        let bias = bias.as_ref();
        self.twin.apply(match self.pointwise.as_ref().map(widen) {
            None => depthwise_conv2d(&input, &depthwise, bias, strides, dilation, padding),
            Some(pointwise) => {
                separable_conv2d(&input, &depthwise, &pointwise, bias, strides, dilation, padding)
            }
        })
    }

    fn run(&self, on: &dyn Executor) -> ArrayD<f32> {
        let Window { kernel, strides, dilation, .. } = self.window;
        let padding = self.window.ours();
        let (multiplier, activation) = (self.depthwise.shape()[3], self.twin.ours);
        let Some(pointwise) = &self.pointwise else {
            let layer = DepthwiseConv2d::new(kernel)
                .depth_multiplier(multiplier)
                .strides(strides)
                .dilation(dilation)
                .padding(padding)
                .activation(activation);
            let weights = weights(&self.depthwise, self.bias.as_ref());
            return apply(on, &self.input, |g, x| g.depthwise_conv2d(x, layer, &weights));
        };
        let layer = SeparableConv2d::new(pointwise.shape()[3], kernel)
            .depth_multiplier(multiplier)
            .strides(strides)
            .dilation(dilation)
            .padding(padding)
            .activation(activation);
        let host = |array: &ArrayD<f32>| HostArray::from(array.clone());
        let mut weights = LayerWeights::separable(host(&self.depthwise), host(pointwise));
        if let Some(bias) = &self.bias {
            weights = weights.bias(host(bias));
        }
        apply(on, &self.input, |g, x| g.separable_conv2d(x, layer, &weights))
    }
}

pub fn golden_cases(on: &dyn Executor) {
    let depthwise = cases("depthwise_conv2d", 9, &KNOWN);
    for case in depthwise.iter().chain(&cases("separable_conv2d", 6, &KNOWN)) {
        let is_separable = case.layer == "separable_conv2d";
        let trial = Trial {
            window: Window::of(case),
            twin: Twin::of(case),
            input: narrow(case.array("input")),
            depthwise: narrow(case.array(if is_separable { "depthwise" } else { "kernel" })),
            pointwise: is_separable.then(|| narrow(case.array("pointwise"))),
            bias: case.optional("bias").map(narrow),
        };
        assert_eq!(trial.depthwise.shape()[3], case.whole("depth_multiplier"), "{}", case.name);
        let (actual, oracle) = (trial.run(on), trial.oracle());
        assert_close(&case.name, &actual, &oracle);
        check(case, &actual, &oracle);
    }
}

fn draw(random: &mut Random) -> Trial {
    let sizes = [1, 2, 3, 5, 7, 8, 11];
    let (height, width) = (*random.pick(&sizes), *random.pick(&sizes));
    let window = Window::draw(random, height, width);
    let (channels, multiplier) = (*random.pick(&[1, 2, 3, 4, 5, 8]), *random.pick(&[1, 2, 3, 4]));
    let (kh, kw) = window.kernel;
    let filters = *random.pick(&[1, 3, 4, 7, 8]);
    let is_separable = random.range(0, 2) == 0;
    let results = if is_separable { filters } else { channels * multiplier };
    Trial {
        window,
        twin: *random.pick(&ELEMENTWISE),
        input: {
            let batch = random.range(1, 4);
            random.uniform(&[batch, height, width, channels])
        },
        depthwise: random.uniform(&[kh, kw, channels, multiplier]),
        pointwise: is_separable.then(|| random.uniform(&[1, 1, channels * multiplier, filters])),
        bias: (random.range(0, 2) == 0).then(|| random.uniform(&[results])),
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(80, |random| {
        let trial = draw(random);
        let what = format!(
            "{:?} * {:?} * {:?}, {:?}, {:?}",
            trial.input.shape(),
            trial.depthwise.shape(),
            trial.pointwise.as_ref().map(ArrayD::shape),
            trial.window,
            trial.twin
        );
        assert_close(&what, &trial.run(on), &trial.oracle());
    });
}

/// The host sums 32 channels at a time, then 8, then one.
pub fn many_channels(on: &dyn Executor) {
    let random = &mut Random::new(5);
    for channels in [31, 32, 40, 41, 77] {
        let trial = Trial {
            window: Window { kernel: (3, 2), padding: Padding::Same, ..Window::draw(random, 5, 4) },
            twin: ELEMENTWISE[0],
            input: random.uniform(&[2, 5, 4, channels]),
            depthwise: random.uniform(&[3, 2, channels, 1]),
            pointwise: None,
            bias: Some(random.uniform(&[channels])),
        };
        let what = format!("{channels} channels, {:?}", trial.window);
        assert_close(&what, &trial.run(on), &trial.oracle());
    }
}
