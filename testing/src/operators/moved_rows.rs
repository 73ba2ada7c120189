//! Transposes around normalizations and before products: values with and without the pass.

use longshore::{
    Conv2d, Graph, GroupNormalization, HostArray, InstanceNormalization, LayerNormalization,
    LayerWeights, MatMul, MeanVarianceNormalization, Padding, RmsNormalization, Symbol,
};

use super::passes::{check, constant, drawn};
use crate::executor::Executor;
use crate::random::Random;

const EPSILON: f32 = 0.25;

fn norm(shape: &[usize]) -> LayerWeights {
    let mut random = Random::new(21);
    let mut weight = || HostArray::from(random.uniform(shape));
    LayerWeights::default().with("gamma", weight()).with("beta", weight())
}

/// Compares networks of two convolutions with channels first and a layer between them; returns
/// the numbers of steps without the pass and with it.
fn between(on: &dyn Executor, layer: impl Fn(&mut Graph, Symbol) -> Symbol) -> [usize; 2] {
    check(on, "move_transposes", &[3, 5, 4], |g, x| {
        let mut random = Random::new(20);
        let conv = |g: &mut Graph, random: &mut Random, x: Symbol, channels: [usize; 2]| {
            let x = g.transpose(x, &[0, 2, 3, 1]).unwrap();
            let options = Conv2d::new(channels[1], 3).padding(Padding::Same);
            let kernel = drawn(random, &[3, 3, channels[0], channels[1]], channels[1]);
            let y = g.conv2d(x, options, &kernel).unwrap();
            g.transpose(y, &[0, 3, 1, 2]).unwrap()
        };
        let y = conv(g, &mut random, x, [3, 6]);
        let y = layer(g, y);
        conv(g, &mut random, y, [6, 2])
    })
}

pub fn groups_and_instances(on: &dyn Executor) {
    for groups in [1, 2, 3, -1] {
        let steps = between(on, |g, x| {
            let layer = GroupNormalization::new(groups).axis(1).epsilon(EPSILON);
            g.group_normalization(x, layer, &norm(&[6])).unwrap()
        });
        assert_eq!(steps, [8, 6]);
    }
    let steps = between(on, |g, x| {
        let layer = InstanceNormalization::new().axis(1).epsilon(EPSILON);
        g.instance_normalization(x, layer, &norm(&[6])).unwrap()
    });
    assert_eq!(steps, [8, 6]);
    // Rows of another axis, which no exporter writes.
    let steps = between(on, |g, x| {
        let layer = GroupNormalization::new(2).axis(3).epsilon(EPSILON);
        g.group_normalization(x, layer, &norm(&[4])).unwrap()
    });
    assert_eq!(steps, [8, 6]);
}

pub fn groups_as_parts_of_a_reshaped_value(on: &dyn Executor) {
    for groups in [1, 2, 3, 6] {
        let steps = between(on, |g, x| {
            let parts = g.reshape(x, [groups, 120 / groups]).unwrap();
            let layer = InstanceNormalization::new().axis(1).epsilon(EPSILON);
            let y = g.instance_normalization(parts, layer, &norm(&[groups as usize])).unwrap();
            g.reshape(y, [6, 5, 4]).unwrap()
        });
        assert_eq!(steps, [8, 6]);
    }
}

pub fn layers_over_each_axis(on: &dyn Executor) {
    let shape = [6, 5, 4];
    let axes: [&[usize]; 6] = [&[1], &[2], &[3], &[1, 3], &[2, 3], &[1, 2, 3]];
    for axes in axes {
        let lengths: Vec<usize> = axes.iter().map(|&axis| shape[axis - 1]).collect();
        let named: Vec<isize> = axes.iter().map(|&axis| axis as isize).collect();
        let steps = between(on, |g, x| {
            let layer = LayerNormalization::new().axis(named.clone()).epsilon(EPSILON);
            g.layer_normalization(x, layer, &norm(&lengths)).unwrap()
        });
        assert_eq!(steps, [8, 6], "{axes:?}");
        let steps = between(on, |g, x| {
            let layer = LayerNormalization::new().axis(named.clone()).epsilon(EPSILON);
            let found = g.layer_normalization_with_moments(x, layer, &norm(&lengths)).unwrap();
            let y = g.multiply(found.output, found.inv_std_dev).unwrap();
            g.add(found.mean, y).unwrap()
        });
        assert_eq!(steps, [12, 10], "{axes:?}");
        let steps = between(on, |g, x| {
            let layer = RmsNormalization::new().axis(named.clone()).epsilon(EPSILON);
            let scale = HostArray::from(Random::new(22).uniform(&lengths));
            let weights = LayerWeights::default().with("scale", scale);
            g.rms_normalization(x, layer, &weights).unwrap()
        });
        assert_eq!(steps, [8, 6], "{axes:?}");
        let steps = between(on, |g, x| {
            let layer = MeanVarianceNormalization::new().axes([0].into_iter().chain(named.clone()));
            g.mean_variance_normalization(x, layer).unwrap()
        });
        assert_eq!(steps, [8, 6], "{axes:?}");
    }
}

pub fn products_of_turned_values(on: &dyn Executor) {
    for turned in [[true, false], [false, true], [true, true]] {
        for flags in [[false, false], [false, true], [true, false], [true, true]] {
            let made = |g: &mut Graph, x: Symbol| {
                let mut random = Random::new(23);
                let mut side = |g: &mut Graph, number: usize, shape: [usize; 2]| {
                    // A value of the graph, so that it is no constant to turn on the host.
                    let [rows, columns] = shape;
                    let lies = if turned[number] { [columns, rows] } else { shape };
                    let values = constant(g, &mut random, &lies);
                    let y = g.multiply(values, x).unwrap();
                    if turned[number] { g.transpose(y, &[0, 2, 1]).unwrap() } else { y }
                };
                let shape = |flag: bool, [a, b]: [usize; 2]| if flag { [b, a] } else { [a, b] };
                let left = side(g, 0, shape(flags[0], [5, 4]));
                let right = side(g, 1, shape(flags[1], [4, 8]));
                let option = MatMul::new().transpose_left(flags[0]).transpose_right(flags[1]);
                g.matmul_with(left, right, option).unwrap()
            };
            let count = usize::from(turned[0]) + usize::from(turned[1]);
            // One of two stays, or the only one, where both sides would be read turned.
            let after = [turned[0] ^ flags[0], turned[1] ^ flags[1]];
            if after == [true, true] && count == 1 {
                continue;
            }
            let left = usize::from(after == [true, true]);
            let steps = check(on, "move_transposes", &[1, 1], made);
            assert_eq!(steps, [3 + count, 3 + left], "{turned:?} {flags:?}");
        }
    }
}
