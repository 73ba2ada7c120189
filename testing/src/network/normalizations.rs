//! Normalizations, with the weights that some of them have.

use std::collections::BTreeMap;

use longshore::ops::{
    BatchNormalization, GroupNormalization, InstanceNormalization, LayerNormalization, Lrn,
    MeanVarianceNormalization, RmsNormalization,
};
use longshore::{HostArray, LayerWeights};
use ndarray::{ArrayD, Dimension};

use super::views::view;
use super::{Network, Oracle, moving, near};
use crate::golden::widen;
use crate::oracle::moments::{Near, Rule, moments};
use crate::oracle::{Expected, normalization as exact};
use crate::oracle::{batch_normalization, lrn as exact_lrn};

/// The largest inverse deviation: beyond it, rounding alone makes too much of a row.
const STEEPEST: f64 = 40.0;

/// Scale and bias, each there or not.
#[derive(Clone)]
struct Weights([Option<ArrayD<f32>>; 2]);

impl Weights {
    fn new(net: &mut Network, shape: &[usize]) -> Weights {
        Weights([(); 2].map(|()| net.coin().then(|| net.random.uniform(shape))))
    }

    fn given(&self, names: [&str; 2]) -> LayerWeights {
        let found = names.iter().zip(&self.0);
        found.fold(LayerWeights::default(), |weights, (name, array)| match array {
            Some(array) => weights.with(*name, HostArray::from(array.clone())),
            None => weights,
        })
    }

    fn exact(&self) -> [Option<ArrayD<f64>>; 2] {
        self.0.each_ref().map(|array| array.as_ref().map(widen))
    }
}

fn rule(is_centered: bool, epsilon: f32, floor: f64) -> Rule {
    Rule { is_centered, epsilon: f64::from(epsilon), floor }
}

/// What a normalization makes of its operand's bounds, for weights of at most 1.
///
/// With all elements off by at most b, mean and deviation are: (x - mean) / deviation is off by at most
/// (2 b + |x - mean| / deviation * b) / (deviation - b).
fn spread(x: &Expected, rule: Rule, row: &dyn Fn(&[usize]) -> Vec<usize>) -> ArrayD<f64> {
    let found = rows(x, rule, row);
    let mut result = x.value.clone();
    for (index, value) in result.indexed_iter_mut() {
        let ([mean, inverse], most) = found[&row(index.slice())];
        let deviation = 1.0 / inverse.value;
        let normal = (*value - mean.value).abs() / deviation;
        let is_clear = inverse.value < STEEPEST && deviation > 2.0 * most;
        let off = (2.0 + normal) * most / (deviation - most);
        *value = if is_clear { off } else { f64::NAN };
    }
    result
}

/// Each row's moments, and by how much its elements are off.
fn rows(
    x: &Expected,
    rule: Rule,
    row: &dyn Fn(&[usize]) -> Vec<usize>,
) -> BTreeMap<Vec<usize>, ([Near; 2], f64)> {
    let mut rows: BTreeMap<Vec<usize>, (Vec<f64>, f64)> = BTreeMap::new();
    for ((index, &value), &bound) in x.value.indexed_iter().zip(&x.bound) {
        let (values, most) = rows.entry(row(index.slice())).or_default();
        values.push(value);
        *most = most.max(bound);
    }
    let found = rows.into_iter();
    found.map(|(name, (values, most))| (name, (moments(&values, rule), most))).collect()
}

/// The places along the axes that are not reduced.
fn kept(index: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..index.len()).filter(|axis| !axes.contains(axis)).map(|axis| index[axis]).collect()
}

/// A value with axes behind the first.
fn some_value(net: &mut Network) -> usize {
    let found = net.pick(|value| value.shape().len() > 1);
    found.unwrap_or_else(|| net.leaf_of_rank(3))
}

/// Some axes of a value, the batch not among them.
fn some_axes(net: &mut Network, x: usize) -> Vec<usize> {
    let rank = net.shape(x).len();
    let one = net.random.range(1, rank);
    (1..rank).filter(|&at| at == one || net.random.range(0, 3) == 0).collect()
}

/// Draws a layer over a value, as often as not with channels first: between two transposes, as
/// imported networks have it between layers with channels last.
fn perhaps_between(
    net: &mut Network,
    x: usize,
    layer: impl FnOnce(&mut Network, usize) -> Option<usize>,
) -> bool {
    if net.shape(x).len() != 4 || net.coin() {
        return layer(net, x).is_some();
    }
    let drawn = moving::turned(net, x, [0, 3, 1, 2]).and_then(|x| layer(net, x));
    drawn.and_then(|y| moving::turned(net, y, [0, 2, 3, 1])).is_some()
}

fn signed(axes: &[usize]) -> Vec<isize> {
    axes.iter().map(|&axis| axis as isize).collect()
}

pub fn layer(net: &mut Network, name: &str) -> bool {
    let x = some_value(net);
    perhaps_between(net, x, |net, x| {
        // The first of several results is the normalized value.
        let first = net.values.len();
        layer_of(net, name, x).then_some(first)
    })
}

fn layer_of(net: &mut Network, name: &str, x: usize) -> bool {
    let axes = some_axes(net, x);
    let lengths: Vec<usize> = axes.iter().map(|&axis| net.shape(x)[axis]).collect();
    let mut weights = Weights::new(net, &lengths);
    let epsilon = *net.random.pick(&[1e-3, 0.25]);
    let (told, is_rms) = (signed(&axes), name == "rms_normalization");
    if is_rms {
        // It always has a scale, and no bias.
        weights.0 = [Some(net.random.uniform(&lengths)), None];
    }
    let rule = rule(!is_rms, epsilon, 0.0);
    let [scale, bias] = weights.exact();
    let taken = axes.clone();
    let oracle = move |x: &[&Expected]| {
        let own =
            exact::layer_normalization(&x[0].value, rule, &taken, scale.as_ref(), bias.as_ref());
        near(own, &spread(x[0], rule, &|index| kept(index, &taken)))
    };
    if is_rms {
        let given = weights.given(["scale", ""]);
        let layer = RmsNormalization::new().axis(told).epsilon(epsilon);
        return net.layer(&[x], oracle, |g, x| g.rms_normalization(x[0], layer, &given));
    }
    let given = weights.given(["gamma", "beta"]);
    let layer = LayerNormalization::new().axis(told).epsilon(epsilon);
    let layer = layer.scale(weights.0[0].is_some()).center(weights.0[1].is_some());
    if name == "layer_normalization" {
        return net.layer(&[x], oracle, |g, x| g.layer_normalization(x[0], layer, &given));
    }
    let mut oracles: Vec<Oracle> = vec![Box::new(oracle)];
    for is_inverse in [false, true] {
        let axes = axes.clone();
        oracles.push(Box::new(move |x: &[&Expected]| moment(x[0], rule, &axes, is_inverse)));
    }
    net.layers(&[x], oracles, |g, x| {
        let result = g.layer_normalization_with_moments(x[0], layer, &given)?;
        Ok(vec![result.output, result.mean, result.inv_std_dev])
    })
}

/// Means or inverse deviations, with length 1 along what they go over.
fn moment(x: &Expected, rule: Rule, axes: &[usize], is_inverse: bool) -> Expected {
    let found = rows(x, rule, &|index| kept(index, axes));
    let mut shape = x.value.shape().to_vec();
    for &axis in axes {
        shape[axis] = 1;
    }
    let mut result = Expected::exact(ArrayD::zeros(shape.clone()));
    let mut off = ArrayD::zeros(shape);
    for (index, value) in result.value.indexed_iter_mut() {
        let (moments, most) = found[&kept(index.slice(), axes)];
        let Near { value: exact, bound } = moments[usize::from(is_inverse)];
        *value = exact;
        result.bound[&index] = bound;
        off[&index] = match is_inverse {
            false => most,
            true if exact < STEEPEST && exact * most < 0.5 => {
                exact * exact * most / (1.0 - exact * most)
            }
            true => f64::NAN,
        };
    }
    near(result, &off)
}

pub fn group(net: &mut Network, name: &str) -> bool {
    let found = net.pick(|value| value.shape().len() > 2);
    let x = found.unwrap_or_else(|| net.leaf_of_rank(4));
    perhaps_between(net, x, |net, x| {
        let shape = net.shape(x);
        if shape.len() == 4 && net.coin() {
            return group_of_parts(net, name, x, &shape);
        }
        let axis = net.random.range(1, shape.len());
        group_of(net, name, x, axis).then(|| net.values.len() - 1)
    })
}

/// Groups as parts of a reshaped value, in the way of operator sets that have instances alone.
fn group_of_parts(net: &mut Network, name: &str, x: usize, shape: &[usize]) -> Option<usize> {
    let divisors: Vec<usize> = (1..=shape[1]).filter(|n| shape[1].is_multiple_of(*n)).collect();
    let groups = *net.random.pick(&divisors);
    let rest = shape[1..].iter().product::<usize>() / groups;
    let told = |lengths: &[usize]| lengths.iter().map(|&n| n as isize).collect::<Vec<isize>>();
    let parts = [groups, rest];
    let last = |net: &mut Network, is_drawn: bool| is_drawn.then(|| net.values.len() - 1);
    let is_drawn = view(net, x, vec![shape[0], groups, rest], |g, x| g.reshape(x, told(&parts)));
    let x = last(net, is_drawn)?;
    let is_drawn = group_of(net, name, x, 1);
    let x = last(net, is_drawn)?;
    let is_drawn = view(net, x, shape.to_vec(), |g, x| g.reshape(x, told(&shape[1..])));
    last(net, is_drawn)
}

fn group_of(net: &mut Network, name: &str, x: usize, axis: usize) -> bool {
    let shape = net.shape(x);
    let channels = shape[axis];
    let divisors: Vec<usize> = (1..=channels).filter(|n| channels.is_multiple_of(*n)).collect();
    let is_instance = name == "instance_normalization";
    let groups = if is_instance { channels } else { *net.random.pick(&divisors) };
    let mut weights = Weights::new(net, &[channels]);
    if is_instance {
        weights.0 = [(); 2].map(|()| Some(net.random.uniform(&[channels])));
    }
    let epsilon = *net.random.pick(&[1e-3, 0.25]);
    let rule = rule(true, epsilon, 0.0);
    let ([scale, bias], given) = (weights.exact(), weights.given(["gamma", "beta"]));
    let oracle = move |x: &[&Expected]| {
        let (scale, bias) = (scale.as_ref(), bias.as_ref());
        let own = exact::group_normalization(&x[0].value, rule, axis, groups, scale, bias);
        let row = |index: &[usize]| vec![index[0], index[axis] / (channels / groups)];
        near(own, &spread(x[0], rule, &row))
    };
    let axis = axis as isize;
    if is_instance {
        let layer = InstanceNormalization::new().axis(axis).epsilon(epsilon);
        return net.layer(&[x], oracle, |g, x| g.instance_normalization(x[0], layer, &given));
    }
    let layer = GroupNormalization::new(groups as isize).axis(axis).epsilon(epsilon);
    let layer = layer.scale(weights.0[0].is_some()).center(weights.0[1].is_some());
    net.layer(&[x], oracle, |g, x| g.group_normalization(x[0], layer, &given))
}

pub fn mean_variance(net: &mut Network, _: &str) -> bool {
    let x = some_value(net);
    let mut axes = some_axes(net, x);
    if net.random.range(0, 3) == 0 {
        axes.insert(0, 0);
    }
    let layer = MeanVarianceNormalization::new().axes(signed(&axes));
    let rule = rule(true, 0.0, 1e-9);
    let oracle = move |x: &[&Expected]| {
        let own = exact::layer_normalization(&x[0].value, rule, &axes, None, None);
        near(own, &spread(x[0], rule, &|index| kept(index, &axes)))
    };
    net.layer(&[x], oracle, |g, x| g.mean_variance_normalization(x[0], layer))
}

pub fn batch(net: &mut Network, _: &str) -> bool {
    let (x, axis) = net.with_axis();
    let channels = net.shape(x)[axis];
    let weights = Weights::new(net, &[channels]);
    let mean = net.random.uniform(&[channels]);
    let variance = net.random.uniform(&[channels]) * 0.5 + 1.0;
    let given = weights
        .given(["gamma", "beta"])
        .with("moving_mean", HostArray::from(mean.clone()))
        .with("moving_variance", HostArray::from(variance.clone()));
    let ([scale, bias], mean, variance) = (weights.exact(), widen(&mean), widen(&variance));
    let epsilon = 1e-3_f32;
    let layer = BatchNormalization::new().axis(axis as isize).epsilon(epsilon);
    let layer = layer.scale(weights.0[0].is_some()).center(weights.0[1].is_some());
    let oracle = move |x: &[&Expected]| {
        let apply = |x: &ArrayD<f64>, scale: Option<&ArrayD<f64>>, bias, mean: &ArrayD<f64>| {
            let epsilon = f64::from(epsilon);
            batch_normalization::batch_normalization(x, axis, scale, bias, mean, &variance, epsilon)
        };
        let magnitude = scale.as_ref().map(|scale| scale.mapv(f64::abs));
        let none = ArrayD::zeros(mean.raw_dim());
        let spread = apply(&x[0].bound, magnitude.as_ref(), None, &none).value;
        near(apply(&x[0].value, scale.as_ref(), bias.as_ref(), &mean), &spread)
    };
    net.layer(&[x], oracle, |g, x| g.batch_normalization(x[0], layer, &given))
}

pub fn lrn(net: &mut Network, _: &str) -> bool {
    let (x, axis) = net.with_axis();
    let size = net.random.range(1, 6);
    let [alpha, beta, bias] = [0.5, *net.random.pick(&[0.75, 0.5, 1.0]), 1.25];
    let layer = Lrn::new(size).alpha(alpha).beta(beta).bias(bias).axis(axis as isize);
    let numbers = [alpha, beta, bias].map(f64::from);
    let oracle = move |x: &[&Expected]| {
        let most = |array: &ArrayD<f64>| array.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let (largest, off) = (most(&x[0].value), most(&x[0].bound));
        // The base is above 1, so that neither it nor its power shrinks a divisor; its squares' mean is off by at
        // most that of the largest one.
        let base = numbers[0] * (2.0 * largest * off + off * off);
        let spread = &x[0].bound + &(x[0].value.mapv(f64::abs) * (numbers[1] * base));
        near(exact_lrn::lrn(&x[0].value, axis, size, numbers), &spread)
    };
    net.layer(&[x], oracle, |g, x| g.lrn(x[0], layer))
}
