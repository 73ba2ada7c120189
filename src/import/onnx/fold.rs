//! Arithmetic on values that are known while importing: shapes, axes, indices, scales.
//!
//! Models compute them with the same operators as data. Each function follows ONNX's rule for
//! its operator on small arrays; what is not handled here is left to the network.

use std::cell::RefCell;

use ndarray::{ArrayD, IxDyn, Zip};

use super::node::Node;
use super::value::{Kind, Known, SMALL};
use super::{fold_shape, fold_whole, tensor};
use crate::array::DType;
use crate::error::Result;

/// The inputs of a node, known or left out.
pub(super) type Inputs<'a> = [Option<&'a Known>];

/// Computes a node whose inputs are all known, if it is an operator of shape arithmetic.
///
/// Returns nothing where the network must compute it.
///
/// # Errors
///
/// What the operator refuses: an axis that is not there, an index out of range.
pub(super) fn fold(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Vec<Known>>> {
    let elements: usize = inputs.iter().flatten().map(|known| known.values.len()).sum();
    let Some(&Some(first)) = inputs.first() else { return Ok(None) };
    // An array without elements may have axes of any length.
    let is_long = |known: &&Known| known.values.shape().iter().any(|&length| length > SMALL);
    if elements > SMALL || inputs.iter().flatten().any(is_long) {
        return Ok(None);
    }
    if let Some(known) = unary(node, first)? {
        return Ok(Some(vec![known]));
    }
    let known = match node.op() {
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" | "Min" | "Max" | "Equal" | "Greater"
        | "Less" | "GreaterOrEqual" | "LessOrEqual" | "And" | "Or" => binary(node, inputs)?,
        "Where" => select(node, inputs)?,
        "Range" => range(node, inputs)?,
        "Gather" => fold_shape::gather(node, inputs)?,
        "Concat" => fold_shape::concat(node, inputs)?,
        "Slice" => fold_shape::slice(node, inputs)?,
        "Squeeze" | "Unsqueeze" | "Reshape" | "Flatten" => fold_shape::reshape(node, inputs)?,
        "Transpose" => fold_shape::transpose(node, first)?,
        "Expand" => fold_shape::expand(node, inputs)?,
        "ReduceProd" | "ReduceSum" | "ReduceMax" | "ReduceMin" => reduce(node, inputs)?,
        "Split" => return fold_shape::split(node, inputs),
        _ => None,
    };
    Ok(known.map(|known| vec![known]))
}

fn unary(node: &Node<'_>, x: &Known) -> Result<Option<Known>> {
    if let (Kind::Int(dtype), "Neg" | "Abs") = (x.kind, node.op()) {
        return each(x, |value| fold_whole::unary(node, dtype, value)).map(Some);
    }
    let function: fn(f64) -> f64 = match node.op() {
        "Identity" => |v| v,
        "Neg" => |v| -v,
        "Abs" => f64::abs,
        "Floor" => f64::floor,
        "Ceil" => f64::ceil,
        "Round" => f64::round_ties_even,
        "Sqrt" => f64::sqrt,
        "Reciprocal" => f64::recip,
        "Cast" => return fold_whole::cast(node, x, cast_target(node)?).map(Some),
        "Not" => {
            let not = x.values.mapv(|v| f64::from(u8::from(v == 0.0)));
            return Ok(Some(Known::new(not, Kind::Bool)));
        }
        "Shape" => return Ok(Some(fold_shape::shape(node, x.values.shape())?)),
        "Size" => return Ok(Some(Known::scalar(x.values.len()))),
        "NonZero" if x.values.ndim() == 1 => {
            let places = x.values.iter().enumerate().filter(|(_, value)| **value != 0.0);
            let places = Known::ints(places.map(|(index, _)| index));
            return Ok(places.with_shape(&[1, places.values.len()]));
        }
        _ => return Ok(None),
    };
    Ok(Some(Known::new(x.values.mapv(function), x.kind)))
}

/// Computes each number of an array.
fn each(x: &Known, function: impl Fn(f64) -> Result<f64>) -> Result<Known> {
    let values = x.values.iter().map(|&value| function(value)).collect::<Result<Vec<f64>>>()?;
    let values = ArrayD::from_shape_vec(x.values.raw_dim(), values);
    // As many as there were.
    Ok(Known { values: values.unwrap_or_else(|_| x.values.clone()), kind: x.kind })
}

/// Returns the type that a Cast gives.
pub(super) fn cast_target(node: &Node<'_>) -> Result<DType> {
    // Both speak of 8-bit floats alone.
    node.int("saturate", 1)?;
    node.text("round_mode", "up")?;
    let to = fold_shape::needed(node, "to", node.optional_int("to")?)?;
    let to = i32::try_from(to).map_err(|_| node.unsupported("a cast to this type"))?;
    tensor::dtype(to).map_err(|name| node.unsupported(&format!("a cast to {name}")))
}

fn binary(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let Some(known) = inputs.iter().copied().collect::<Option<Vec<&Known>>>() else {
        return Ok(None);
    };
    let Some((first, rest)) = known.split_first() else { return Ok(None) };
    let Some((function, is_logical)) = function(node, first.kind)? else { return Ok(None) };
    // A power alone may have an exponent of another type.
    if node.op() != "Pow" {
        fold_shape::same_kinds(node, &known)?;
    }
    let mut values = first.values.clone();
    for other in rest {
        if let Kind::Int(dtype) = first.kind
            && fold_whole::computes(node.op())
            && other.values.iter().all(|value| value.fract() == 0.0)
        {
            let Some(combined) = whole(node, dtype, &values, &other.values)? else {
                return Ok(None);
            };
            values = combined;
            continue;
        }
        let Some(combined) = zip(&values, &other.values, function) else { return Ok(None) };
        if matches!(first.kind, Kind::Int(_)) && combined.iter().any(|value| !value.is_finite()) {
            let expected = "it must be a whole number".to_owned();
            return Err(node.refuse("the result", "has none".to_owned(), expected));
        }
        values = Known::new(combined, first.kind).values;
    }
    Ok(Some(Known::new(values, if is_logical { Kind::Bool } else { first.kind })))
}

type Function = fn(f64, f64) -> f64;

/// Returns the function of two numbers that an operator applies, and whether it gives truth.
fn function(node: &Node<'_>, kind: Kind) -> Result<Option<(Function, bool)>> {
    let arithmetic: Function = match node.op() {
        "Add" => |a, b| a + b,
        "Sub" => |a, b| a - b,
        "Mul" => |a, b| a * b,
        // Whole numbers divide towards zero: `Known::new` drops the fraction.
        "Div" => |a, b| a / b,
        "Mod" if node.int("fmod", 0)? == 1 => |a, b| a % b,
        // The sign of the divisor, as in Python.
        "Mod" if matches!(kind, Kind::Int(_)) => |a, b| a - b * (a / b).floor(),
        "Pow" => f64::powf,
        "Min" => |a, b| if a.is_nan() || a < b { a } else { b },
        "Max" => |a, b| if a.is_nan() || a > b { a } else { b },
        _ => return Ok(logical(node.op()).map(|function| (function, true))),
    };
    Ok(Some((arithmetic, false)))
}

#[expect(clippy::float_cmp, reason = "ONNX's Equal compares exactly")]
fn logical(op: &str) -> Option<Function> {
    Some(match op {
        "Equal" => |a, b| f64::from(u8::from(a == b)),
        "Greater" => |a, b| f64::from(u8::from(a > b)),
        "Less" => |a, b| f64::from(u8::from(a < b)),
        "GreaterOrEqual" => |a, b| f64::from(u8::from(a >= b)),
        "LessOrEqual" => |a, b| f64::from(u8::from(a <= b)),
        "And" => |a, b| f64::from(u8::from(a != 0.0 && b != 0.0)),
        "Or" => |a, b| f64::from(u8::from(a != 0.0 || b != 0.0)),
        _ => return None,
    })
}

/// Combines two arrays of whole numbers.
fn whole(
    node: &Node<'_>,
    dtype: DType,
    a: &ArrayD<f64>,
    b: &ArrayD<f64>,
) -> Result<Option<ArrayD<f64>>> {
    let failed = RefCell::new(None);
    let function = |a: f64, b: f64| {
        fold_whole::binary(node, dtype, a, b).unwrap_or_else(|error| {
            failed.borrow_mut().get_or_insert(error);
            0.0
        })
    };
    let combined = zip(a, b, function);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(combined),
    }
}

/// Combines two arrays element by element, broadcasting as NumPy does.
fn zip(
    a: &ArrayD<f64>,
    b: &ArrayD<f64>,
    function: impl Fn(f64, f64) -> f64,
) -> Option<ArrayD<f64>> {
    let shape = broadcast_shape(a.shape(), b.shape())?;
    let (a, b) = (a.broadcast(IxDyn(&shape))?, b.broadcast(IxDyn(&shape))?);
    Some(Zip::from(&a).and(&b).map_collect(|&a, &b| function(a, b)))
}

/// Broadcasts two shapes, as long as the result stays small.
pub(super) fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |inside| shape[inside])
    };
    let mut elements = 1usize;
    (0..rank)
        .map(|axis| {
            let length = match (at(a, axis), at(b, axis)) {
                (one, other) if one == other => one,
                (1, other) => other,
                (one, 1) => one,
                _ => return None,
            };
            elements = elements.checked_mul(length).filter(|&elements| elements <= SMALL)?;
            Some(length)
        })
        .collect()
}

fn select(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let &[Some(condition), Some(yes), Some(no)] = inputs else { return Ok(None) };
    fold_shape::same_kinds(node, &[yes, no])?;
    Ok(chosen(condition, yes, no))
}

fn chosen(condition: &Known, yes: &Known, no: &Known) -> Option<Known> {
    let shape = broadcast_shape(condition.values.shape(), yes.values.shape())?;
    let shape = broadcast_shape(&shape, no.values.shape())?;
    let shape = IxDyn(&shape);
    let condition = condition.values.broadcast(shape.clone())?;
    let (chosen, other) = (yes.values.broadcast(shape.clone())?, no.values.broadcast(shape)?);
    let values = Zip::from(&condition)
        .and(&chosen)
        .and(&other)
        .map_collect(|&condition, &yes, &no| if condition == 0.0 { no } else { yes });
    Some(Known::new(values, yes.kind))
}

fn range(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let &[Some(start), Some(limit), Some(delta)] = inputs else { return Ok(None) };
    fold_shape::same_kinds(node, &[start, limit, delta])?;
    let scalar = |known: &Known| match known.values.len() {
        1 => Ok(known.values.iter().copied().sum::<f64>()),
        count => Err(node.refuse("inputs", format!("have {count}"), "one number each".to_owned())),
    };
    let (first, limit, step) = (scalar(start)?, scalar(limit)?, scalar(delta)?);
    let count = ((limit - first) / step).ceil();
    // NaN and infinity (a step of 0) are no count either.
    if count.is_nan() || count > SMALL as f64 {
        return Ok(None);
    }
    let count = count.max(0.0);
    let mut values = Vec::new();
    while (values.len() as f64) < count {
        values.push(first + values.len() as f64 * step);
    }
    Ok(Some(Known::new(ndarray::Array1::from_vec(values).into_dyn(), start.kind)))
}

/// Reduces over axes that an attribute or, in newer versions, an input gives.
fn reduce(node: &Node<'_>, inputs: &Inputs<'_>) -> Result<Option<Known>> {
    let &[Some(x), ..] = inputs else { return Ok(None) };
    let keep = node.flag("keepdims", true)?;
    let noop = node.flag("noop_with_empty_axes", false)?;
    let given = node.ints("axes")?;
    let given = match given {
        Some(axes) => Some(axes),
        None => fold_shape::whole_input(node, inputs, 1, "axes")?,
    };
    let rank = x.values.ndim();
    let axes = match given {
        Some(axes) if !axes.is_empty() => fold_shape::axes(node, &axes, rank)?,
        _ if noop => return Ok(Some(x.clone())),
        _ => (0..rank).collect(),
    };
    let (start, function): (f64, Function) = match node.op() {
        "ReduceProd" => (1.0, |a, b| a * b),
        "ReduceSum" => (0.0, |a, b| a + b),
        "ReduceMax" => (f64::NEG_INFINITY, |a, b| if a.is_nan() || a > b { a } else { b }),
        _ => (f64::INFINITY, |a, b| if a.is_nan() || a < b { a } else { b }),
    };
    if x.values.is_empty() {
        return Ok(reduced_nothing(x, &axes, keep, start));
    }
    let mut values = x.values.clone();
    for axis in (0..rank).rev().filter(|axis| axes.contains(axis)) {
        values = match x.kind {
            Kind::Int(dtype) if fold_whole::computes(node.op()) => {
                whole_reduced(node, dtype, &values, ndarray::Axis(axis), start)?
            }
            _ => values.fold_axis(ndarray::Axis(axis), start, |&a, &b| function(a, b)),
        };
        if keep {
            values.insert_axis_inplace(ndarray::Axis(axis));
        }
    }
    Ok(Some(Known::new(values, x.kind)))
}

/// Reduces whole numbers along an axis.
fn whole_reduced(
    node: &Node<'_>,
    dtype: DType,
    values: &ArrayD<f64>,
    axis: ndarray::Axis,
    start: f64,
) -> Result<ArrayD<f64>> {
    let mut failed = None;
    let reduced = values.fold_axis(axis, start, |&a, &b| {
        fold_whole::binary(node, dtype, a, b).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            0.0
        })
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(reduced),
    }
}

/// Reduces an array without elements: what is left of its axes may be more than is small.
fn reduced_nothing(x: &Known, axes: &[usize], keep: bool, start: f64) -> Option<Known> {
    let lengths = x.values.shape().iter().enumerate();
    let left: Vec<usize> = lengths
        .filter_map(
            |(axis, &length)| if axes.contains(&axis) { keep.then_some(1) } else { Some(length) },
        )
        .collect();
    let mut sizes = left.iter().filter(|&&length| length > 0);
    let size = sizes.try_fold(1usize, |size, &length| size.checked_mul(length));
    let is_small = left.contains(&0) || size.is_some_and(|size| size <= SMALL);
    is_small.then(|| Known::new(ArrayD::from_elem(IxDyn(&left), start), x.kind))
}
