//! Layers that read between elements.

use longshore::{Coordinates, GridSample, Interpolation, Resize, Resize2d, UpSampling2d};
use ndarray::{ArrayD, Zip};

use super::{Network, moved, near};
use crate::operators::{grid_sample as grids, resize as ours};
use crate::oracle::resize::{Axis, Mode, Rule, Scale};
use crate::oracle::{EPSILON, Expected, grid_sample as exact_grid, resize, resize2d as exact};

/// What weights make of a bound. Those of both signs sum to more than 1 in magnitude: the oracle's own bound, but for
/// copies, has at least one unit of the terms' magnitudes.
fn weighed(bound: Expected, has_negative: bool) -> ArrayD<f64> {
    if has_negative {
        Zip::from(&bound.value).and(&bound.bound).map_collect(|sum, own| sum.max(own / EPSILON))
    } else {
        bound.value
    }
}

fn spread(x: &Expected, has_negative: bool, apply: impl Fn(&ArrayD<f64>) -> Expected) -> Expected {
    near(apply(&x.value), &weighed(apply(&x.bound), has_negative))
}

const RULES: [(Interpolation, exact::Interpolation); 5] = [
    (Interpolation::Nearest, exact::Interpolation::Nearest),
    (Interpolation::Bilinear, exact::Interpolation::Bilinear),
    (Interpolation::Bicubic, exact::Interpolation::Bicubic),
    (Interpolation::Lanczos3, exact::Interpolation::Lanczos3),
    (Interpolation::Lanczos5, exact::Interpolation::Lanczos5),
];

fn has_negative(rule: exact::Interpolation) -> bool {
    !matches!(rule, exact::Interpolation::Nearest | exact::Interpolation::Bilinear)
}

pub fn up_sampling2d(net: &mut Network, _: &str) -> bool {
    let x = net.of_rank(4);
    let factors = (net.random.range(1, 4), net.random.range(1, 3));
    let (interpolation, rule) = *net.random.pick(&RULES);
    let oracle = move |x: &[&Expected]| {
        spread(x[0], has_negative(rule), |x| exact::up_sampling2d(x, factors, rule))
    };
    net.layer(&[x], oracle, |g, x| g.up_sampling2d(x[0], UpSampling2d::new(factors, interpolation)))
}

pub fn resize2d(net: &mut Network, _: &str) -> bool {
    let x = net.of_rank(4);
    let (height, width) = (net.random.range(1, 9), net.random.range(1, 9));
    let (interpolation, rule) = *net.random.pick(&RULES);
    let (ours, coordinates) = *net.random.pick(&[
        (Coordinates::HalfPixel, exact::Coordinates::HalfPixel),
        (Coordinates::AlignCorners, exact::Coordinates::AlignCorners),
        (Coordinates::Asymmetric, exact::Coordinates::Asymmetric),
    ]);
    let oracle = move |x: &[&Expected]| {
        spread(x[0], has_negative(rule), |x| exact::resize2d(x, height, width, rule, coordinates))
    };
    let layer = Resize2d::new((height, width)).interpolation(interpolation).coordinates(ours);
    net.layer(&[x], oracle, |g, x| g.resize2d(x[0], layer))
}

/// Repeats the elements of lines and volumes.
pub fn repeated(net: &mut Network, name: &str) -> bool {
    let is_line = name == "up_sampling1d";
    let axes = if is_line { 1 } else { 3 };
    let x = if is_line {
        net.of_rank(3)
    } else {
        let shape = [net.batch, net.random.range(1, 3), 2, net.random.range(1, 4), 2];
        let is_batched = net.is_symbolic;
        let found = net.pick(|value| value.shape().len() == 5);
        found.unwrap_or_else(|| net.leaf(&shape, super::Holds::Uniform, is_batched))
    };
    let factors: Vec<usize> = (0..axes).map(|_| net.random.range(1, 3)).collect();
    let size = factors.clone();
    let oracle = move |x: &[&Expected]| {
        moved(x[0], |array| {
            let shape: Vec<usize> = (0..axes + 2)
                .map(|at| {
                    array.shape()[at] * if at > 0 && at <= axes { factors[at - 1] } else { 1 }
                })
                .collect();
            ArrayD::from_shape_fn(shape, |mut index| {
                for at in 1..=axes {
                    index[at] /= factors[at - 1];
                }
                array[&index]
            })
        })
    };
    net.layer(&[x], oracle, |g, x| {
        if is_line {
            g.up_sampling1d(x[0], size[0])
        } else {
            g.up_sampling3d(x[0], [size[0], size[1], size[2]])
        }
    })
}

pub fn resize_layer(net: &mut Network, _: &str) -> bool {
    let (x, one) = net.with_axis();
    let (shape, first) = (net.shape(x), net.values[x].first());
    let mode = match net.random.range(0, 3) {
        0 => ours::NEAREST[net.random.range(0, 4)].2,
        1 => Mode::Linear,
        _ => Mode::Cubic(*net.random.pick(&[-0.75, -0.5])),
    };
    let smooth = matches!(mode, Mode::Linear | Mode::Cubic(_));
    let rule = Rule {
        mode,
        coordinates: ours::COORDINATES[net.random.range(0, 7)].0,
        exclude_outside: smooth && net.coin(),
        antialias: smooth && net.coin(),
        extrapolation_value: -0.5,
    };
    let mut axes: Vec<Axis> = Vec::new();
    let by_scale = net.coin();
    let crops = rule.coordinates == "tf_crop_and_resize";
    for (at, &input) in shape.iter().enumerate().skip(first) {
        if at != one && net.coin() {
            continue;
        }
        // Odd ends, so that no place is a tie or on the edge of what is extrapolated.
        let roi = *net.random.pick(&[(0.0, 1.0), (0.21, 0.83), (-0.23, 1.17)]);
        let roi =
            if crops { (f64::from(roi.0 as f32), f64::from(roi.1 as f32)) } else { (0.0, 1.0) };
        let given = *net.random.pick(&[1.0f32, 0.61, 1.37, 2.0, 2.93]);
        let length = resize::scaled(input, given, roi);
        let size = *net.random.pick(&[1, 2, 3, 5]);
        let fraction = Scale::Fraction(size, input);
        let (length, scale) =
            if by_scale { (length, Scale::Given(given)) } else { (size, fraction) };
        axes.push(Axis { at, length, scale, roi });
    }
    let scale = |axis: &Axis| match axis.scale {
        Scale::Given(scale) => scale,
        Scale::Fraction(..) => 0.0,
    };
    let layer = if by_scale {
        Resize::scales(axes.iter().map(scale).collect::<Vec<_>>())
    } else {
        Resize::sizes(axes.iter().map(|axis| axis.length))
    };
    let ends = axes.iter().map(|axis| axis.roi.0).chain(axes.iter().map(|axis| axis.roi.1));
    let layer =
        layer.roi(ends.map(|end| end as f32)).axes(axes.iter().map(|axis| axis.at as isize));
    let inner = Rule { extrapolation_value: 0.0, ..rule };
    let has_negative = matches!(mode, Mode::Cubic(_));
    let oracle = move |x: &[&Expected]| {
        let outer = resize::resize(&x[0].value, &axes, &rule);
        let spread = resize::resize(&x[0].bound, &axes, &inner);
        near(outer, &weighed(spread, has_negative))
    };
    net.layer(&[x], oracle, |g, x| g.resize(x[0], ours::with_rule(layer, &rule)))
}

pub fn grid_sample(net: &mut Network, _: &str) -> bool {
    let rules: Vec<exact_grid::Rule> = grids::rules().collect();
    let rule = *net.random.pick(&rules);
    let rank = net.random.range(3, 6);
    let found = net.pick(|value| value.shape().len() == rank);
    let x = found.unwrap_or_else(|| net.leaf_of_rank(4));
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    let axes = shape.len() - 2;
    let mut points: Vec<usize> = (0..axes).map(|_| net.random.range(1, 5)).collect();
    points.insert(0, shape[0]);
    points.push(axes);
    let grid = grids::draw(&mut net.random, rule, &shape[1..=axes], &points);
    let grid = net.leaf_of(grid, is_batched, false);
    let oracle = move |x: &[&Expected]| {
        let own = exact_grid::grid_sample(&x[0].value, &x[1].value, rule);
        // Each axis's weights sum to 1, or for cubics to less than 1.4 in magnitude.
        let most = x[0].bound.iter().fold(0.0_f64, |most, &bound| most.max(bound));
        let spread = ArrayD::from_elem(own.value.raw_dim(), most * 1.4_f64.powi(axes as i32));
        near(own, &spread)
    };
    let (mode, padding) = grids::ours(rule);
    let layer = GridSample::new().mode(mode).padding_mode(padding);
    net.layer(&[x, grid], oracle, |g, x| {
        g.grid_sample(x[0], x[1], layer.align_corners(rule.align_corners))
    })
}
