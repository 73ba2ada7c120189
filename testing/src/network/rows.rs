//! Layers that go over whole axes: reductions, positions, exponentials' shares.

use longshore::ops::{ArgReduce, CumSum, Reduce, ReduceOp, TopK};
use ndarray::{ArrayD, Axis};

use super::{Holds, Network, Oracle, near};
use crate::oracle::reduce::{self as exact, Reduction};
use crate::oracle::{Expected, cumsum as exact_cumsum, softmax, top_k as exact_top_k};

const REDUCTIONS: [(&str, ReduceOp, Reduction); 10] = [
    ("reduce_mean", ReduceOp::Mean, Reduction::Mean),
    ("reduce_sum", ReduceOp::Sum, Reduction::Sum),
    ("reduce_max", ReduceOp::Max, Reduction::Max),
    ("reduce_min", ReduceOp::Min, Reduction::Min),
    ("reduce_prod", ReduceOp::Prod, Reduction::Prod),
    ("reduce_l1", ReduceOp::L1, Reduction::L1),
    ("reduce_l2", ReduceOp::L2, Reduction::L2),
    ("reduce_sum_square", ReduceOp::SumSquare, Reduction::SumSquare),
    ("reduce_log_sum", ReduceOp::LogSum, Reduction::LogSum),
    ("reduce_log_sum_exp", ReduceOp::LogSumExp, Reduction::LogSumExp),
];

/// What a reduction makes of its operands' bounds; NaN where it has no bound.
fn spread(op: Reduction, x: &Expected, axes: &[usize], keepdims: bool) -> ArrayD<f64> {
    let of = |op, array: &ArrayD<f64>| exact::reduce(array, op, axes, keepdims).value;
    let magnitude = x.value.mapv(f64::abs);
    match op {
        Reduction::Sum | Reduction::L1 => of(Reduction::Sum, &x.bound),
        // A norm is at most as far off as the norm of what its terms are off by.
        Reduction::Mean | Reduction::L2 => of(op, &x.bound),
        Reduction::Max | Reduction::Min | Reduction::LogSumExp => of(Reduction::Max, &x.bound),
        Reduction::Prod => of(op, &(&magnitude + &x.bound)) - of(op, &magnitude),
        Reduction::SumSquare => {
            of(Reduction::Sum, &(2.0 * &magnitude * &x.bound + &x.bound * &x.bound))
        }
        Reduction::LogSum => {
            let (sum, off) = (of(Reduction::Sum, &x.value), of(Reduction::Sum, &x.bound));
            let clear = (sum - &off).mapv(|low| if low > 0.1 { low } else { f64::NAN });
            off / clear
        }
    }
}

pub fn reduce(net: &mut Network, name: &str) -> bool {
    let (_, op, reduction) = *REDUCTIONS.iter().find(|(other, ..)| *other == name).unwrap();
    let (mut x, axis) = net.with_axis();
    let rank = net.shape(x).len();
    // The batch too, now and then.
    let first = if net.random.range(0, 4) == 0 { 0 } else { net.values[x].first() };
    let chosen: Vec<usize> =
        (first..rank).filter(|&at| at == axis || net.random.range(0, 3) == 0).collect();
    let (keepdims, all) = (net.coin(), chosen.len() == rank && net.coin());
    let told = if all { Vec::new() } else { chosen.clone() };
    let signs: Vec<bool> = told.iter().map(|_| net.coin()).collect();
    let told: Vec<isize> = told
        .iter()
        .zip(signs)
        .map(|(&at, sign)| at as isize - if sign { rank as isize } else { 0 })
        .collect();
    let oracle = move |x: &[&Expected]| {
        let own = exact::reduce(&x[0].value, reduction, &chosen, keepdims);
        near(own, &spread(reduction, x[0], &chosen, keepdims))
    };
    for again in [false, true] {
        if again {
            // Logarithms take positive sums.
            let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
            x = net.leaf(&shape, Holds::Positive, is_batched);
        }
        let layer = Reduce::new(op).axes(told.clone()).keepdims(keepdims);
        if net.layer(&[x], oracle.clone(), |g, x| g.reduce(x[0], layer)) {
            return true;
        }
    }
    false
}

pub fn cumsum(net: &mut Network, _: &str) -> bool {
    let (x, axis) = net.with_axis();
    let (exclusive, reverse) = (net.coin(), net.coin());
    let told = axis as isize - if net.coin() { net.shape(x).len() as isize } else { 0 };
    let oracle = move |x: &[&Expected]| {
        let of = |array| exact_cumsum::cumsum(array, axis, exclusive, reverse);
        near(of(&x[0].value), &of(&x[0].bound).value)
    };
    let layer = CumSum::new().axis(told).exclusive(exclusive).reverse(reverse);
    net.layer(&[x], oracle, |g, x| g.cumsum(x[0], layer))
}

/// Whether one element of each lane is the best, or several are and nothing can be off.
fn is_decided(x: &Expected, axis: usize, largest: bool) -> bool {
    let lanes = x.value.lanes(Axis(axis)).into_iter().zip(x.bound.lanes(Axis(axis)));
    lanes.into_iter().all(|(values, bounds)| {
        if bounds.iter().all(|&bound| bound == 0.0) {
            return true;
        }
        let sign = if largest { 1.0 } else { -1.0 };
        let best = (0..values.len())
            .max_by(|&one, &other| (sign * values[one]).total_cmp(&(sign * values[other])))
            .unwrap();
        (0..values.len())
            .all(|at| at == best || sign * (values[best] - values[at]) > bounds[best] + bounds[at])
    })
}

/// A value whose extremes along an axis no bound can move, or a leaf with many equal elements.
fn decided(net: &mut Network, largest: bool) -> (usize, usize) {
    let (x, axis) = net.with_axis();
    if is_decided(&net.values[x].expected, axis, largest) {
        return (x, axis);
    }
    let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
    (net.leaf(&shape, Holds::Halves, is_batched), axis)
}

/// Whether no element of a lane can change places with another, or none can be off.
fn is_ordered(x: &Expected, axis: usize) -> bool {
    let lanes = x.value.lanes(Axis(axis)).into_iter().zip(x.bound.lanes(Axis(axis)));
    lanes.into_iter().all(|(values, bounds)| {
        let apart = |one: usize, other: usize| {
            (values[one] - values[other]).abs() > bounds[one] + bounds[other]
        };
        bounds.iter().all(|&bound| bound == 0.0)
            || (0..values.len()).all(|one| (0..one).all(|other| apart(one, other)))
    })
}

pub fn top_k(net: &mut Network, _: &str) -> bool {
    let (mut x, axis) = net.with_axis();
    if !is_ordered(&net.values[x].expected, axis) {
        let (shape, is_batched) = (net.shape(x), net.values[x].is_batched);
        x = net.leaf(&shape, Holds::Halves, is_batched);
    }
    let shape = net.shape(x);
    let (k, largest) = (net.random.range(1, shape[axis] + 1), net.coin());
    let told = axis as isize - if net.coin() { shape.len() as isize } else { 0 };
    let find = move |x: &Expected| exact_top_k::top_k(&x.value, axis, k, largest);
    let values: Oracle = Box::new(move |x| {
        let [values, indices] = find(x[0]);
        // Each keeps what it may be off by.
        let bound = ArrayD::from_shape_fn(indices.value.raw_dim(), |mut at| {
            let from = indices.value[&at] as usize;
            at[axis] = from;
            x[0].bound[&at]
        });
        near(values, &bound)
    });
    let indices: Oracle = Box::new(move |x| {
        let [_, indices] = find(x[0]);
        indices
    });
    let layer = TopK::new(k).axis(told).largest(largest);
    net.layers(&[x], vec![values, indices], |g, x| {
        let found = g.top_k(x[0], layer)?;
        Ok(vec![found.values, found.indices])
    })
}

pub fn position(net: &mut Network, name: &str) -> bool {
    let largest = name == "arg_max";
    let (x, axis) = decided(net, largest);
    let (keepdims, last) = (net.coin(), net.coin());
    let oracle = move |x: &[&Expected]| exact::position(&x[0].value, axis, largest, last, keepdims);
    let layer = ArgReduce::new(axis as isize).keepdims(keepdims).select_last_index(last);
    net.layer(&[x], oracle, |g, x| {
        if largest { g.arg_max(x[0], layer.clone()) } else { g.arg_min(x[0], layer) }
    })
}

pub fn hardmax(net: &mut Network, _: &str) -> bool {
    let (x, axis) = decided(net, true);
    let axis = axis as isize - if net.coin() { net.shape(x).len() as isize } else { 0 };
    let oracle = move |x: &[&Expected]| softmax::hardmax(&x[0].value, axis);
    net.layer(&[x], oracle, |g, x| g.hardmax(x[0], axis))
}

pub fn softmax_layer(net: &mut Network, name: &str) -> bool {
    let (x, along) = net.with_axis();
    let axis = along as isize - if net.coin() { net.shape(x).len() as isize } else { 0 };
    if name == "softmax" {
        let oracle = move |x: &[&Expected]| {
            let own = softmax::softmax(&x[0].value, axis);
            let spread = softmax::softmax_of(x[0].clone(), axis).bound - &own.bound;
            near(own, &spread)
        };
        return net.layer(&[x], oracle, |g, x| g.softmax(x[0], axis));
    }
    let oracle = move |x: &[&Expected]| {
        // Two numbers are off: the element, and the sum's logarithm by the most of the lane.
        let most = exact::reduce(&x[0].bound, Reduction::Max, &[along], true).value;
        near(softmax::log_softmax(&x[0].value, axis), &(&x[0].bound + &most))
    };
    net.layer(&[x], oracle, |g, x| g.log_softmax(x[0], axis))
}
