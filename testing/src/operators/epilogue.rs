//! Epilogues: stages in order, the extra operand at its place, in every family that has them.

use std::collections::BTreeSet;

use longshore::UnaryOp::{LeakyRelu, Negative, Relu};
use longshore::internals::kernels::{
    Binding, SHADERS, Work, activation, batch_normalization, binary, conv2d, conv2d_transpose,
    dense, matmul, normalization, pool2d, resize2d,
};
use longshore::ops::{AxisMap, BinaryOp, Epilogue, PoolMode, Sampling, Stage};
use longshore::{Coordinates, Interpolation};
use ndarray::ArrayD;

use crate::executor::Executor;
use crate::random::Random;

/// Small whole numbers, so that every result here is exact in f32.
fn whole(random: &mut Random, shape: &[usize]) -> ArrayD<f32> {
    random.uniform(shape).mapv(|value| (value * 4.0).round())
}

fn binary_stage(operation: BinaryOp, swapped: bool) -> Stage {
    Stage::Binary { operation, swapped }
}

/// One piece of work for each entry point, made from an epilogue, with operands and result.
type Make = Box<dyn Fn(Epilogue) -> Work>;

fn conv2d_work(input: [usize; 4], filters: usize, groups: usize) -> Make {
    let [n, h, w, _] = input;
    Box::new(move |epilogue| {
        Work::Conv2d(conv2d::Geometry {
            input,
            output: [n, h, w, filters],
            kernel: [3, 3],
            strides: [1, 1],
            dilation: [1, 1],
            pads: [1, 1],
            groups,
            has_bias: false,
            epilogue,
        })
    })
}

/// Dispatches work without stages, and with one that turns every sign; returns the entry points,
/// the rows of workgroups, and the result without stages.
///
/// For families with entry points of their own for an epilogue.
#[track_caller]
pub fn both(
    on: &dyn Executor,
    make: impl Fn(Epilogue) -> Work,
    most: u32,
    operands: &[&ArrayD<f32>],
    shape: &[usize],
) -> ([&'static str; 2], u32, ArrayD<f32>) {
    let plain = make(Epilogue::default());
    let staged = make(Epilogue { stages: vec![Stage::Unary(Negative)], period: 0 });
    let launch = plain.launch("test", most).unwrap();
    let entries = [launch.kernel.entry, staged.launch("test", most).unwrap().kernel.entry];
    let actual = on.dispatch(&plain, most, operands, shape);
    let turned = on.dispatch(&staged, most, operands, shape);
    for (turned, value) in turned.iter().zip(&actual) {
        let is_same = turned.to_bits() == (-value).to_bits() || turned.is_nan() && value.is_nan();
        assert!(is_same, "{entries:?}: {turned} is not {value} turned");
    }
    (entries, launch.workgroups[1], actual)
}

/// Normalizations, poolings and resamplings.
fn windows() -> Vec<(Make, Vec<Vec<usize>>, Vec<usize>)> {
    let mut works: Vec<(Make, Vec<Vec<usize>>, Vec<usize>)> = Vec::new();
    let make: Make = Box::new(|epilogue| {
        Work::Normalization(normalization::Geometry {
            input: vec![2, 3, 5],
            reduced: vec![false, false, true],
            scale: Some(vec![1, 1, 5]),
            bias: None,
            epilogue,
        })
    });
    works.push((make, vec![vec![2, 3, 5], vec![2, 3, 2], vec![5]], vec![2, 3, 5]));
    let make: Make = Box::new(|epilogue| {
        Work::BatchNormalization(batch_normalization::Geometry {
            outer: 2,
            channels: 5,
            inner: 3,
            has_scale: false,
            has_bias: true,
            // No variance is as low as -4.
            epsilon: 20.25,
            epilogue,
        })
    });
    works.push((make, vec![vec![2, 5, 3], vec![5], vec![5], vec![5]], vec![2, 5, 3]));
    for channels in [3, 8] {
        let (input, output) = ([2, 5, 4, channels], [2, 4, 3, channels]);
        let make: Make = Box::new(move |epilogue| {
            Work::Pool2d(pool2d::Geometry {
                input,
                output,
                kernel: [2, 2],
                strides: [1, 1],
                dilation: [1, 1],
                before: [0, 0],
                after: [0, 0],
                mode: PoolMode::Max,
                count_include_pad: false,
                epilogue,
            })
        });
        works.push((make, vec![input.to_vec()], output.to_vec()));
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
            let (input, output) = ([2, 3, 2, channels], [2, 6, 4, channels]);
            let make: Make = Box::new(move |epilogue| {
                Work::Resize2d(resize2d::Geometry {
                    input,
                    rows: AxisMap::sized(3, 6),
                    columns: AxisMap::sized(2, 4),
                    sampling: Sampling::keras(interpolation, Coordinates::HalfPixel, false),
                    epilogue,
                })
            });
            works.push((make, vec![input.to_vec()], output.to_vec()));
        }
    }
    works
}

fn works() -> Vec<(Make, Vec<Vec<usize>>, Vec<usize>)> {
    let mut works: Vec<(Make, Vec<Vec<usize>>, Vec<usize>)> = Vec::new();
    for shape in [vec![5, 7], vec![3, 8]] {
        let kept = shape.clone();
        let make: Make = Box::new(move |epilogue| {
            Work::Activation(activation::Geometry { shape: kept.clone(), epilogue })
        });
        works.push((make, vec![shape.clone()], shape));
    }
    let pairs: [(&[usize], &[usize]); 5] =
        [(&[5, 7], &[5, 7]), (&[3, 8], &[3, 8]), (&[5, 7], &[7]), (&[3, 8], &[8]), (&[], &[3, 8])];
    for (left, right) in pairs {
        let (left, right) = (left.to_vec(), right.to_vec());
        let (l, r, operation) = (left.clone(), right.clone(), BinaryOp::Add);
        let make: Make = Box::new(move |epilogue| {
            let (left, right) = (l.clone(), r.clone());
            Work::Binary(binary::Geometry { left, right, operation, epilogue })
        });
        let shape = if left.is_empty() { right.clone() } else { left.clone() };
        works.push((make, vec![left, right], shape));
    }
    for (channels, filters, groups) in [(3, 5, 1), (3, 8, 1), (4, 8, 1), (8, 8, 8), (41, 41, 41)] {
        let input = [2, 3, 5, channels];
        let kernel = vec![3, 3, channels / groups, filters];
        let make = conv2d_work(input, filters, groups);
        works.push((make, vec![input.to_vec(), kernel], vec![2, 3, 5, filters]));
    }
    for channels in [3, 4] {
        let (input, output) = ([2, 3, 5, channels], [2, 7, 11, 5]);
        let make: Make = Box::new(move |epilogue| {
            Work::Conv2dTranspose(conv2d_transpose::Geometry {
                input,
                output,
                kernel: [3, 3],
                strides: [2, 2],
                dilation: [1, 1],
                crop: [0, 0],
                groups: 1,
                has_bias: false,
                epilogue,
            })
        });
        works.push((make, vec![input.to_vec(), vec![3, 3, 5, channels]], output.to_vec()));
    }
    for (inputs, units) in [(3, 5), (3, 8), (4, 8)] {
        let make: Make = Box::new(move |epilogue| {
            Work::Dense(dense::Geometry {
                rows: 5,
                inputs,
                units,
                has_bias: false,
                part: None,
                epilogue,
            })
        });
        works.push((make, vec![vec![5, inputs], vec![inputs, units]], vec![5, units]));
    }
    // An operand of its own in front of the extra one, and a batch that both share.
    let make: Make = Box::new(move |epilogue| {
        let product = matmul::Geometry::product(&[2, 5, 4], &[2, 4, 8], [false, false]).unwrap();
        Work::MatMul(matmul::Geometry { epilogue, addend: Some([0, 1]), beta: 2.0, ..product })
    });
    works.push((make, vec![vec![2, 5, 4], vec![2, 4, 8], vec![8]], vec![2, 5, 8]));
    for (columns, transposed) in [(5, false), (8, false), (8, true)] {
        let right = if transposed { vec![columns, 4] } else { vec![4, columns] };
        let kept = right.clone();
        let make: Make = Box::new(move |epilogue| {
            let product = matmul::Geometry::product(&[5, 4], &kept, [false, transposed]).unwrap();
            Work::MatMul(matmul::Geometry { epilogue, ..product })
        });
        works.push((make, vec![vec![5, 4], right], vec![5, columns]));
    }
    works.extend(windows());
    works
}

/// ((relu(value + extra)) * extra), then leaky relu, by plain arithmetic.
fn expected(value: f32, extra: f32) -> f32 {
    let product = extra * (value + extra).max(0.0);
    if product < 0.0 { 0.5 * product } else { product }
}

pub fn stages_are_applied_in_order_with_the_extra_operand_at_its_place(on: &dyn Executor) {
    let random = &mut Random::new(11);
    let mut reached = BTreeSet::new();
    for (make, operands, shape) in works() {
        let operands: Vec<ArrayD<f32>> =
            operands.iter().map(|shape| whole(random, shape)).collect();
        let own: Vec<&ArrayD<f32>> = operands.iter().collect();
        let plain = on.dispatch(&make(Epilogue::default()), 65_535, &own, &shape);
        let (all, last) = (plain.len(), *shape.last().unwrap());
        for period in [all, last, 1] {
            let extra = whole(random, &[period]);
            let bound: Vec<&ArrayD<f32>> = own.iter().copied().chain([&extra]).collect();
            let epilogue = Epilogue {
                stages: vec![
                    binary_stage(BinaryOp::Add, false),
                    Stage::Unary(Relu),
                    binary_stage(BinaryOp::Multiply, true),
                    Stage::Unary(LeakyRelu(0.5)),
                ],
                period,
            };
            let work = make(epilogue);
            let launch = work.launch("test", 65_535).unwrap();
            reached.insert((launch.kernel.stem, launch.kernel.entry));
            let actual = on.dispatch(&work, 65_535, &bound, &shape);
            for (index, (actual, plain)) in actual.iter().zip(&plain).enumerate() {
                let expected = expected(*plain, extra.as_slice().unwrap()[index % period]);
                assert_eq!(*actual, expected, "{:?} {period} at {index}", launch.kernel);
            }
        }
    }
    let with_epilogue = SHADERS.iter().filter(|shader| shader.bindings().contains(&Binding::Extra));
    let all: BTreeSet<(&str, &str)> = with_epilogue
        .flat_map(|shader| shader.entries().map(|entry| (shader.stem(), entry)))
        .collect();
    assert_eq!(reached, all);
}

pub fn too_many_stages_and_an_extra_operand_without_elements_are_refused(_: &dyn Executor) {
    let work = |stages, period| {
        let epilogue = Epilogue { stages, period };
        Work::Activation(activation::Geometry { shape: vec![4], epilogue }).launch("node", 9)
    };
    let five = work(vec![Stage::Unary(Relu); 5], 0).unwrap_err().to_string();
    assert!(five.contains("an epilogue of 5 stages"), "{five}");
    let none = work(vec![binary_stage(BinaryOp::Add, false)], 0).unwrap_err().to_string();
    assert!(none.contains("an extra operand of no elements"), "{none}");
    assert!(work(vec![Stage::Unary(Relu); 4], 0).is_ok());
}
