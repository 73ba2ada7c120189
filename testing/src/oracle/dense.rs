//! Dense: the last axis of an array of any rank times a (inputs, units) kernel.

use ndarray::ArrayD;

use super::{Expected, Sum};

/// dense: input (..., inputs), kernel (inputs, units), bias (units).
pub fn dense(input: &ArrayD<f64>, kernel: &ArrayD<f64>, bias: Option<&ArrayD<f64>>) -> Expected {
    let &[inputs, units] = kernel.shape() else { panic!("a dense kernel has 2 dimensions") };
    let (&last, leading) = input.shape().split_last().expect("a dense input has a last axis");
    assert_eq!(last, inputs, "the last axis is as long as the kernel's first");
    let rows: usize = leading.iter().product();
    let flat: Vec<f64> = input.iter().copied().collect();

    let mut value = Vec::with_capacity(rows * units);
    let mut bound = Vec::with_capacity(rows * units);
    for row in 0..rows {
        for unit in 0..units {
            let mut sum = Sum::default();
            for i in 0..inputs {
                sum.add(flat[row * inputs + i] * kernel[[i, unit]]);
            }
            if let Some(bias) = bias {
                sum.add(bias[[unit]]);
            }
            value.push(sum.value);
            bound.push(sum.bound());
        }
    }
    let mut shape = leading.to_vec();
    shape.push(units);
    let shaped = |values| ArrayD::from_shape_vec(shape.clone(), values).expect("rows times units");
    Expected { value: shaped(value), bound: shaped(bound) }
}
