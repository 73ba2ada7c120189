//! Layers that leave the elements in their order.

use longshore::array::DType;
use longshore::{Graph, Reshape, Result, Symbol};
use ndarray::IxDyn;

use super::{Network, convolutions, moved};

/// Adds a layer whose result has the same elements in another shape.
pub fn view(
    net: &mut Network,
    x: usize,
    shape: Vec<usize>,
    build: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) -> bool {
    let oracle = move |x: &[&super::Expected]| {
        moved(x[0], |array| {
            array.to_owned().into_shape_with_order(IxDyn(&shape)).expect("as many elements")
        })
    };
    net.layer(&[x], oracle, |g, x| build(g, x[0]))
}

/// Lengths with the same product: two neighbors merged, or one split.
fn regroup(net: &mut Network, lengths: &[usize]) -> Vec<usize> {
    let mut lengths = lengths.to_vec();
    if lengths.len() > 1 && net.coin() {
        let at = net.random.range(1, lengths.len());
        let merged = lengths.remove(at);
        lengths[at - 1] *= merged;
    } else if !lengths.is_empty() && lengths.len() < 4 {
        let at = net.random.range(0, lengths.len());
        let divisors: Vec<usize> =
            (1..=lengths[at]).filter(|d| lengths[at].is_multiple_of(*d)).collect();
        let divisor = *net.random.pick(&divisors);
        lengths[at] /= divisor;
        lengths.insert(at, divisor);
    }
    lengths
}

pub fn reshape(net: &mut Network, name: &str) -> bool {
    let x = net.with_axis().0;
    let shape = net.shape(x);
    if name == "reshape" {
        let rest = regroup(net, &shape[1..]);
        let inferred = (!rest.is_empty() && net.coin()).then(|| net.random.range(0, rest.len()));
        let target: Vec<isize> = rest
            .iter()
            .enumerate()
            .map(|(axis, &length)| if Some(axis) == inferred { -1 } else { length as isize })
            .collect();
        let shape = [&shape[..1], &rest].concat();
        return view(net, x, shape, |g, x| g.reshape(x, target));
    }
    let first = net.values[x].first();
    let rest = regroup(net, &shape[first..]);
    let batch: &[isize] = if first == 0 { &[] } else { &[[0, -1][net.random.range(0, 2)]] };
    let target: Vec<isize> =
        batch.iter().copied().chain(rest.iter().map(|&length| length as isize)).collect();
    let shape = [&shape[..first], &rest].concat();
    view(net, x, shape, |g, x| g.reshape_to(x, Reshape::new(target)))
}

pub fn flatten(net: &mut Network, name: &str) -> bool {
    let (mut x, mut axis) = net.with_axis();
    if name == "flatten" {
        // Rows behind a layer of rows can be put into the order that a transpose had them in.
        let found = net.behind(&["transpose", "permute"], |value| value.shape().len() > 2);
        x = found.unwrap_or(x);
    }
    let shape = net.shape(x);
    if name == "flatten" || net.values[x].is_batched {
        axis = 1;
    }
    let lengths = [&shape[..axis], &shape[axis..]].map(|part| part.iter().product());
    if name == "flatten" {
        let is_drawn = view(net, x, lengths.to_vec(), Graph::flatten);
        if is_drawn && net.coin() {
            convolutions::dense_on(net, net.values.len() - 1);
        }
        return is_drawn;
    }
    let rank = shape.len();
    let from_end = net.coin() && axis < rank;
    let axis = if from_end { axis as isize - rank as isize } else { axis as isize };
    view(net, x, lengths.to_vec(), move |g, x| g.flatten_at(x, axis))
}

pub fn squeeze(net: &mut Network, _: &str) -> bool {
    let free = |value: &super::Value| value.shape()[value.first()..].contains(&1);
    let Some(x) = net.pick(|value| value.shape().len() > value.first() && free(value)) else {
        return false;
    };
    let (mut shape, first) = (net.shape(x), net.values[x].first());
    if net.coin() {
        let batch = shape[..first].to_vec();
        let rest: Vec<usize> = shape[first..].iter().copied().filter(|&n| n != 1).collect();
        return view(net, x, [batch, rest].concat(), |g, x| g.squeeze(x, None));
    }
    let ones: Vec<usize> = (first..shape.len()).filter(|&axis| shape[axis] == 1).collect();
    let axis = *net.random.pick(&ones);
    shape.remove(axis);
    view(net, x, shape, move |g, x| g.squeeze(x, Some(&[axis as isize])))
}

pub fn unsqueeze(net: &mut Network, _: &str) -> bool {
    let Some(x) = net.pick(|value| value.shape().len() < 4) else { return false };
    let (mut shape, first) = (net.shape(x), net.values[x].first());
    let axis = net.random.range(first, shape.len() + 1);
    shape.insert(axis, 1);
    let axis = axis as isize - if net.coin() { shape.len() as isize } else { 0 };
    view(net, x, shape, move |g, x| g.unsqueeze(x, &[axis]))
}

pub fn same(net: &mut Network, name: &str) -> bool {
    let x = net.with_axis().0;
    let shape = net.shape(x);
    let name = name.to_owned();
    view(net, x, shape, move |g, x| match name.as_str() {
        "identity" => g.identity(x),
        "dropout" => g.dropout(x),
        _ => g.cast(x, DType::F32),
    })
}
