//! Transposed convolutions on the device.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, conv2d_transpose as kernel};
use longshore::{Conv2dTranspose, Padding};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{
    ELEMENTWISE, LINEAR, Twin, apply, cases, check, narrow, trials, weights, widen, with_one,
};
use crate::oracle::Expected;
use crate::oracle::conv2d_transpose::{TransposePadding, conv2d_transpose};
use crate::random::Random;

type Two = (usize, usize);

/// One transposed convolution with its data.
struct Trial {
    strides: Two,
    dilation: Two,
    padding: TransposePadding,
    output_padding: Option<Two>,
    twin: Twin,
    input: ArrayD<f32>,
    weight: ArrayD<f32>,
    bias: Option<ArrayD<f32>>,
}

impl Trial {
    fn describe(&self) -> String {
        format!(
            "{:?} * {:?}, strides {:?}, dilation {:?}, {:?}, output_padding {:?}, bias {}, {:?}",
            self.input.shape(),
            self.weight.shape(),
            self.strides,
            self.dilation,
            self.padding,
            self.output_padding,
            self.bias.is_some(),
            self.twin
        )
    }

    fn oracle(&self) -> Expected {
        let bias = self.bias.as_ref().map(widen);
        self.twin.apply(conv2d_transpose(
            &widen(&self.input),
            &widen(&self.weight),
            bias.as_ref(),
            self.strides,
            self.dilation,
            self.padding,
            self.output_padding,
        ))
    }

    fn run(&self, on: &dyn Executor) -> ArrayD<f32> {
        let &[kh, kw, filters, _] = self.weight.shape() else { panic!("4 dimensions") };
        let mut layer = Conv2dTranspose::new(filters, (kh, kw))
            .strides(self.strides)
            .dilation(self.dilation)
            .activation(self.twin.ours)
            .padding(match self.padding {
                TransposePadding::Same => Padding::Same,
                TransposePadding::Valid => Padding::Valid,
            });
        if let Some(added) = self.output_padding {
            layer = layer.output_padding(added);
        }
        let weights = weights(&self.weight, self.bias.as_ref());
        apply(on, &self.input, |g, x| g.conv2d_transpose(x, layer, &weights))
    }

    /// Cropping, by Keras's formulas: `k - 1` less the zeros before.
    fn crop(&self, axis: usize) -> usize {
        let pick = |pair: Two| [pair.0, pair.1][axis];
        let (k, s) =
            ((self.weight.shape()[axis] - 1) * pick(self.dilation) + 1, pick(self.strides));
        let total = match (self.padding, self.output_padding) {
            (TransposePadding::Valid, _) => return 0,
            (TransposePadding::Same, None) => s + k - 2,
            (TransposePadding::Same, Some(added)) => k + k % 2 + pick(added) - 2,
        };
        k - 1 - total.div_ceil(2).min(k - 1)
    }

    /// Dispatches the kernel alone; returns its entry point, its rows of workgroups and the output.
    fn dispatch(
        &self,
        on: &dyn Executor,
        output: &[usize],
        most: u32,
    ) -> (&'static str, u32, ArrayD<f32>) {
        let four = |shape: &[usize]| <[usize; 4]>::try_from(shape).unwrap();
        let sides = |pair: Two| [pair.0, pair.1];
        let geometry = kernel::Geometry {
            input: four(self.input.shape()),
            output: four(output),
            kernel: [self.weight.shape()[0], self.weight.shape()[1]],
            strides: sides(self.strides),
            dilation: sides(self.dilation),
            crop: [self.crop(0), self.crop(1)],
            groups: 1,
            has_bias: self.bias.is_some(),
            epilogue: self.twin.epilogue(),
        };
        let work = Work::Conv2dTranspose(geometry);
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
        "output_padding",
    ];
    for case in cases("conv2d_transpose", 73, &known) {
        let has_added = !case.options["output_padding"].is_null();
        let trial = Trial {
            strides: case.pair("strides"),
            dilation: case.pair("dilation_rate"),
            padding: match case.text("padding") {
                "same" => TransposePadding::Same,
                "valid" => TransposePadding::Valid,
                other => panic!("{}: padding {other}", case.name),
            },
            output_padding: has_added.then(|| case.pair("output_padding")),
            twin: Twin::of(&case),
            input: narrow(case.array("input")),
            weight: narrow(case.array("kernel")),
            bias: case.optional("bias").map(narrow),
        };
        let &[kh, kw, filters, _] = trial.weight.shape() else { panic!("4 dimensions") };
        assert_eq!(((kh, kw), filters), (case.pair("kernel_size"), case.whole("filters")));
        let (actual, oracle) = (trial.run(on), trial.oracle());
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

/// Draws a layer whose output is not empty, as that of a single pixel under an even kernel
/// can be.
fn draw(random: &mut Random) -> Trial {
    loop {
        let trial = draw_any(random);
        let output = |axis: usize| {
            let pick = |pair: Two| [pair.0, pair.1][axis];
            let k = (trial.weight.shape()[axis] - 1) * pick(trial.dilation) + 1;
            let added = trial.output_padding.map_or(1, pick);
            (trial.input.shape()[axis + 1] - 1) * pick(trial.strides) + k % 2 + added
        };
        if trial.padding == TransposePadding::Valid || output(0) > 0 && output(1) > 0 {
            return trial;
        }
    }
}

fn draw_any(random: &mut Random) -> Trial {
    let mut pair = |sizes: &[usize]| (*random.pick(sizes), *random.pick(sizes));
    let (image, kernel) = (pair(&[1, 2, 3, 5, 7]), pair(&[1, 2, 3, 4, 5]));
    let (strides, dilation) = (pair(&[1, 2, 3, 4]), pair(&[1, 1, 2, 3]));
    let added = (random.range(0, strides.0), random.range(0, strides.1));
    let (channels, filters) =
        (*random.pick(&[1, 2, 3, 4, 5, 8, 12]), *random.pick(&[1, 2, 3, 4, 8]));
    let batch = random.range(1, 4);
    Trial {
        strides,
        dilation,
        padding: *random.pick(&[TransposePadding::Same, TransposePadding::Valid]),
        output_padding: (random.range(0, 2) == 0).then_some(added),
        twin: *random.pick(&ELEMENTWISE),
        input: random.uniform(&[batch, image.0, image.1, channels]),
        weight: random.uniform(&[kernel.0, kernel.1, filters, channels]),
        bias: (random.range(0, 2) == 0).then(|| random.uniform(&[filters])),
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(120, |random| {
        let trial = draw(random);
        assert_close(&trial.describe(), &trial.run(on), &trial.oracle());
    });
}

/// More channels than the host packs at a time, so that parts begin amid those of a tap.
pub fn many_channels_of_many_taps(on: &dyn Executor) {
    let random = &mut Random::new(23);
    for (channels, filters, strides) in [(130, 260, (1, 1)), (97, 300, (2, 2)), (1300, 39, (2, 1))]
    {
        let trial = Trial {
            strides,
            dilation: (1, 1),
            padding: TransposePadding::Valid,
            output_padding: None,
            twin: LINEAR,
            input: random.uniform(&[1, 2, 3, channels]),
            weight: random.uniform(&[3, 3, filters, channels]),
            bias: Some(random.uniform(&[filters])),
        };
        assert_close(&trial.describe(), &trial.run(on), &trial.oracle());
    }
}

pub fn kernels_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(31);
    let (mut entries, mut folded) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..40 {
        let trial = draw(random);
        let expected = trial.oracle();
        // Always more than one row of workgroups, where there is more than one group.
        let groups = u32::try_from(expected.value.len().div_ceil(64)).unwrap();
        let (entry, y, actual) =
            trial.dispatch(on, expected.value.shape(), groups.div_ceil(2).max(3));
        entries.insert(entry);
        folded.extend((y > 1).then_some(entry));
        assert_close(&trial.describe(), &actual, &expected);
    }
    let all: BTreeSet<&str> = kernel::SHADER.entries().collect();
    assert_eq!(entries, all);
    assert_eq!(folded, all);
}

pub fn elements_round_a_workgroup(on: &dyn Executor) {
    let random = &mut Random::new(32);
    for (height, width) in [(63, 1), (8, 8), (13, 5), (1, 1)] {
        let trial = Trial {
            strides: (1, 1),
            dilation: (1, 1),
            padding: TransposePadding::Same,
            output_padding: None,
            twin: LINEAR,
            input: random.uniform(&[1, height, width, 2]),
            weight: random.uniform(&[2, 3, 1, 2]),
            bias: None,
        };
        let expected = trial.oracle();
        let (_, _, actual) = trial.dispatch(on, expected.value.shape(), 65_535);
        assert_close(&trial.describe(), &actual, &expected);
    }
}

pub fn nan_and_infinity_reach_the_pixels_they_are_spread_over_and_no_other(on: &dyn Executor) {
    let random = &mut Random::new(33);
    for _ in 0..20 {
        let mut trial = draw(random);
        trial.twin = LINEAR;
        let shape = trial.oracle().value.shape().to_vec();
        let (_, _, clean) = trial.dispatch(on, &shape, 65_535);
        let middle: Vec<usize> = trial.input.shape().iter().map(|&length| length / 2).collect();
        for value in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
            let finite = trial.input.clone();
            trial.input = with_one(&finite, &middle, value);
            let expected = trial.oracle().value;
            let (_, _, actual) = trial.dispatch(on, &shape, 65_535);
            for ((index, &found), (&exact, &before)) in
                actual.indexed_iter().zip(expected.iter().zip(&clean))
            {
                let same = if exact.is_finite() {
                    found.to_bits() == before.to_bits()
                } else {
                    f64::from(found) == exact || found.is_nan() && exact.is_nan()
                };
                let what = trial.describe();
                assert!(same, "{value} gives {found} at {index:?}, not {exact}: {what}");
            }
            trial.input = finite;
        }
    }
}

pub fn an_infinite_weight_meets_only_pixels_inside(on: &dyn Executor) {
    let random = &mut Random::new(34);
    for (inputs, filters) in [(1, 1), (3, 5), (4, 2), (20, 17)] {
        let mut trial = Trial {
            strides: (1, 2),
            dilation: (1, 1),
            padding: TransposePadding::Valid,
            output_padding: None,
            twin: LINEAR,
            input: random.uniform(&[2, 3, 4, inputs]),
            weight: random.uniform(&[3, 3, filters, inputs]),
            bias: None,
        };
        trial.weight = with_one(&trial.weight, &[0, 2, 0, 0], f32::INFINITY);
        let expected = trial.oracle();
        let (_, _, actual) = trial.dispatch(on, expected.value.shape(), 65_535);
        // As many as there are pixels.
        let infinite = expected.value.iter().filter(|value| value.is_infinite()).count();
        assert_eq!(infinite, 2 * 3 * 4);
        assert_close(&trial.describe(), &actual, &expected);
    }
}
