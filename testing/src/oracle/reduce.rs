//! Reductions over axes, and positions of extremes.

use ndarray::{ArrayD, Dimension, IxDyn};

use super::{EPSILON, Expected, SMALLEST};

/// What a reduction makes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    Mean,
    Sum,
    Max,
    Min,
    Prod,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
}

/// Collects the elements of each row, in C order: for each place of the result, what is reduced to it.
pub(super) fn rows(input: &ArrayD<f64>, axes: &[usize]) -> ArrayD<Vec<f64>> {
    let kept: Vec<usize> = input
        .shape()
        .iter()
        .enumerate()
        .map(|(axis, &length)| if axes.contains(&axis) { 1 } else { length })
        .collect();
    let mut rows = ArrayD::from_elem(IxDyn(&kept), Vec::new());
    for (index, &value) in input.indexed_iter() {
        let mut place: Vec<usize> = index.slice().to_vec();
        for &axis in axes {
            place[axis] = 0;
        }
        rows[IxDyn(&place)].push(value);
    }
    rows
}

/// Drops axes of length 1.
fn drop_axes(mut result: Expected, axes: &[usize]) -> Expected {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    for axis in sorted.into_iter().rev() {
        result.value = result.value.index_axis_move(ndarray::Axis(axis), 0);
        result.bound = result.bound.index_axis_move(ndarray::Axis(axis), 0);
    }
    result
}

/// Reduces axes, which are counted from the first; no axes make a row of each element.
pub fn reduce(input: &ArrayD<f64>, op: Reduction, axes: &[usize], keepdims: bool) -> Expected {
    let rows = rows(input, axes);
    let mut result = Expected::zeros(rows.shape());
    let places = result.value.iter_mut().zip(result.bound.iter_mut());
    for ((value, bound), row) in places.zip(&rows) {
        (*value, *bound) = reduce_row(op, row);
    }
    if keepdims { result } else { drop_axes(result, axes) }
}

/// How many roundings a term passes: sums go in blocks of 64, and 2 more are for the term itself.
pub(super) fn roundings(terms: usize) -> f64 {
    terms.min(64 + terms / 64 + 1) as f64 + 2.0
}

/// The sum of terms and its bound: one unit for each rounding, and a subnormal for each term.
fn sum(terms: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = terms.clone().count();
    let magnitude: f64 = terms.clone().map(f64::abs).sum();
    (terms.sum(), roundings(count) * EPSILON * magnitude + 2.0 * count as f64 * SMALLEST)
}

/// log of a value within a bound. The kernel's own logarithm is within 6 units: 2.5 of a division, the
/// rounding of its divisor, of a product and of two sums.
fn log((value, bound): (f64, f64)) -> (f64, f64) {
    let result = value.ln();
    (result, 6.0 * EPSILON * result.abs() + bound / (value - bound).max(0.0))
}

fn reduce_row(op: Reduction, row: &[f64]) -> (f64, f64) {
    let terms = row.iter().copied();
    let count = row.len() as f64;
    match op {
        Reduction::Sum => sum(terms),
        Reduction::L1 => sum(terms.map(f64::abs)),
        Reduction::SumSquare => sum(terms.map(|x| x * x)),
        Reduction::Mean => {
            let (value, bound) = sum(terms);
            (value / count, (bound + 2.5 * EPSILON * value.abs()) / count)
        }
        Reduction::L2 => {
            // sqrt inherits 2 units of inverseSqrt and 2.5 of a division.
            let (value, bound) = sum(terms.map(|x| x * x));
            let root = value.sqrt();
            let own = 4.5 * EPSILON * root;
            (
                root,
                if value > bound {
                    own + bound / (2.0 * (value - bound).sqrt())
                } else {
                    bound.sqrt()
                },
            )
        }
        Reduction::LogSum => log(sum(terms)),
        Reduction::LogSumExp => log_sum_exp(row),
        Reduction::Max => (extreme(row, f64::NEG_INFINITY, |a, b| a > b), 0.0),
        Reduction::Min => (extreme(row, f64::INFINITY, |a, b| a < b), 0.0),
        Reduction::Prod => {
            let value: f64 = row.iter().product();
            (value, (count + 2.0) * EPSILON * value.abs() + SMALLEST)
        }
    }
}

fn extreme(row: &[f64], start: f64, better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut best = start;
    for &x in row {
        if x.is_nan() {
            return x;
        }
        if better(x, best) {
            best = x;
        }
    }
    best
}

/// m + log(sum(exp(x - m))): each term may be wrong, relatively, by the rounding of its difference and by 4
/// units of the kernel's own exp; the last sum by a rounding.
fn log_sum_exp(row: &[f64]) -> (f64, f64) {
    let maximum = extreme(row, f64::NEG_INFINITY, |a, b| a > b);
    let shift = if maximum.is_finite() { maximum } else { 0.0 };
    let (mut value, mut bound) = sum(row.iter().map(|x| (x - shift).exp()));
    for x in row.iter().filter(|x| x.is_finite()) {
        let distance = (x - shift).abs();
        bound += (x - shift).exp() * (4.0 + distance) * EPSILON;
    }
    (value, bound) = log((value, bound));
    let result = shift + value;
    (result, bound + EPSILON * result.abs())
}

/// The position of the largest or smallest element along an axis, of equal ones the first or the last; NaN
/// comes before every number, as in NumPy.
pub fn position(
    input: &ArrayD<f64>,
    axis: usize,
    largest: bool,
    last: bool,
    keepdims: bool,
) -> Expected {
    let found = rows(input, &[axis]).mapv(|row| {
        let is_best = |x: f64| {
            row.iter().all(|&other| {
                x.is_nan() || !(other.is_nan() || if largest { other > x } else { other < x })
            })
        };
        let best = |place: &usize| is_best(row[*place]);
        let mut places = 0..row.len();
        let found = if last { places.rfind(best) } else { places.find(best) };
        found.expect("a row has elements") as f64
    });
    let result = Expected::exact(found);
    if keepdims { result } else { drop_axes(result, &[axis]) }
}
