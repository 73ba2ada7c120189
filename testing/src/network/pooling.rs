//! Windows that take the largest, the mean or a norm.

use ndarray::{ArrayD, Axis};

use super::{Network, near};
use crate::operators::pool2d as ours;
use crate::oracle::Expected;
use crate::oracle::conv2d::Padding;
use crate::oracle::pool2d::{Mode, Pool, global_pool2d, pool2d};

/// Pools values within bounds: a mean of bounds bounds a mean, and their norm a norm, by the triangle's inequality.
fn pooled(x: &Expected, mode: Mode, apply: impl Fn(&ArrayD<f64>, Mode) -> Expected) -> Expected {
    near(apply(&x.value, mode), &apply(&x.bound, mode).value)
}

fn mode(name: &str, net: &mut Network) -> Mode {
    match name {
        _ if name.contains("max") => Mode::Max,
        _ if name.contains("average") => Mode::Average,
        _ => Mode::Lp(*net.random.pick(&[1, 2, 3])),
    }
}

/// Puts a row axis before the steps, or takes it away.
fn image(array: &ArrayD<f64>) -> ArrayD<f64> {
    array.view().insert_axis(Axis(1)).to_owned()
}

fn line(result: Expected) -> Expected {
    let drop = |array: ArrayD<f64>| array.index_axis_move(Axis(1), 0);
    Expected { value: drop(result.value), bound: drop(result.bound) }
}

pub fn windows(net: &mut Network, name: &str) -> bool {
    let x = net.image();
    let shape = net.shape(x);
    let mode = mode(name, net);
    let mut pool = ours::draw(&mut net.random, shape[1], shape[2]);
    pool.mode = mode;
    pool.count_include_pad = mode == Mode::Average && net.coin();
    let oracle =
        move |x: &[&Expected]| pooled(x[0], mode, |x, mode| pool2d(x, &Pool { mode, ..pool }));
    net.layer(&[x], oracle, |g, x| ours::add(g, x[0], &pool))
}

pub fn lines(net: &mut Network, name: &str) -> bool {
    let x = net.of_rank(3);
    let shape = net.shape(x);
    let mode = mode(name, net);
    let padding = *net.random.pick(&[Padding::Same, Padding::SameLower, Padding::Valid]);
    let pool = Pool {
        mode,
        kernel: (1, net.random.range(1, shape[1] + 1)),
        strides: (1, net.random.range(1, 3)),
        dilation: (1, 1),
        padding,
        ceil: false,
        count_include_pad: mode == Mode::Average && net.coin(),
    };
    let oracle = move |x: &[&Expected]| {
        pooled(x[0], mode, |x, mode| line(pool2d(&image(x), &Pool { mode, ..pool })))
    };
    let layer = ours::layer(&pool);
    net.layer(&[x], oracle, |g, x| match mode {
        Mode::Max => g.max_pooling1d(x[0], layer),
        Mode::Average => g.average_pooling1d(x[0], layer),
        Mode::Lp(p) => g.lp_pooling1d(x[0], p, layer),
    })
}

pub fn whole(net: &mut Network, name: &str) -> bool {
    let is_line = name.ends_with("1d");
    let x = net.of_rank(if is_line { 3 } else { 4 });
    let (mode, keepdims) = (mode(name, net), net.coin());
    let oracle = move |x: &[&Expected]| {
        let mut result = pooled(x[0], mode, |x, mode| {
            if is_line { line(global_pool2d(&image(x), mode)) } else { global_pool2d(x, mode) }
        });
        for _ in 0..if keepdims { 0 } else { result.value.ndim() - 2 } {
            result = line(result);
        }
        result
    };
    net.layer(&[x], oracle, |g, x| match (mode, is_line) {
        (Mode::Max, true) => g.global_max_pooling1d(x[0], keepdims),
        (Mode::Average, true) => g.global_average_pooling1d(x[0], keepdims),
        (Mode::Max, false) => g.global_max_pooling2d(x[0], keepdims),
        (Mode::Average, false) => g.global_average_pooling2d(x[0], keepdims),
        (Mode::Lp(p), _) => g.global_lp_pooling2d(x[0], p, keepdims),
    })
}
