//! Products of two values.

use longshore::{Gemm, MatMul};
use ndarray::ArrayD;

use super::{Holds, Network, near};
use crate::oracle::{Expected, matmul as exact};

/// What a product makes of its operands' bounds.
fn spread(a: &Expected, b: &Expected, transposed: [bool; 2]) -> ArrayD<f64> {
    let of = |a: &ArrayD<f64>, b: &ArrayD<f64>| exact::matmul(a, b, transposed).value;
    let [a_size, b_size] = [a.value.mapv(f64::abs), b.value.mapv(f64::abs)];
    of(&a.bound, &(b_size + &b.bound)) + of(&a_size, &b.bound)
}

/// The other operand: a value that fits, or a leaf with or without leading axes. `None` where the batch is summed over.
fn other(net: &mut Network, x: usize, transposed: [bool; 2]) -> Option<usize> {
    let (shape, rank, is_batched) = (net.shape(x), net.shape(x).len(), net.values[x].is_batched);
    let inner = if transposed[0] { shape[rank - 2] } else { shape[rank - 1] };
    // Turned matrices must not have the batch among their axes.
    if is_batched && rank - usize::from(transposed[0]) < 2 {
        return None;
    }
    let at = if transposed[1] { 1 } else { 2 };
    let leading = shape[..rank - 2].to_vec();
    let fits = |value: &super::Value| {
        let other = value.shape();
        other.len() == rank
            && rank > 2
            && value.is_batched == is_batched
            && other[..rank - 2] == leading
            && other[rank - at] == inner
    };
    if let Some(found) = net.pick(fits) {
        return Some(found);
    }
    let units = net.random.range(1, 6);
    let matrix = if transposed[1] { [units, inner] } else { [inner, units] };
    if rank > 2 && net.coin() {
        let shape = [&leading[..], &matrix].concat();
        return Some(net.leaf(&shape, Holds::Uniform, is_batched));
    }
    Some(net.leaf(&matrix, Holds::Uniform, false))
}

pub fn matmul(net: &mut Network, name: &str) -> bool {
    let found = net.pick(|value| value.shape().len() > 1);
    let x = found.unwrap_or_else(|| net.leaf_of_rank(3));
    let is_plain = name == "matmul";
    let transposed = [!is_plain && net.coin(), !is_plain && net.coin()];
    let Some(y) = other(net, x, transposed) else { return false };
    let oracle = move |x: &[&Expected]| {
        let own = exact::matmul(&x[0].value, &x[1].value, transposed);
        near(own, &spread(x[0], x[1], transposed))
    };
    net.layer(&[x, y], oracle, |g, x| {
        if is_plain {
            return g.matmul(x[0], x[1]);
        }
        let option = MatMul::new().transpose_left(transposed[0]).transpose_right(transposed[1]);
        g.matmul_with(x[0], x[1], option)
    })
}

pub fn gemm(net: &mut Network, _: &str) -> bool {
    let x = net.of_rank(2);
    let transposed = [!net.values[x].is_batched && net.coin(), net.coin()];
    let Some(y) = other(net, x, transposed) else { return false };
    let (rows, columns) = (net.shape(x), net.shape(y));
    let shape = [rows[usize::from(transposed[0])], columns[1 - usize::from(transposed[1])]];
    let shapes = [vec![], vec![shape[1]], vec![1, shape[1]], vec![1]];
    let added = net.coin().then(|| net.random.pick(&shapes).clone());
    let c = added.map(|shape| net.leaf(&shape, Holds::Uniform, false));
    let [alpha, beta] = [*net.random.pick(&[1.0_f32, -0.75]), *net.random.pick(&[1.0_f32, 0.5])];
    let oracle = move |x: &[&Expected]| {
        let c = x.get(2).map(|c| &c.value);
        let scales = (f64::from(alpha), f64::from(beta));
        let own = exact::gemm(&x[0].value, &x[1].value, c, scales, transposed);
        near(own, &(spread(x[0], x[1], transposed) * scales.0.abs()))
    };
    let option = Gemm::new().alpha(alpha).beta(beta).trans_a(transposed[0]).trans_b(transposed[1]);
    let operands: Vec<usize> = [x, y].into_iter().chain(c).collect();
    net.layer(&operands, oracle, |g, x| g.gemm(x[0], x[1], x.get(2).copied(), option))
}
