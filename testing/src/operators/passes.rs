//! Passes keep values: networks that each pass changes, planned with and without it.

use longshore::{
    Activation, BinaryOp, Conv1dTranspose, Conv2d, Conv2dTranspose, Dense, Graph, HostArray,
    LayerWeights, Pad, Padding, Passes, PlanOptions, Reshape, Symbol,
};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{batched, weights, widen};
use crate::oracle::Expected;
use crate::random::Random;

/// Plans with one pass, or all of them, and without, and compares what both give for a batch of 2; returns the
/// numbers of steps. The plan without passes is what the operators' own tests hold to the oracle.
pub fn check(
    on: &dyn Executor,
    pass: &str,
    item: &[usize],
    build: impl Fn(&mut Graph, Symbol) -> Symbol,
) -> [usize; 2] {
    let shape: Vec<usize> = [2].into_iter().chain(item.iter().copied()).collect();
    let input = Random::new(11).uniform(&shape);
    let mut g = Graph::new();
    let x = g.input("x", batched(&shape));
    let y = build(&mut g, x);
    g.output("y", y);
    let chosen = if pass == "all" { Passes::all() } else { Passes::none().with(pass).unwrap() };
    let [plain, passed] = [Passes::none(), chosen].map(|passes| {
        let plan = g.plan_with(2, PlanOptions::new().passes(passes)).unwrap();
        let session = on.runtime().prepare(&plan).unwrap();
        let run = session.run([("x", &on.stage("x", &input))]).unwrap();
        (plan, run["y"].read().unwrap())
    });
    assert!(passed.0.report().changed(), "{pass} did nothing:\n{}", plain.0);
    let value = widen(&plain.1);
    // Values are sums of up to 100 products of numbers below 2, each rounded a few times.
    let largest = value.iter().fold(1.0_f64, |most, value| most.max(value.abs()));
    let bound = ArrayD::from_elem(value.raw_dim(), 100.0 * largest * f64::from(f32::EPSILON));
    assert_close(&format!("{pass}\n{}", passed.0), &passed.1, &Expected { value, bound });
    [plain.0.steps().len(), passed.0.steps().len()]
}

pub fn constant(g: &mut Graph, random: &mut Random, shape: &[usize]) -> Symbol {
    let name = format!("constant {}", g.nodes().len());
    g.constant(name, HostArray::from(random.uniform(shape))).unwrap()
}

pub fn drawn(random: &mut Random, kernel: &[usize], bias: usize) -> LayerWeights {
    weights(&random.uniform(kernel), (bias > 0).then(|| random.uniform(&[bias])).as_ref())
}

pub fn scales_and_shifts_fold_into_the_layer_before(on: &dyn Executor) {
    for bias in [0, 6] {
        for groups in [1, 2] {
            let steps = check(on, "fold_batch_norm", &[5, 4, 4], |g, x| {
                let mut random = Random::new(3);
                let layer = Conv2d::new(6, (3, 2)).padding(Padding::Same).groups(groups);
                let kernel = drawn(&mut random, &[3, 2, 4 / groups, 6], bias);
                let y = g.conv2d(x, layer, &kernel).unwrap();
                let scale = constant(g, &mut random, &[6]);
                let shift = constant(g, &mut random, &[1, 1, 6]);
                let y = g.multiply(scale, y).unwrap();
                g.add(y, shift).unwrap()
            });
            assert_eq!(steps, [3, 1]);
        }
        let steps = check(on, "fold_batch_norm", &[3, 4, 5], |g, x| {
            let mut random = Random::new(4);
            let kernel = drawn(&mut random, &[3, 2, 6, 5], bias);
            let y = g.conv2d_transpose(x, Conv2dTranspose::new(6, (3, 2)).strides(2), &kernel);
            let scale = constant(g, &mut random, &[6]);
            g.multiply(y.unwrap(), scale).unwrap()
        });
        assert_eq!(steps, [2, 1]);
        let steps = check(on, "fold_batch_norm", &[5, 4], |g, x| {
            let mut random = Random::new(6);
            let kernel = drawn(&mut random, &[3, 3, 4], bias);
            let y = g.conv1d_transpose(x, Conv1dTranspose::new(6, 3).groups(2), &kernel);
            let scale = constant(g, &mut random, &[6]);
            g.multiply(y.unwrap(), scale).unwrap()
        });
        assert_eq!(steps, [2, 1]);
        let steps = check(on, "fold_batch_norm", &[7], |g, x| {
            let mut random = Random::new(5);
            let y = g.dense(x, Dense::new(6), &drawn(&mut random, &[7, 6], bias)).unwrap();
            let shift = constant(g, &mut random, &[1]);
            g.add(y, shift).unwrap()
        });
        assert_eq!(steps, [2, 1]);
    }
}

pub fn batch_normalization_folds_into_a_convolution_with_channels_first(on: &dyn Executor) {
    let names = ["gamma", "beta", "moving_mean", "moving_variance"];
    for (scale, center) in [(true, true), (false, true), (true, false), (false, false)] {
        let network = |g: &mut Graph, x: Symbol| {
            let mut random = Random::new(12);
            let x = g.transpose(x, &[0, 2, 3, 1]).unwrap();
            let layer = Conv2d::new(6, 3).padding(Padding::Same);
            let y = g.conv2d(x, layer, &drawn(&mut random, &[3, 3, 3, 6], 0)).unwrap();
            let y = g.transpose(y, &[0, 3, 1, 2]).unwrap();
            let is_there = [scale, center, true, true];
            let mut weights = LayerWeights::default();
            for (name, _) in names.iter().zip(is_there).filter(|(_, is_there)| *is_there) {
                let values = random.uniform(&[6]).mapv(|value| value + 1.5);
                weights = weights.with(*name, HostArray::from(values));
            }
            let layer = longshore::BatchNormalization::new().axis(1).scale(scale).center(center);
            let y = g.batch_normalization(y, layer, &weights).unwrap();
            let mean = longshore::Reduce::new(longshore::ReduceOp::Mean).axes([2, 3]);
            g.reduce(y, mean.keepdims(scale)).unwrap()
        };
        let moved = check(on, "move_transposes", &[3, 5, 4], network);
        assert_eq!(moved, [5, 4]);
        // Transpose, convolution and mean: the normalization is part of the kernel.
        assert_eq!(check(on, "all", &[3, 5, 4], network), [5, 3]);
    }
}

pub fn differences_and_quotients_fold_as_well(on: &dyn Executor) {
    for (is_left, operation) in
        [(false, BinaryOp::Subtract), (true, BinaryOp::Subtract), (false, BinaryOp::Divide)]
    {
        let steps = check(on, "fold_batch_norm", &[7], |g, x| {
            let mut random = Random::new(5);
            let y = g.dense(x, Dense::new(6), &drawn(&mut random, &[7, 6], 6)).unwrap();
            let by = random.uniform(&[6]).mapv(|value| value + 2.0);
            let by = g.constant("by", HostArray::from(by)).unwrap();
            let (left, right) = if is_left { (by, y) } else { (y, by) };
            g.binary(operation, left, right).unwrap()
        });
        assert_eq!(steps, [2, 1]);
    }
}

pub fn scales_and_shifts_of_channels_first_fold_as_well(on: &dyn Executor) {
    // Moved transposes leave such a constant under a reshape.
    let network = |g: &mut Graph, x: Symbol| {
        let mut random = Random::new(13);
        let x = g.transpose(x, &[0, 2, 3, 1]).unwrap();
        let layer = Conv2d::new(6, 3).padding(Padding::Same).groups(3);
        let y = g.conv2d(x, layer, &drawn(&mut random, &[3, 3, 1, 6], 0)).unwrap();
        let y = g.transpose(y, &[0, 3, 1, 2]).unwrap();
        let scale = constant(g, &mut random, &[1, 6, 1, 1]);
        let shift = constant(g, &mut random, &[6, 1, 1]);
        let y = g.multiply(y, scale).unwrap();
        let y = g.subtract(shift, y).unwrap();
        let mean = longshore::Reduce::new(longshore::ReduceOp::Mean).axes([2, 3]);
        g.reduce(y, mean).unwrap()
    };
    // Transpose, convolution, mean.
    assert_eq!(check(on, "all", &[3, 5, 4], network), [6, 3]);
    // A reshape that gives the channel another axis, and one that leaves it none.
    let reshaped = |shape: &'static [isize]| {
        check(on, "fold_batch_norm", &[3, 2, 6], |g: &mut Graph, x: Symbol| {
            let mut random = Random::new(14);
            let y = g.conv2d(x, Conv2d::new(6, 1), &drawn(&mut random, &[1, 1, 6, 6], 0)).unwrap();
            let first = constant(g, &mut random, &[6]);
            let y = g.multiply(y, first).unwrap();
            let scale = constant(g, &mut random, &[6]);
            let scale = g.reshape_to(scale, Reshape::new(shape.iter().copied())).unwrap();
            g.multiply(y, scale).unwrap()
        })
    };
    assert_eq!(reshaped(&[1, 6]), [3, 1]);
    // One number for each pixel is none for each channel.
    assert_eq!(reshaped(&[3, 2, 1]), [3, 2]);
}

pub fn scales_and_shifts_fold_into_the_layer_behind(on: &dyn Executor) {
    for groups in [1, 2] {
        let steps = check(on, "fold_batch_norm", &[5, 4, 4], |g, x| {
            let mut random = Random::new(6);
            let (scale, shift) = (constant(g, &mut random, &[4]), constant(g, &mut random, &[4]));
            let x = g.multiply(x, scale).unwrap();
            let x = g.add(x, shift).unwrap();
            let layer = Conv2d::new(6, (3, 2)).groups(groups);
            g.conv2d(x, layer, &drawn(&mut random, &[3, 2, 4 / groups, 6], 6)).unwrap()
        });
        assert_eq!(steps, [3, 1]);
    }
    // Padding is zero before the shift: the product alone may go in, and it comes first.
    let steps = check(on, "fold_batch_norm", &[5, 4, 4], |g, x| {
        let mut random = Random::new(7);
        let scale = constant(g, &mut random, &[4]);
        let x = g.multiply(x, scale).unwrap();
        let layer = Conv2d::new(6, 3).padding(Padding::Same);
        g.conv2d(x, layer, &drawn(&mut random, &[3, 3, 4, 6], 0)).unwrap()
    });
    assert_eq!(steps, [2, 1]);
    let steps = check(on, "fold_batch_norm", &[7], |g, x| {
        let mut random = Random::new(8);
        let shift = constant(g, &mut random, &[7]);
        let x = g.add(shift, x).unwrap();
        g.dense(x, Dense::new(3), &drawn(&mut random, &[7, 3], 0)).unwrap()
    });
    assert_eq!(steps, [2, 1]);
}

pub fn padding_folds_into_a_convolution(on: &dyn Executor) {
    let steps = check(on, "fold_padding", &[5, 4, 3], |g, x| {
        let mut random = Random::new(9);
        let x = g.pad(x, Pad::new([(0, 0), (1, 2), (3, 0), (0, 0)])).unwrap();
        let layer = Conv2d::new(2, 3).strides(2).padding(Padding::Same);
        g.conv2d(x, layer, &drawn(&mut random, &[3, 3, 3, 2], 2)).unwrap()
    });
    assert_eq!(steps, [2, 1]);
}

pub fn padding_folds_into_poolings(on: &dyn Executor) {
    let pads = [(0, 0), (1, 2), (0, 1), (0, 0)];
    let lowest = f32::NEG_INFINITY;
    let top = Padding::Explicit(longshore::ops::Pads { top: 1, bottom: 0, left: 0, right: 0 });
    for (kind, value) in [(0, lowest), (1, 0.0), (2, 0.0), (3, 0.0)] {
        let steps = check(on, "fold_padding", &[5, 4, 3], |g, x| {
            let pad = Pad::new(pads).mode(longshore::PadMode::Constant(value));
            let x = g.pad(x, pad).unwrap();
            let window = longshore::Pooling::new((3, 2)).strides(2);
            let y = match kind {
                0 => g.max_pooling2d(x, window),
                1 => g.average_pooling2d(x, window),
                2 => g.average_pooling2d(x, window.padding(top).count_include_pad(true)),
                _ => g.lp_pooling2d(x, 2, window),
            };
            y.unwrap()
        });
        assert_eq!(steps, [2, 1]);
    }
}

pub fn channels_first_become_channels_last(on: &dyn Executor) {
    let steps = check(on, "move_transposes", &[3, 5, 4], |g, x| {
        let mut random = Random::new(10);
        let conv = |g: &mut Graph, random: &mut Random, x: Symbol, channels: [usize; 2]| {
            let x = g.transpose(x, &[0, 2, 3, 1]).unwrap();
            let layer = Conv2d::new(channels[1], 3).padding(Padding::Same);
            let kernel = drawn(random, &[3, 3, channels[0], channels[1]], channels[1]);
            let y = g.conv2d(x, layer, &kernel).unwrap();
            g.transpose(y, &[0, 3, 1, 2]).unwrap()
        };
        let y = conv(g, &mut random, x, [3, 4]);
        let bias = constant(g, &mut random, &[4, 1, 1]);
        let y = g.add(bias, y).unwrap();
        let z = conv(g, &mut random, y, [4, 4]);
        let y = g.multiply(z, y).unwrap();
        let y = g.concat(&[y, z], -3).unwrap();
        let y = g.pad(y, Pad::new([(0, 0), (1, 2), (3, 0), (-1, 2)])).unwrap();
        let y = g.slice(
            y,
            longshore::Slice::new(vec![9, 1], vec![-12, 7]).axes(vec![1, 3]).steps(vec![-2, 3]),
        );
        let y = g.softmax(y.unwrap(), 1).unwrap();
        let y = g.activation(y, Activation::Relu).unwrap();
        let y = g.tile(y, &[1, 2, 1, 1]).unwrap();
        let y = g.gather(y, &ndarray::arr1(&[3, 0, 3]).into_dyn(), 1).unwrap();
        let y = g.flatten(y).unwrap();
        let y = g.activation(y, Activation::Tanh).unwrap();
        let inputs = match g.shape(y).unwrap().dims() {
            [_, longshore::Dim::Fixed(inputs)] => *inputs,
            other => panic!("{other:?}"),
        };
        g.dense(y, Dense::new(5), &drawn(&mut random, &[inputs, 5], 5)).unwrap()
    });
    // Of four transposes the first stays: the dense layer's rows are in the image's order.
    assert_eq!(steps, [18, 15]);
}

/// Adds a function, and the operand beside it before and behind.
fn followed(g: &mut Graph, y: Symbol, beside: Symbol) -> Symbol {
    let y = g.subtract(beside, y).unwrap();
    let y = g.activation(y, Activation::Tanh).unwrap();
    g.multiply(y, beside).unwrap()
}

pub fn normalizations_and_windows_take_what_follows(on: &dyn Executor) {
    for channels in [3, 4] {
        for beside in [&[channels][..], &[1], &[6, 4, channels]] {
            let constants = |g: &mut Graph, count: usize| {
                let mut random = Random::new(15);
                let beside = constant(g, &mut random, beside);
                let names = ["gamma", "beta", "moving_mean", "moving_variance"];
                let weights =
                    names[..count].iter().fold(LayerWeights::default(), |weights, name| {
                        let values = random.uniform(&[channels]).mapv(|value| value + 1.5);
                        weights.with(*name, HostArray::from(values))
                    });
                (beside, weights)
            };
            let steps = check(on, "fuse_epilogues", &[6, 4, channels], |g, x| {
                let (beside, weights) = constants(g, 4);
                let layer = longshore::BatchNormalization::new();
                let y = g.batch_normalization(x, layer, &weights).unwrap();
                followed(g, y, beside)
            });
            assert_eq!(steps, [4, 1]);
            let steps = check(on, "fuse_epilogues", &[6, 4, channels], |g, x| {
                let (beside, weights) = constants(g, 2);
                let layer = longshore::InstanceNormalization::new().epsilon(0.25);
                let y = g.instance_normalization(x, layer, &weights).unwrap();
                followed(g, y, beside)
            });
            assert_eq!(steps, [5, 2]);
            let steps = check(on, "fuse_epilogues", &[12, 8, channels], |g, x| {
                let (beside, _) = constants(g, 0);
                let y = g.average_pooling2d(x, longshore::Pooling::new(2)).unwrap();
                followed(g, y, beside)
            });
            assert_eq!(steps, [4, 1]);
            for nearest in [true, false] {
                let steps = check(on, "fuse_epilogues", &[3, 2, channels], |g, x| {
                    let (beside, _) = constants(g, 0);
                    let how = if nearest {
                        longshore::Interpolation::Nearest
                    } else {
                        longshore::Interpolation::Bilinear
                    };
                    let y = g.up_sampling2d(x, longshore::UpSampling2d::new(2, how)).unwrap();
                    followed(g, y, beside)
                });
                assert_eq!(steps, [4, 1]);
            }
        }
    }
}

pub fn products_take_what_follows(on: &dyn Executor) {
    // A product of values, of which one is turned, and the operand beside it for each shape.
    for columns in [8, 5] {
        for beside in [&[columns][..], &[1], &[6, columns]] {
            let steps = check(on, "fuse_epilogues", &[6, 4], |g, x| {
                let mut random = Random::new(14);
                let right = constant(g, &mut random, &[columns, 4]);
                let option = longshore::MatMul::new().transpose_right(true);
                let y = g.matmul_with(x, right, option).unwrap();
                let beside = constant(g, &mut random, beside);
                followed(g, y, beside)
            });
            assert_eq!(steps, [4, 1]);
        }
    }
}
