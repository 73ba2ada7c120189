//! Convolutions on the device: plain and grouped. Depthwise and separable ones are in
//! `conv2d_depthwise.rs`, which share the kernel.

use std::collections::BTreeSet;

use longshore::Conv2d;
use longshore::internals::kernels::{Work, conv2d as kernel};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    ELEMENTWISE, LINEAR, SOFTMAX, Twin, apply, cases, check, narrow, trials, weights, widen,
    with_one,
};
use crate::oracle::Expected;
use crate::oracle::conv2d::{Padding, conv2d};
use crate::random::Random;
use crate::window::Window;

/// One convolution with its data.
struct Trial {
    window: Window,
    groups: usize,
    twin: Twin,
    input: ArrayD<f32>,
    weight: ArrayD<f32>,
    bias: Option<ArrayD<f32>>,
}

impl Trial {
    /// Draws data for a window: `inputs` and `outputs` are the channels of one group.
    fn fill(
        random: &mut Random,
        window: Window,
        image: [usize; 3],
        [groups, inputs, outputs]: [usize; 3],
        twin: Twin,
    ) -> Trial {
        let [batch, height, width] = image;
        let (kh, kw) = window.kernel;
        Trial {
            window,
            groups,
            twin,
            input: random.uniform(&[batch, height, width, groups * inputs]),
            weight: random.uniform(&[kh, kw, inputs, groups * outputs]),
            bias: (random.range(0, 2) == 0).then(|| random.uniform(&[groups * outputs])),
        }
    }

    fn describe(&self) -> String {
        let (input, weight) = (self.input.shape(), self.weight.shape());
        let (window, groups, has_bias) = (self.window, self.groups, self.bias.is_some());
        format!(
            "{input:?} * {weight:?}, {window:?}, {groups} groups, bias {has_bias}, {:?}",
            self.twin
        )
    }

    fn oracle(&self) -> Expected {
        let Window { strides, dilation, padding, .. } = self.window;
        let (input, weight) = (widen(&self.input), widen(&self.weight));
        let bias = self.bias.as_ref().map(widen);
        let linear =
            conv2d(&input, &weight, bias.as_ref(), strides, dilation, self.groups, padding);
        self.twin.apply(linear)
    }

    fn run(&self, on: &dyn Executor) -> ArrayD<f32> {
        let layer = Conv2d::new(self.weight.shape()[3], self.window.kernel)
            .strides(self.window.strides)
            .dilation(self.window.dilation)
            .padding(self.window.ours())
            .groups(self.groups)
            .activation(self.twin.ours);
        let weights = weights(&self.weight, self.bias.as_ref());
        apply(on, &self.input, |g, x| g.conv2d(x, layer, &weights))
    }

    /// Dispatches the kernel alone; returns its entry point, its rows of workgroups and the output.
    fn dispatch(
        &self,
        on: &dyn Executor,
        output: &[usize],
        most: u32,
    ) -> (&'static str, u32, ArrayD<f32>) {
        let four = |shape: &[usize]| <[usize; 4]>::try_from(shape).unwrap();
        let shape = self.input.shape();
        let sides = |pair: (usize, usize)| [pair.0, pair.1];
        let geometry = kernel::Geometry {
            input: four(shape),
            output: four(output),
            kernel: sides(self.window.kernel),
            strides: sides(self.window.strides),
            dilation: sides(self.window.dilation),
            pads: [self.window.amounts(0, shape[1]).0, self.window.amounts(1, shape[2]).0],
            groups: self.groups,
            has_bias: self.bias.is_some(),
            epilogue: self.twin.epilogue(),
        };
        let work = Work::Conv2d(geometry);
        let launch = work.launch("test", most).unwrap();
        let operands: Vec<&ArrayD<f32>> =
            [&self.input, &self.weight].into_iter().chain(&self.bias).collect();
        let actual = on.dispatch(&work, most, &operands, output);
        (launch.kernel.entry, launch.workgroups[1], actual)
    }
}

pub fn golden_cases(on: &dyn Executor) {
    let known = [
        "strides",
        "padding",
        "dilation_rate",
        "use_bias",
        "activation",
        "filters",
        "kernel_size",
        "groups",
    ];
    for case in cases("conv2d", 31, &known) {
        let trial = Trial {
            window: Window::of(&case),
            groups: case.whole("groups"),
            twin: Twin::of(&case),
            input: narrow(case.array("input")),
            weight: narrow(case.array("kernel")),
            bias: case.optional("bias").map(narrow),
        };
        assert_eq!(trial.weight.shape()[3], case.whole("filters"), "{}", case.name);
        let (actual, oracle) = (trial.run(on), trial.oracle());
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(150, |random| {
        let sizes = [1, 1, 2, 3, 5, 7, 8, 9, 13];
        let image = [random.range(1, 4), *random.pick(&sizes), *random.pick(&sizes)];
        let window = Window::draw(random, image[1], image[2]);
        let channels = [1, 2, 3, 4, 5, 8, 12];
        let groups =
            [*random.pick(&[1, 1, 2, 3]), *random.pick(&channels), *random.pick(&channels)];
        let twin = match random.range(0, 30) {
            29 => SOFTMAX,
            number => *ELEMENTWISE.get(number).unwrap_or(&LINEAR),
        };
        let trial = Trial::fill(random, window, image, groups, twin);
        assert_close(&trial.describe(), &trial.run(on), &trial.oracle());
    });
}

/// Convolutions by the number of threads that the general kernel needs, and odd tiles for the others.
fn kernel_trials(random: &mut Random) -> Vec<Trial> {
    let plain = |kernel, padding| Window { kernel, strides: (1, 1), dilation: (1, 1), padding };
    let same = plain((3, 2), Padding::Same);
    let odd = Window { strides: (2, 1), dilation: (1, 3), ..plain((4, 3), Padding::Same) };
    let lower = Window { strides: (1, 2), dilation: (2, 1), ..plain((2, 5), Padding::SameLower) };
    let far = Padding::Explicit { top: 7, bottom: 1, left: 0, right: 6 };
    let padded = Window { strides: (3, 2), ..plain((2, 4), far) };
    let mut trials = Vec::new();
    for (window, image, groups) in [
        (plain((1, 1), Padding::Valid), [1, 1, 1], [1, 1, 1]),
        (same, [1, 63, 1], [1, 2, 1]),
        (same, [1, 8, 8], [1, 3, 1]),
        (same, [1, 5, 13], [1, 1, 1]),
        (odd, [3, 7, 11], [2, 3, 3]),
        (padded, [2, 3, 5], [1, 2, 5]),
        (same, [2, 5, 2], [1, 3, 4]),
        (same, [1, 7, 9], [3, 1, 4]),
        (odd, [3, 9, 13], [1, 5, 8]),
        (lower, [2, 8, 7], [2, 2, 12]),
        (padded, [2, 3, 6], [1, 7, 4]),
        (same, [2, 17, 13], [1, 3, 12]),
        (same, [2, 5, 3], [1, 4, 4]),
        (odd, [3, 9, 13], [2, 8, 4]),
        (lower, [1, 7, 10], [1, 12, 8]),
        (padded, [2, 3, 6], [1, 4, 12]),
        (same, [3, 11, 13], [1, 8, 12]),
        (padded, [2, 3, 6], [4, 1, 1]),
        (odd, [3, 9, 13], [8, 1, 1]),
        (lower, [2, 17, 13], [12, 1, 1]),
    ] {
        let twin = *random.pick(&ELEMENTWISE);
        trials.push(Trial::fill(random, window, image, groups, twin));
    }
    trials
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for trial in kernel_trials(&mut Random::new(14)) {
        let expected = trial.oracle();
        let (entry, y, actual) = trial.dispatch(on, expected.value.shape(), 4);
        entries.insert(entry);
        folded.extend((y > 1).then_some(entry));
        assert_close(&format!("{entry}: {}", trial.describe()), &actual, &expected);
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn nan_and_infinity_reach_the_windows_that_hold_them_and_no_other(on: &dyn Executor) {
    let mut entries = BTreeSet::new();
    for mut trial in kernel_trials(&mut Random::new(15)).into_iter().skip(4) {
        trial.twin = LINEAR;
        let shape: Vec<usize> = trial.oracle().value.shape().to_vec();
        let (_, _, clean) = trial.dispatch(on, &shape, 65_535);
        let middle: Vec<usize> = trial.input.shape().iter().map(|&length| length / 2).collect();
        for value in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let finite = trial.input.clone();
            trial.input = with_one(&finite, &middle, value);
            let expected = trial.oracle();
            let (entry, _, actual) = trial.dispatch(on, &shape, 65_535);
            entries.insert(entry);
            for ((index, &found), (&exact, &before)) in
                actual.indexed_iter().zip(expected.value.iter().zip(&clean))
            {
                let same = if exact.is_finite() {
                    found.to_bits() == before.to_bits()
                } else {
                    f64::from(found) == exact || found.is_nan() && exact.is_nan()
                };
                let what = trial.describe();
                assert!(same, "{entry}: {value} gives {found} at {index:?}, not {exact}: {what}");
            }
            trial.input = finite;
        }
    }
    assert_eq!(entries, kernel::SHADER.entries().collect());
}

pub fn an_infinite_weight_over_the_edge_is_left_out(on: &dyn Executor) {
    let random = &mut Random::new(16);
    let mut entries = BTreeSet::new();
    let window =
        Window { kernel: (3, 3), strides: (1, 1), dilation: (1, 1), padding: Padding::Same };
    for channels in [[1, 2, 3], [1, 3, 4], [1, 4, 4], [1, 16, 20], [4, 1, 1]] {
        let mut trial = Trial::fill(random, window, [2, 4, 7], channels, LINEAR);
        // Over the left edge for the first column, over the right one for the last.
        for tap in [0, 2] {
            let finite = trial.weight.clone();
            trial.weight = with_one(&finite, &[1, tap, 0, 0], f32::INFINITY);
            let expected = trial.oracle();
            let finite_count = expected.value.iter().filter(|value| value.is_finite()).count();
            let (entry, _, actual) = trial.dispatch(on, expected.value.shape(), 65_535);
            let outputs = expected.value.shape()[3];
            assert_eq!(finite_count, 2 * 4 * (7 * (outputs - 1) + 1));
            assert_close(&format!("{entry}, tap {tap}"), &actual, &expected);
            entries.insert(entry);
            trial.weight = finite;
        }
    }
    assert_eq!(entries, kernel::SHADER.entries().collect());
}
