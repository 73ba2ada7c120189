//! Convolutions over lines: plain, grouped, depthwise and separable, as images of one row.

use longshore::{Conv1d, DepthwiseConv1d, LayerWeights, Padding1d, SeparableConv1d};
use ndarray::{ArrayD, Axis};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{
    ELEMENTWISE, LINEAR, SOFTMAX, Twin, apply, cases_of, check, line, narrow, trials, weights,
    widen,
};
use crate::oracle::Expected;
use crate::oracle::conv2d::{Padding, conv2d, depthwise_conv2d, separable_conv2d};
use crate::random::Random;

/// Which of the layers a trial runs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Plain { groups: usize },
    Depthwise,
    Separable,
}

struct Trial {
    kind: Kind,
    strides: usize,
    dilation: usize,
    padding: Padding1d,
    twin: Twin,
    input: ArrayD<f32>,
    weight: ArrayD<f32>,
    pointwise: Option<ArrayD<f32>>,
    bias: Option<ArrayD<f32>>,
}

/// An array as an image of one row, or a kernel of one.
fn row(array: &ArrayD<f32>, axis: usize) -> ArrayD<f64> {
    widen(array).insert_axis(Axis(axis))
}

impl Trial {
    fn describe(&self) -> String {
        let (input, weight) = (self.input.shape(), self.weight.shape());
        let Trial { kind, strides, dilation, padding, twin, .. } = self;
        format!("{kind:?} {input:?} * {weight:?}, {strides}, {dilation}, {padding:?}, {twin:?}")
    }

    fn oracle(&self) -> Expected {
        let (input, weight) = (row(&self.input, 1), row(&self.weight, 0));
        let bias = self.bias.as_ref().map(widen);
        let (strides, dilation) = ((1, self.strides), (1, self.dilation));
        let ends = |left, right| Padding::Explicit { top: 0, bottom: 0, left, right };
        let padding = match self.padding {
            Padding1d::Valid => Padding::Valid,
            Padding1d::Same => Padding::Same,
            Padding1d::SameLower => Padding::SameLower,
            // What is before step t is all that its result may depend on.
            Padding1d::Causal => ends((self.weight.shape()[0] - 1) * self.dilation, 0),
            Padding1d::Explicit { before, after } => ends(before, after),
        };
        let bias = bias.as_ref();
        let linear = match self.kind {
            Kind::Plain { groups } => {
                conv2d(&input, &weight, bias, strides, dilation, groups, padding)
            }
            Kind::Depthwise => depthwise_conv2d(&input, &weight, bias, strides, dilation, padding),
            Kind::Separable => {
                let pointwise = row(self.pointwise.as_ref().unwrap(), 0);
                separable_conv2d(&input, &weight, &pointwise, bias, strides, dilation, padding)
            }
        };
        let flat = |array: ArrayD<f64>| array.remove_axis(Axis(1));
        self.twin.apply(Expected { value: flat(linear.value), bound: flat(linear.bound) })
    }

    fn run(&self, on: &dyn Executor) -> ArrayD<f32> {
        let Trial { strides, dilation, padding, twin, .. } = *self;
        let &[k, _, last] = self.weight.shape() else { panic!("3 dimensions") };
        let weights = weights(&self.weight, self.bias.as_ref());
        apply(on, &self.input, |g, x| match self.kind {
            Kind::Plain { groups } => {
                let layer = Conv1d::new(last, k).groups(groups).activation(twin.ours);
                let layer = layer.strides(strides).dilation(dilation).padding(padding);
                g.conv1d(x, layer, &weights)
            }
            Kind::Depthwise => {
                let layer = DepthwiseConv1d::new(k).depth_multiplier(last).activation(twin.ours);
                let layer = layer.strides(strides).dilation(dilation).padding(padding);
                g.depthwise_conv1d(x, layer, &weights)
            }
            Kind::Separable => {
                let pointwise = self.pointwise.clone().unwrap();
                let layer = SeparableConv1d::new(pointwise.shape()[2], k).depth_multiplier(last);
                let layer = layer.strides(strides).dilation(dilation).padding(padding);
                let host = longshore::HostArray::from;
                let mut both = LayerWeights::separable(host(self.weight.clone()), host(pointwise));
                if let Some(bias) = &self.bias {
                    both = both.bias(host(bias.clone()));
                }
                g.separable_conv1d(x, layer.activation(twin.ours), &both)
            }
        })
    }
}

fn read(case: &Case, kind: Kind) -> Trial {
    let weight = if kind == Kind::Separable { "depthwise" } else { "kernel" };
    let trial = Trial {
        kind,
        strides: case.whole("strides"),
        dilation: case.whole("dilation_rate"),
        padding: match case.text("padding") {
            "valid" => Padding1d::Valid,
            "same" => Padding1d::Same,
            "causal" => Padding1d::Causal,
            other => panic!("{}: padding {other}", case.name),
        },
        twin: Twin::of(case),
        input: narrow(case.array("input")),
        weight: narrow(case.array(weight)),
        pointwise: case.optional("pointwise").map(narrow),
        bias: case.optional("bias").map(narrow),
    };
    assert_eq!(trial.weight.shape()[0], case.whole("kernel_size"), "{}", case.name);
    trial
}

pub fn golden_cases(on: &dyn Executor) {
    let common = ["strides", "padding", "dilation_rate", "use_bias", "activation", "kernel_size"];
    for (layer, count, more) in [
        ("conv1d", 7, &["filters", "groups"][..]),
        ("depthwise_conv1d", 3, &["depth_multiplier"]),
        ("separable_conv1d", 2, &["filters", "depth_multiplier"]),
    ] {
        let known: Vec<&str> = common.iter().chain(more).copied().collect();
        for case in cases_of("onnx/windows", layer, count, &known) {
            let kind = match layer {
                "conv1d" => Kind::Plain { groups: case.whole("groups") },
                "depthwise_conv1d" => Kind::Depthwise,
                _ => Kind::Separable,
            };
            let trial = read(&case, kind);
            let (actual, oracle) = (trial.run(on), trial.oracle());
            assert_close(&case.name, &actual, &oracle);
            check(&case, &actual, &oracle);
        }
    }
}

fn draw(random: &mut Random) -> Trial {
    let steps = *random.pick(&[1, 2, 3, 5, 8, 13, 63, 64, 65]);
    let (k, dilation) = (*random.pick(&[1, 2, 3, 4, 5]), *random.pick(&[1, 1, 2, 3]));
    let reach: usize = (k - 1) * dilation + 1;
    let (before, after) = (random.range(0, 4), random.range(0, 3));
    let after = after.max(reach.saturating_sub(steps + before));
    let explicit = Padding1d::Explicit { before, after };
    let all =
        [Padding1d::Valid, Padding1d::Same, Padding1d::SameLower, Padding1d::Causal, explicit];
    let padding = match *random.pick(&all) {
        Padding1d::Valid if reach > steps => explicit,
        padding => padding,
    };
    let (inputs, outputs) = (*random.pick(&[1, 2, 3, 4, 8]), *random.pick(&[1, 2, 4, 5, 8]));
    let groups = random.range(1, 4);
    let (kind, channels, weight) = match random.range(0, 4) {
        0 => (Kind::Depthwise, inputs, [k, inputs, outputs]),
        1 => (Kind::Separable, inputs, [k, inputs, outputs]),
        _ => (Kind::Plain { groups }, groups * inputs, [k, inputs, groups * outputs]),
    };
    let pointwise = (kind == Kind::Separable).then(|| random.uniform(&[1, inputs * outputs, 3]));
    let last = match kind {
        Kind::Plain { .. } => groups * outputs,
        Kind::Depthwise => inputs * outputs,
        Kind::Separable => 3,
    };
    let batch = random.range(1, 4);
    Trial {
        kind,
        strides: *random.pick(&[1, 1, 2, 3]),
        dilation,
        padding,
        twin: match random.range(0, 24) {
            23 => SOFTMAX,
            number => *ELEMENTWISE.get(number).unwrap_or(&LINEAR),
        },
        input: random.uniform(&[batch, steps, channels]),
        weight: random.uniform(&weight),
        pointwise,
        bias: (random.range(0, 2) == 0).then(|| random.uniform(&[last])),
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(120, |random| {
        let trial = draw(random);
        assert_close(&trial.describe(), &trial.run(on), &trial.oracle());
    });
}

pub fn causal_results_do_not_depend_on_later_steps(on: &dyn Executor) {
    let random = &mut Random::new(5);
    let mut trial = draw(random);
    trial.kind = Kind::Plain { groups: 1 };
    (trial.padding, trial.strides, trial.dilation) = (Padding1d::Causal, 1, 2);
    (trial.twin, trial.bias, trial.pointwise) = (LINEAR, None, None);
    trial.input =
        line(&[1.0, 10.0, 100.0, 1000.0, 10000.0]).insert_axis(Axis(0)).insert_axis(Axis(2));
    trial.weight = line(&[4.0, 2.0, 1.0]).insert_axis(Axis(1)).insert_axis(Axis(2));
    let result: Vec<f32> = trial.run(on).iter().copied().collect();
    assert_eq!(result, [1.0, 10.0, 102.0, 1020.0, 10204.0]);
}
