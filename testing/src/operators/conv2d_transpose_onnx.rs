//! Transposed convolutions by ONNX's rules, with groups, over images and lines.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, conv2d_transpose as kernel};
use longshore::ops::Pads;
use longshore::{Conv1dTranspose, Conv2dTranspose, Padding, Padding1d};
use ndarray::{ArrayD, Axis};

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::fixture::Case;
use crate::golden::{
    ELEMENTWISE, LINEAR, Twin, apply, cases_of, check, narrow, trials, weights, widen,
};
use crate::oracle::Expected;
use crate::oracle::conv2d_transpose::{
    OnnxPadding, TransposePadding, grouped_conv2d_transpose, keras_windows, onnx_window,
};
use crate::random::Random;

type Two = (usize, usize);

/// One layer with its data; paddings of the two axes are of one kind.
#[derive(Debug)]
struct Trial {
    strides: Two,
    dilation: Two,
    groups: usize,
    padding: [OnnxPadding; 2],
    added: Option<Two>,
    twin: Twin,
    input: ArrayD<f32>,
    weight: ArrayD<f32>,
    bias: Option<ArrayD<f32>>,
}

impl Trial {
    fn describe(&self) -> String {
        format!(
            "{:?} * {:?}, strides {:?}, dilation {:?}, {} groups, {:?}, added {:?}, {:?}",
            self.input.shape(),
            self.weight.shape(),
            self.strides,
            self.dilation,
            self.groups,
            self.padding,
            self.added,
            self.twin
        )
    }

    fn windows(&self) -> [Two; 2] {
        let added = self.added.unwrap_or_default();
        let (input, weight) = (self.input.shape(), self.weight.shape());
        let [rows, columns] = self.padding;
        [
            onnx_window(input[1], weight[0], self.strides.0, self.dilation.0, rows, added.0),
            onnx_window(input[2], weight[1], self.strides.1, self.dilation.1, columns, added.1),
        ]
    }

    fn oracle(&self) -> Expected {
        let bias = self.bias.as_ref().map(widen);
        self.twin.apply(grouped_conv2d_transpose(
            &widen(&self.input),
            &widen(&self.weight),
            bias.as_ref(),
            self.strides,
            self.dilation,
            self.groups,
            self.windows(),
        ))
    }

    fn run(&self, on: &dyn Executor) -> ArrayD<f32> {
        let &[kh, kw, each, _] = self.weight.shape() else { panic!("4 dimensions") };
        let mut layer = Conv2dTranspose::onnx(each * self.groups, (kh, kw))
            .strides(self.strides)
            .dilation(self.dilation)
            .groups(self.groups)
            .activation(self.twin.ours);
        layer = match self.padding {
            [OnnxPadding::SameUpper, _] => layer.padding(Padding::Same),
            [OnnxPadding::SameLower, _] => layer.padding(Padding::SameLower),
            [OnnxPadding::Pads(0, 0), OnnxPadding::Pads(0, 0)] => layer,
            [OnnxPadding::Pads(top, bottom), OnnxPadding::Pads(left, right)] => {
                layer.padding(Padding::Explicit(Pads { top, bottom, left, right }))
            }
            [OnnxPadding::OutputShape(rows, upper), OnnxPadding::OutputShape(columns, _)] => {
                let padding = if upper { Padding::Same } else { Padding::SameLower };
                layer.output_shape((rows, columns)).padding(padding)
            }
            mixed => panic!("{mixed:?}"),
        };
        if let Some(added) = self.added {
            layer = layer.output_padding(added);
        }
        let weights = weights(&self.weight, self.bias.as_ref());
        apply(on, &self.input, |g, x| g.conv2d_transpose(x, layer, &weights))
    }

    /// The same over lines, where all is one row.
    fn run_as_line(&self, on: &dyn Executor) -> ArrayD<f32> {
        let &[1, k, each, _] = self.weight.shape() else { panic!("one row") };
        let mut layer = Conv1dTranspose::onnx(each * self.groups, k)
            .strides(self.strides.1)
            .dilation(self.dilation.1)
            .groups(self.groups)
            .activation(self.twin.ours);
        layer = match self.padding[1] {
            OnnxPadding::SameUpper => layer.padding(Padding1d::Same),
            OnnxPadding::SameLower => layer.padding(Padding1d::SameLower),
            OnnxPadding::Pads(0, 0) => layer,
            OnnxPadding::Pads(before, after) => {
                layer.padding(Padding1d::Explicit { before, after })
            }
            OnnxPadding::OutputShape(steps, upper) => {
                let padding = if upper { Padding1d::Same } else { Padding1d::Valid };
                layer.output_shape(steps).padding(padding)
            }
        };
        if let Some((_, added)) = self.added {
            layer = layer.output_padding(added);
        }
        let input = self.input.clone().remove_axis(Axis(1));
        let weight = self.weight.clone().remove_axis(Axis(0));
        let weights = weights(&weight, self.bias.as_ref());
        let result = apply(on, &input, |g, x| g.conv1d_transpose(x, layer, &weights));
        result.insert_axis(Axis(1))
    }

    fn dispatch(
        &self,
        on: &dyn Executor,
        output: &[usize],
        most: u32,
    ) -> (&'static str, u32, ArrayD<f32>) {
        let four = |shape: &[usize]| <[usize; 4]>::try_from(shape).unwrap();
        let [(_, top), (_, left)] = self.windows();
        let work = Work::Conv2dTranspose(kernel::Geometry {
            input: four(self.input.shape()),
            output: four(output),
            kernel: [self.weight.shape()[0], self.weight.shape()[1]],
            strides: [self.strides.0, self.strides.1],
            dilation: [self.dilation.0, self.dilation.1],
            crop: [top, left],
            groups: self.groups,
            has_bias: self.bias.is_some(),
            epilogue: self.twin.epilogue(),
        });
        let launch = work.launch("test", most).unwrap();
        let operands: Vec<&ArrayD<f32>> =
            [&self.input, &self.weight].into_iter().chain(&self.bias).collect();
        let actual = on.dispatch(&work, most, &operands, output);
        (launch.kernel.entry, launch.workgroups[1], actual)
    }
}

/// Reads a case; a line becomes an image of one row.
fn read(case: &Case) -> Trial {
    let pair = |key: &str, row: usize| match case.integers(key)[..] {
        [width] => (row, usize::try_from(width).unwrap()),
        _ => case.pair(key),
    };
    let given = |key: &str| !case.options[key].is_null();
    let size = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let pads: Vec<(usize, usize)> = case.options["pads"]
        .as_array()
        .map_or(vec![], |axes| axes.iter().map(|ends| (size(&ends[0]), size(&ends[1]))).collect());
    let auto = case.text("auto_pad");
    let padding = if given("output_shape") {
        let (rows, columns) = pair("output_shape", 1);
        [rows, columns].map(|length| OnnxPadding::OutputShape(length, auto == "SAME_UPPER"))
    } else {
        match (auto, &pads[..]) {
            ("SAME_UPPER", []) => [OnnxPadding::SameUpper; 2],
            ("SAME_LOWER", []) => [OnnxPadding::SameLower; 2],
            ("NOTSET", []) => [OnnxPadding::Pads(0, 0); 2],
            ("NOTSET", &[columns]) => {
                [OnnxPadding::Pads(0, 0), OnnxPadding::Pads(columns.0, columns.1)]
            }
            ("NOTSET", &[rows, columns]) => {
                [OnnxPadding::Pads(rows.0, rows.1), OnnxPadding::Pads(columns.0, columns.1)]
            }
            other => panic!("{}: {other:?}", case.name),
        }
    };
    let (mut input, mut weight) = (narrow(case.array("input")), narrow(case.array("kernel")));
    if input.ndim() == 3 {
        (input, weight) = (input.insert_axis(Axis(1)), weight.insert_axis(Axis(0)));
    }
    Trial {
        strides: pair("strides", 1),
        dilation: pair("dilation_rate", 1),
        groups: case.whole("groups"),
        padding,
        added: given("output_padding").then(|| pair("output_padding", 0)),
        twin: LINEAR,
        input,
        weight,
        bias: case.optional("bias").map(narrow),
    }
}

const KNOWN: [&str; 8] = [
    "strides",
    "dilation_rate",
    "groups",
    "pads",
    "auto_pad",
    "output_padding",
    "output_shape",
    "use_bias",
];

pub fn golden_cases_over_images(on: &dyn Executor) {
    for case in cases_of("onnx/windows", "onnx_conv2d_transpose", 19, &KNOWN) {
        let trial = read(&case);
        let (actual, oracle) = (trial.run(on), trial.oracle());
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}

pub fn golden_cases_over_lines(on: &dyn Executor) {
    for case in cases_of("onnx/windows", "onnx_conv1d_transpose", 2, &KNOWN) {
        let trial = read(&case);
        let (actual, oracle) = (trial.run_as_line(on), trial.oracle());
        assert_close(&case.name, &actual, &oracle);
        let flat = |array: ArrayD<f64>| array.remove_axis(Axis(1));
        let oracle = Expected { value: flat(oracle.value), bound: flat(oracle.bound) };
        check(&case, &actual.remove_axis(Axis(1)), &oracle);
    }
}

/// Draws a layer whose output is not empty.
fn draw(random: &mut Random, is_line: bool) -> Trial {
    loop {
        let mut pair = |sizes: &[usize]| (*random.pick(sizes), *random.pick(sizes));
        let (mut image, mut kernel) = (pair(&[1, 2, 3, 5, 7]), pair(&[1, 2, 3, 4, 5]));
        let (mut strides, mut dilation) = (pair(&[1, 2, 3, 4]), pair(&[1, 1, 2, 3]));
        let mut added = pair(&[0, 1, 2, 4]);
        let (begin, end) = (pair(&[0, 1, 3]), pair(&[0, 1, 2]));
        let mut sizes = pair(&[1, 4, 6, 9, 17]);
        if is_line {
            (image.0, kernel.0, strides.0, dilation.0, added.0, sizes.0) = (1, 1, 1, 1, 0, 1);
        }
        let rows = if is_line { (0, 0) } else { (begin.0, end.0) };
        let upper = random.range(0, 2) == 0;
        let padding = *random.pick(&[
            [OnnxPadding::SameUpper; 2],
            [OnnxPadding::SameLower; 2],
            [OnnxPadding::Pads(0, 0); 2],
            [OnnxPadding::Pads(rows.0, rows.1), OnnxPadding::Pads(begin.1, end.1)],
            [OnnxPadding::OutputShape(sizes.0, upper), OnnxPadding::OutputShape(sizes.1, upper)],
        ]);
        let groups = *random.pick(&[1, 2, 3]);
        let (inputs, outputs) = (*random.pick(&[1, 2, 3, 4, 8]), *random.pick(&[1, 2, 3, 4]));
        let full = |size: usize, k: usize, s: usize, d: usize, more: usize| {
            (size - 1) * s + (k - 1) * d + 1 + more
        };
        let added = (random.range(0, 2) == 0).then_some(added);
        let more = added.unwrap_or_default();
        let fits = |padding: OnnxPadding, full: usize| match padding {
            OnnxPadding::Pads(begin, end) => begin + end < full,
            _ => true,
        };
        if !fits(padding[0], full(image.0, kernel.0, strides.0, dilation.0, more.0))
            || !fits(padding[1], full(image.1, kernel.1, strides.1, dilation.1, more.1))
        {
            continue;
        }
        let batch = random.range(1, 4);
        return Trial {
            strides,
            dilation,
            groups,
            padding,
            added,
            twin: *random.pick(&ELEMENTWISE),
            input: random.uniform(&[batch, image.0, image.1, groups * inputs]),
            weight: random.uniform(&[kernel.0, kernel.1, outputs, groups * inputs]),
            bias: (random.range(0, 2) == 0).then(|| random.uniform(&[groups * outputs])),
        };
    }
}

pub fn random_shapes_and_options(on: &dyn Executor) {
    trials(120, |random| {
        let trial = draw(random, false);
        assert_close(&trial.describe(), &trial.run(on), &trial.oracle());
    });
}

pub fn random_lines(on: &dyn Executor) {
    trials(60, |random| {
        let trial = draw(random, true);
        assert_close(&trial.describe(), &trial.run_as_line(on), &trial.oracle());
    });
}

pub fn kernels_of_groups_stay_within_their_output_in_folded_grids(on: &dyn Executor) {
    let random = &mut Random::new(37);
    let mut reached = BTreeSet::new();
    for _ in 0..40 {
        let trial = draw(random, false);
        let expected = trial.oracle();
        let groups = u32::try_from(expected.value.len().div_ceil(64)).unwrap();
        let (entry, y, actual) =
            trial.dispatch(on, expected.value.shape(), groups.div_ceil(2).max(3));
        reached.extend((y > 1 && trial.groups > 1).then_some(entry));
        assert_close(&trial.describe(), &actual, &expected);
    }
    assert_eq!(reached, kernel::SHADER.entries().collect());
}

pub fn golden_cases_over_lines_by_keras(on: &dyn Executor) {
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
    for case in cases_of("onnx/windows", "conv1d_transpose", 5, &known) {
        let (input, weight) = (narrow(case.array("input")), narrow(case.array("kernel")));
        let bias = case.optional("bias").map(narrow);
        let mut layer = Conv1dTranspose::new(case.whole("filters"), case.whole("kernel_size"))
            .strides(case.whole("strides"))
            .dilation(case.whole("dilation_rate"))
            .activation(Twin::of(&case).ours);
        let padding = match case.text("padding") {
            "same" => TransposePadding::Same,
            "valid" => TransposePadding::Valid,
            other => panic!("{}: padding {other}", case.name),
        };
        if padding == TransposePadding::Same {
            layer = layer.padding(Padding1d::Same);
        }
        let added = case.options["output_padding"].as_u64().map(|added| added as usize);
        if let Some(added) = added {
            layer = layer.output_padding(added);
        }
        let weights = weights(&weight, bias.as_ref());
        let actual = apply(on, &input, |g, x| g.conv1d_transpose(x, layer, &weights));
        let image = widen(&input).insert_axis(Axis(1));
        let kernel = widen(&weight).insert_axis(Axis(0));
        let (strides, dilation) = ((1, case.whole("strides")), (1, case.whole("dilation_rate")));
        let added = added.map(|added| (0, added));
        let windows = keras_windows(&image, &kernel, strides, dilation, padding, added);
        let bias = bias.as_ref().map(widen);
        let oracle =
            grouped_conv2d_transpose(&image, &kernel, bias.as_ref(), strides, dilation, 1, windows);
        let flat = |array: ArrayD<f64>| array.remove_axis(Axis(1));
        let oracle = Expected { value: flat(oracle.value), bound: flat(oracle.bound) };
        assert_close(&case.name, &actual, &oracle);
        check(&case, &actual, &oracle);
    }
}
