//! Functions of two elements with NumPy's broadcasting: shapes are aligned at the end, a size of 1 is repeated.

use ndarray::{ArrayD, Dimension};

use super::{EPSILON, Expected, SMALLEST};

/// A function of two elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    Add,
    Multiply,
    Subtract,
    Divide,
    Power,
    Minimum,
    Maximum,
    PRelu,
    Fmod,
    Mod,
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
}

impl Operation {
    /// The exact value.
    pub fn value(self, a: f64, b: f64) -> f64 {
        let is_nan = a.is_nan() || b.is_nan();
        match self {
            Self::Add => a + b,
            Self::Multiply => a * b,
            Self::Subtract => a - b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
            Self::Minimum if is_nan => f64::NAN,
            Self::Minimum => a.min(b),
            Self::Maximum if is_nan => f64::NAN,
            Self::Maximum => a.max(b),
            Self::PRelu => {
                if a < 0.0 {
                    b * a
                } else {
                    a
                }
            }
            Self::Fmod => a % b,
            Self::Mod => {
                let rest = a % b;
                if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
            }
            Self::Equal => f64::from(a == b),
            Self::Greater => f64::from(a > b),
            Self::GreaterEqual => f64::from(a >= b),
            Self::Less => f64::from(a < b),
            Self::LessEqual => f64::from(a <= b),
            Self::LogicalAnd => f64::from(a != 0.0 && b != 0.0),
            Self::LogicalOr => f64::from(a != 0.0 || b != 0.0),
            Self::LogicalXor => f64::from((a != 0.0) != (b != 0.0)),
        }
    }

    /// How far f32 may be from the exact value; it may be flushed to zero where it is rounded.
    fn rounding(self, value: f64) -> f64 {
        match self {
            Self::Add | Self::Multiply | Self::Subtract | Self::PRelu | Self::Mod => {
                EPSILON * value.abs() + SMALLEST
            }
            Self::Divide => 3.0 * EPSILON * value.abs() + SMALLEST,
            Self::Power => 4.0 * EPSILON * value.abs() + SMALLEST,
            Self::Fmod => SMALLEST,
            _ => 0.0,
        }
    }
}

/// The sum of two arrays.
pub fn add(left: &ArrayD<f64>, right: &ArrayD<f64>) -> Expected {
    binary(Operation::Add, left, right)
}

/// The product of two arrays.
pub fn multiply(left: &ArrayD<f64>, right: &ArrayD<f64>) -> Expected {
    binary(Operation::Multiply, left, right)
}

/// A function of two arrays.
pub fn binary(operation: Operation, left: &ArrayD<f64>, right: &ArrayD<f64>) -> Expected {
    let shape = broadcast(left.shape(), right.shape());
    let mut result = Expected::zeros(&shape);
    for (index, value) in result.value.indexed_iter_mut() {
        let index = index.slice();
        *value = operation.value(element(left, index), element(right, index));
    }
    result.bound = result.value.mapv(|value| operation.rounding(value));
    result
}

pub(super) fn broadcast(left: &[usize], right: &[usize]) -> Vec<usize> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| {
        let missing = rank - shape.len();
        if axis < missing { 1 } else { shape[axis - missing] }
    };
    let mut shape = Vec::new();
    for axis in 0..rank {
        let (a, b) = (size(left, axis), size(right, axis));
        assert!(a == b || a == 1 || b == 1, "{left:?} and {right:?} do not broadcast");
        shape.push(if a == 1 { b } else { a });
    }
    shape
}

/// The element of a smaller array that stands at an index of the broadcast one.
pub(super) fn element(array: &ArrayD<f64>, index: &[usize]) -> f64 {
    let missing = index.len() - array.ndim();
    let own: Vec<usize> = (0..array.ndim())
        .map(|axis| if array.shape()[axis] == 1 { 0 } else { index[missing + axis] })
        .collect();
    array[own.as_slice()]
}
