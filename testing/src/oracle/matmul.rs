//! Matrix products as NumPy's matmul defines them, and ONNX's Gemm.

use ndarray::{ArrayD, ArrayViewD, IxDyn};

use super::{EPSILON, Expected, SMALLEST, Sum};

/// Exchanges the last two axes, or does not.
fn turned(array: &ArrayD<f64>, transpose: bool) -> ArrayViewD<'_, f64> {
    let mut view = array.view();
    if transpose {
        let rank = view.ndim();
        view.swap_axes(rank - 2, rank - 1);
    }
    view
}

/// matmul: left (..., m, k), right (..., k, n); a lone axis is a row on the left, a column on the right.
pub fn matmul(left: &ArrayD<f64>, right: &ArrayD<f64>, transposed: [bool; 2]) -> Expected {
    let (left, right) = (turned(left, transposed[0]), turned(right, transposed[1]));
    let is_vector = [left.ndim() == 1, right.ndim() == 1];
    let left = if is_vector[0] { left.insert_axis(ndarray::Axis(0)) } else { left };
    let right = if is_vector[1] { right.insert_axis(ndarray::Axis(1)) } else { right };
    let (leading_left, matrix_left) = left.shape().split_at(left.ndim() - 2);
    let (leading_right, matrix_right) = right.shape().split_at(right.ndim() - 2);
    let (m, k, n) = (matrix_left[0], matrix_left[1], matrix_right[1]);
    assert_eq!(k, matrix_right[0], "the inner lengths are equal");
    let rank = leading_left.len().max(leading_right.len());
    let at = |shape: &[usize], axis: usize| {
        if axis + shape.len() < rank { 1 } else { shape[axis + shape.len() - rank] }
    };
    let leading: Vec<usize> = (0..rank)
        .map(|axis| match (at(leading_left, axis), at(leading_right, axis)) {
            (1, other) => other,
            (one, other) => {
                assert!(other == 1 || other == one, "the leading axes broadcast");
                one
            }
        })
        .collect();
    let all = [&leading[..], &[m, n]].concat();
    let mut result = Expected::zeros(&all);
    for index in ndarray::indices(IxDyn(&all)) {
        let index: Vec<usize> = (0..all.len()).map(|axis| index[axis]).collect();
        let (item, matrix) = index.split_at(rank);
        let place = |own: &[usize], row: usize, column: usize| {
            let skipped = rank - own.len();
            let mut place: Vec<usize> = own
                .iter()
                .zip(&item[skipped..])
                .map(|(&len, &i)| if len == 1 { 0 } else { i })
                .collect();
            place.extend([row, column]);
            IxDyn(&place)
        };
        let mut sum = Sum::default();
        for i in 0..k {
            sum.add(
                left[place(leading_left, matrix[0], i)] * right[place(leading_right, i, matrix[1])],
            );
        }
        result.value[IxDyn(&index)] = sum.value;
        result.bound[IxDyn(&index)] = sum.bound();
    }
    let mut shape = leading;
    shape.extend((!is_vector[0]).then_some(m));
    shape.extend((!is_vector[1]).then_some(n));
    let shaped =
        |values: ArrayD<f64>| values.into_shape_with_order(IxDyn(&shape)).expect("same count");
    Expected { value: shaped(result.value), bound: shaped(result.bound) }
}

/// Gemm: alpha * a' @ b' + beta * c, where c broadcasts to (m, n).
pub fn gemm(
    a: &ArrayD<f64>,
    b: &ArrayD<f64>,
    c: Option<&ArrayD<f64>>,
    (alpha, beta): (f64, f64),
    transposed: [bool; 2],
) -> Expected {
    let product = matmul(a, b, transposed);
    let value = product.value.mapv(|v| alpha * v);
    // The product's own error is scaled; scaling, the second product and the sum round once each.
    let bound = &product.bound * alpha.abs() + value.mapv(|v| EPSILON * v.abs() + SMALLEST);
    let mut result = Expected { value, bound };
    if let Some(c) = c {
        let c = c.broadcast(result.value.raw_dim()).expect("c broadcasts to the result");
        for ((value, bound), &c) in result.value.iter_mut().zip(&mut result.bound).zip(c) {
            let added = beta * c;
            *bound += EPSILON * (2.0 * added.abs() + value.abs()) + 2.0 * SMALLEST;
            *value += added;
        }
    }
    result
}
