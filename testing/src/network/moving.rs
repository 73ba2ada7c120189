//! Layers that move elements: each element of the result is one of the operands', or a constant.

use longshore::{
    CenterCropPad, DepthMode, DepthToSpace, Dim, Graph, Pad, PadMode, Pads, Slice, Split,
};
use ndarray::ArrayD;

use super::{Network, Oracle, moved};
use crate::oracle::{Expected, copy, gather as exact_gather, pad as exact_pad};

/// An axis as the layer is told it: counted from either end.
fn told(net: &mut Network, axis: usize, rank: usize) -> isize {
    if net.coin() { axis as isize } else { axis as isize - rank as isize }
}

/// Puts the axes of a value into a given order.
pub fn turned(net: &mut Network, x: usize, perm: [usize; 4]) -> Option<usize> {
    let oracle = move |x: &[&Expected]| moved(x[0], |array| copy::transpose(array, &perm));
    let is_drawn = net.layer(&[x], oracle, |g, x| g.transpose(x[0], &perm));
    is_drawn.then(|| net.values.len() - 1)
}

pub fn transpose(net: &mut Network, name: &str) -> bool {
    let found = net.pick(|value| value.shape().len() > value.first() + 1);
    let x = found.unwrap_or_else(|| net.leaf_of_rank(4));
    let first = if name == "permute" { 1 } else { net.values[x].first() };
    let rank = net.shape(x).len();
    let mut perm: Vec<usize> = (0..rank).collect();
    if rank == 4 && net.coin() {
        // Channels before or behind the image, as most transposes of real networks have them.
        perm = if net.coin() { vec![0, 3, 1, 2] } else { vec![0, 2, 3, 1] };
    } else {
        for last in (first + 1..rank).rev() {
            perm.swap(last, net.random.range(first, last + 1));
        }
    }
    let exact = perm.clone();
    let oracle = move |x: &[&Expected]| moved(x[0], |array| copy::transpose(array, &exact));
    if name == "permute" {
        return net.layer(&[x], oracle, |g, x| g.permute(x[0], &perm[1..]));
    }
    net.layer(&[x], oracle, |g, x| g.transpose(x[0], &perm))
}

pub fn concat(net: &mut Network, name: &str) -> bool {
    if name == "concat" && net.coin() {
        return rows(net);
    }
    let (x, mut axis) = net.with_axis();
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    if name == "concatenate" {
        axis = shape.len() - 1;
    }
    let mut parts = vec![x];
    for _ in 0..net.random.range(1, 3) {
        let fits = |value: &super::Value| {
            value.is_batched == is_batched
                && value.shape().len() == shape.len()
                && (0..shape.len()).all(|at| at == axis || value.shape()[at] == shape[at])
        };
        let found = net.pick(fits);
        let other = found.filter(|_| net.random.range(0, 3) > 0).unwrap_or_else(|| {
            let mut shape = shape.clone();
            shape[axis] = net.random.range(1, 4);
            net.leaf(&shape, super::Holds::Uniform, is_batched)
        });
        parts.push(other);
    }
    let oracle = move |x: &[&Expected]| Expected {
        value: copy::concat(&x.iter().map(|x| &x.value).collect::<Vec<_>>(), axis),
        bound: copy::concat(&x.iter().map(|x| &x.bound).collect::<Vec<_>>(), axis),
    };
    let told = told(net, axis, shape.len());
    if name == "concatenate" {
        return net.layer(&parts, oracle, Graph::concatenate);
    }
    net.layer(&parts, oracle, |g, x| g.concat(x, told))
}

/// Joins rows of 64 numbers, which begin where every device can bind: what makes them can write them in place.
fn rows(net: &mut Network) -> bool {
    let mut pieces: Vec<usize> = Vec::new();
    for _ in 0..net.random.range(2, 4) {
        let is_row = |value: &super::Value| !value.is_batched && value.shape() == [1, 64];
        let found = net.pick(is_row);
        let x = found.unwrap_or_else(|| net.leaf(&[1, 64], super::Holds::Uniform, false));
        if net.random.range(0, 4) == 0 {
            // An input, a constant, or what another layer has made or already joined.
            pieces.push(x);
            continue;
        }
        let made = match net.random.range(0, 3) {
            0 => {
                let back = |x: &[&Expected]| moved(x[0], |x| copy::slice(x, 1, -1, i64::MIN, -1));
                net.layer(&[x], back, |g, x| g.flip(x[0], &[1]))
            }
            1 => {
                let negative =
                    |x: &[&Expected]| Expected { value: -&x[0].value, bound: x[0].bound.clone() };
                net.layer(&[x], negative, |g, x| g.negative(x[0]))
            }
            _ => {
                let twice = |x: &[&Expected]| moved(x[0], |x| copy::tile(x, &[2, 1]));
                net.layer(&[x], twice, |g, x| g.tile(x[0], &[2, 1]))
            }
        };
        pieces.push(if made { net.values.len() - 1 } else { x });
    }
    let oracle = |x: &[&Expected]| Expected {
        value: copy::concat(&x.iter().map(|x| &x.value).collect::<Vec<_>>(), 0),
        bound: copy::concat(&x.iter().map(|x| &x.bound).collect::<Vec<_>>(), 0),
    };
    net.layer(&pieces, oracle, |g, x| g.concat(x, 0))
}

pub fn split(net: &mut Network, _: &str) -> bool {
    let (x, axis) = net.with_axis();
    let length = net.shape(x)[axis];
    let told = told(net, axis, net.shape(x).len());
    let (option, lengths) = if net.coin() && length > 1 {
        // Equal parts, the last one shorter.
        let part = length.div_ceil(2);
        (Split::outputs(2), vec![part, length - part])
    } else {
        let first = net.random.range(1, length + 1);
        let mut lengths = vec![first, length - first];
        lengths.retain(|&length| length > 0);
        (Split::lengths(lengths.clone()), lengths)
    };
    let mut begin = 0;
    let mut oracles: Vec<Oracle> = Vec::new();
    for length in lengths {
        let (from, to) = (begin as i64, (begin + length) as i64);
        oracles.push(Box::new(move |x: &[&Expected]| {
            moved(x[0], |array| copy::slice(array, axis, from, to, 1))
        }));
        begin += length;
    }
    net.layers(&[x], oracles, |g, x| g.split(x[0], option.axis(told)))
}

pub fn slice(net: &mut Network, name: &str) -> bool {
    if name == "cropping2d" {
        return cropping2d(net);
    }
    let (x, axis) = net.with_axis();
    let length = net.shape(x)[axis] as i64;
    let told = told(net, axis, net.shape(x).len());
    let (start, end, step) = if name == "flip" {
        (-1, i64::MIN, -1)
    } else {
        let step = *net.random.pick(&[1, 1, 2, 3, -1, -2]);
        let one = net.random.range(0, length as usize) as i64;
        let (start, end) = if step > 0 { (one, length) } else { (one, i64::MIN) };
        // Counted from the end, or beyond it.
        let start = if net.coin() { start - length } else { start };
        (start, if net.coin() && end > 0 { i64::from(i32::MAX) } else { end }, step)
    };
    let oracle =
        move |x: &[&Expected]| moved(x[0], |array| copy::slice(array, axis, start, end, step));
    if name == "flip" {
        return net.layer(&[x], oracle, |g, x| g.flip(x[0], &[told]));
    }
    net.layer(&[x], oracle, |g, x| {
        let ends = vec![end as isize];
        let slice = Slice::new(vec![start as isize], ends).axes(vec![told]);
        g.slice(x[0], slice.steps(vec![step as isize]))
    })
}

fn cropping2d(net: &mut Network) -> bool {
    let x = net.of_rank(4);
    let shape = net.shape(x);
    let mut cut = |length: usize| {
        let before = net.random.range(0, length);
        (before, net.random.range(0, length - before))
    };
    let (rows, columns) = (cut(shape[1]), cut(shape[2]));
    let ends = [(shape[1] - rows.1) as i64, (shape[2] - columns.1) as i64];
    let oracle = move |x: &[&Expected]| {
        moved(x[0], |array| {
            let array = copy::slice(array, 1, rows.0 as i64, ends[0], 1);
            copy::slice(&array, 2, columns.0 as i64, ends[1], 1)
        })
    };
    net.layer(&[x], oracle, |g, x| g.cropping2d(x[0], (rows, columns)))
}

/// Pads a value exactly, and its bound with zeros where constants stand.
fn padded(x: &Expected, pads: &[(i64, i64)], mode: exact_pad::Mode<f64>) -> Expected {
    let around = match mode {
        exact_pad::Mode::Constant(_) => exact_pad::Mode::Constant(0.0),
        other => other,
    };
    let value = exact_pad::pad(&x.value, pads, mode);
    Expected { value, bound: exact_pad::pad(&x.bound, pads, around) }
}

pub fn pad(net: &mut Network, name: &str) -> bool {
    use exact_pad::Mode;
    if name == "zero_padding2d" {
        let x = net.of_rank(4);
        let mut side = || net.random.range(0, 3);
        let pads = Pads { top: side(), bottom: side(), left: side(), right: side() };
        let signed = |(before, after): (usize, usize)| (before as i64, after as i64);
        let rows = signed((pads.top, pads.bottom));
        let exact = [(0, 0), rows, signed((pads.left, pads.right)), (0, 0)];
        let oracle = move |x: &[&Expected]| padded(x[0], &exact, Mode::Constant(0.0));
        return net.layer(&[x], oracle, |g, x| g.zero_padding2d(x[0], pads));
    }
    let (x, axis) = net.with_axis();
    let (shape, first) = (net.shape(x), net.values[x].first());
    let value = net.random.signed();
    let (mode, exact) = *net.random.pick(&[
        (PadMode::Constant(value), Mode::Constant(f64::from(value))),
        (PadMode::Constant(0.0), Mode::Constant(0.0)),
        (PadMode::Edge, Mode::Edge),
        (PadMode::Reflect, Mode::Reflect),
        (PadMode::Wrap, Mode::Wrap),
    ]);
    let mut pads = vec![(0, 0); shape.len()];
    for at in first..shape.len() {
        if at == axis || net.random.range(0, 3) == 0 {
            let least = -i64::from(shape[at] > 2);
            pads[at] = (least + net.random.range(0, 4) as i64, net.random.range(0, 3) as i64);
        }
    }
    let signed = |&(before, after): &(i64, i64)| (before as isize, after as isize);
    let layer = if net.coin() {
        Pad::new(pads.iter().map(signed))
    } else {
        Pad::new(pads[first..].iter().map(signed)).axes((first..shape.len()).map(|at| at as isize))
    };
    let oracle = move |x: &[&Expected]| padded(x[0], &pads, exact);
    net.layer(&[x], oracle, |g, x| g.pad(x[0], layer.mode(mode)))
}

pub fn center_crop_pad(net: &mut Network, _: &str) -> bool {
    let (x, axis) = net.with_axis();
    let shape = net.shape(x);
    let wanted = net.random.range(1, 8);
    let mut pads = vec![(0, 0); shape.len()];
    let difference = wanted as i64 - shape[axis] as i64;
    // Towards zero: of an odd difference the larger half is at the end.
    pads[axis] = (difference / 2, difference - difference / 2);
    let told = told(net, axis, shape.len());
    let oracle = move |x: &[&Expected]| padded(x[0], &pads, exact_pad::Mode::Constant(0.0));
    net.layer(&[x], oracle, |g, x| {
        g.center_crop_pad(x[0], CenterCropPad::new([wanted]).axes([told]))
    })
}

pub fn expand(net: &mut Network, _: &str) -> bool {
    let Some(x) = net.pick(|value| value.shape().contains(&1)) else { return false };
    let (mut shape, first) = (net.shape(x), net.values[x].first());
    for length in &mut shape[first..] {
        if *length == 1 {
            *length = net.random.range(1, 4);
        }
    }
    if first == 0 && shape.len() < 4 && net.coin() {
        shape.insert(0, 2);
    }
    let dims: Vec<Dim> = shape
        .iter()
        .enumerate()
        .map(|(at, &n)| if at < first { Dim::Batch } else { Dim::Fixed(n) })
        .collect();
    let oracle = move |x: &[&Expected]| moved(x[0], |array| copy::expand(array, &shape));
    net.layer(&[x], oracle, |g, x| g.expand(x[0], dims))
}

pub fn tile(net: &mut Network, name: &str) -> bool {
    if name == "repeat_vector" {
        let x = net.of_rank(2);
        let n = net.random.range(1, 4);
        let oracle = move |x: &[&Expected]| {
            moved(x[0], |array| {
                let lines = array.view().insert_axis(ndarray::Axis(1)).to_owned();
                copy::tile(&lines, &[1, n, 1])
            })
        };
        return net.layer(&[x], oracle, |g, x| g.repeat_vector(x[0], n));
    }
    let (x, axis) = net.with_axis();
    let first = net.values[x].first();
    let repeats: Vec<usize> = (0..net.shape(x).len())
        .map(|at| match at {
            _ if at == axis => 2,
            _ if at >= first && net.random.range(0, 4) == 0 => net.random.range(1, 4),
            _ => 1,
        })
        .collect();
    let exact = repeats.clone();
    let oracle = move |x: &[&Expected]| moved(x[0], |array| copy::tile(array, &exact));
    net.layer(&[x], oracle, |g, x| g.tile(x[0], &repeats))
}

pub fn gather(net: &mut Network, _: &str) -> bool {
    const SHAPES: [&[usize]; 4] = [&[], &[3], &[1], &[2, 2]];
    let (x, axis) = net.with_axis();
    let (length, rank) = (net.shape(x)[axis], net.shape(x).len());
    let lengths = *net.random.pick(&SHAPES);
    let indices = ArrayD::from_shape_simple_fn(lengths, || {
        net.random.range(0, 2 * length) as i64 - length as i64
    });
    let (told, exact) = (told(net, axis, rank), indices.clone());
    let oracle =
        move |x: &[&Expected]| moved(x[0], |array| exact_gather::gather(array, &exact, axis));
    net.layer(&[x], oracle, |g, x| g.gather(x[0], &indices, told))
}

pub fn blocks(net: &mut Network, name: &str) -> bool {
    let to_space = name == "depth_to_space";
    let fits = |value: &super::Value| match *value.shape() {
        [_, _, _, channels] if to_space => channels % 4 == 0,
        [_, height, width, _] => height % 2 == 0 && width % 2 == 0,
        _ => false,
    };
    let x = net.pick(fits).unwrap_or_else(|| {
        let (batch, is_batched) = (net.batch, net.is_symbolic);
        let shape = if to_space { [batch, 2, 3, 8] } else { [batch, 4, 2, 3] };
        net.leaf(&shape, super::Holds::Uniform, is_batched)
    });
    let crd = net.coin();
    let layer = DepthToSpace::new(2).mode(if crd { DepthMode::Crd } else { DepthMode::Dcr });
    if to_space {
        let oracle =
            move |x: &[&Expected]| moved(x[0], |array| copy::depth_to_space(array, 2, crd));
        return net.layer(&[x], oracle, |g, x| g.depth_to_space(x[0], layer));
    }
    let oracle = move |x: &[&Expected]| moved(x[0], |array| copy::space_to_depth(array, 2, crd));
    net.layer(&[x], oracle, |g, x| g.space_to_depth(x[0], layer))
}
