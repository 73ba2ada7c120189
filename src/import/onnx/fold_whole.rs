//! Whole numbers that are known while importing: they wrap and truncate as their type says.

use super::node::Node;
use super::numbers::limits;
use super::value::{Kind, Known};
use crate::array::DType;
use crate::error::Result;

/// The greatest number up to which f64 holds every whole one: 2^53.
const EXACT: i128 = 1 << 53;

/// Tells whether an operator computes new whole numbers of two.
pub(super) fn computes(op: &str) -> bool {
    matches!(op, "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Pow" | "ReduceSum" | "ReduceProd")
}

/// Computes a number of two.
///
/// # Errors
///
/// What the operator or f64 has no whole number for.
pub(super) fn binary(node: &Node<'_>, dtype: DType, a: f64, b: f64) -> Result<f64> {
    let [x, y] = [a, b].map(|value| whole(dtype, value));
    let result = match node.op() {
        "Add" | "ReduceSum" => x.checked_add(y),
        "Sub" => x.checked_sub(y),
        "Mul" | "ReduceProd" => x.checked_mul(y),
        "Div" => x.checked_div(y),
        "Mod" if node.int("fmod", 0)? == 1 => x.checked_rem(y),
        // The sign of the divisor, as in Python.
        "Mod" => x.checked_rem(y).and_then(|rest| {
            if rest != 0 && (rest < 0) != (y < 0) { rest.checked_add(y) } else { Some(rest) }
        }),
        _ => power(dtype, x, y),
    };
    let Some(result) = result else {
        let expected = "it must be a whole number".to_owned();
        return Err(node.refuse("the result", "has none".to_owned(), expected));
    };
    settle(node, dtype, x.abs().max(y.abs()), result)
}

/// Computes the negative or the magnitude of a number.
pub(super) fn unary(node: &Node<'_>, dtype: DType, value: f64) -> Result<f64> {
    let x = whole(dtype, value);
    settle(node, dtype, x.abs(), if node.op() == "Neg" { -x } else { x.abs() })
}

/// Reads a number; the greatest of 64 bits stand for themselves.
fn whole(dtype: DType, value: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers, saturating")]
    let value = value as i128;
    match dtype {
        DType::I64 => value.clamp(i64::MIN.into(), i64::MAX.into()),
        DType::U64 => value.clamp(0, u64::MAX.into()),
        _ => value,
    }
}

/// A whole power, rounded toward zero where the exponent is negative.
fn power(dtype: DType, x: i128, y: i128) -> Option<i128> {
    if y < 0 {
        return match x {
            0 => None,
            1 => Some(1),
            -1 => Some(if y % 2 == 0 { 1 } else { -1 }),
            _ => Some(0),
        };
    }
    let y = u32::try_from(y).ok()?;
    // 2^128 is a multiple of what narrower types wrap by.
    if bits(dtype) < 64 { Some(x.wrapping_pow(y)) } else { x.checked_pow(y) }
}

fn bits(dtype: DType) -> u32 {
    u32::try_from(dtype.size_bytes()).unwrap_or(0).saturating_mul(8)
}

/// Wraps a number as its type says; what f64 does not hold is refused.
fn settle(node: &Node<'_>, dtype: DType, operands: i128, result: i128) -> Result<f64> {
    let (low, high) = limits(dtype);
    let width = bits(dtype);
    if dtype != DType::Bool && width < 64 {
        let turn = 1i128 << width;
        let rest = result.rem_euclid(turn);
        let rest = if low < 0.0 && rest >= turn / 2 { rest - turn } else { rest } as f64;
        return Ok(rest);
    }
    let value = result as f64;
    // Numbers beyond are known in about, which is enough for "to the end" alone.
    let is_about = operands > EXACT && result.abs() <= EXACT;
    if is_about || value < low || value > high {
        let expected = format!("{dtype} is computed with up to 2^53 while importing");
        return Err(node.refuse("the result", format!("is {result}"), expected));
    }
    Ok(value)
}

/// Makes numbers of another type of them.
///
/// # Errors
///
/// For floats that the type has no number for: each runtime makes another one of them.
pub(super) fn cast(node: &Node<'_>, x: &Known, to: DType) -> Result<Known> {
    let (low, high) = limits(to);
    let values = match to {
        DType::Bool => return Ok(Known::new(x.values.clone(), Kind::Bool)),
        DType::F32 | DType::F64 => return Ok(Known::new(x.values.clone(), Kind::Float)),
        DType::F16 => {
            let halved = x.values.mapv(|value| half::f16::from_f64(value).to_f64());
            return Ok(Known::new(halved, Kind::Float));
        }
        _ if x.kind == Kind::Float => x.values.mapv(f64::trunc),
        _ => {
            let mut failed = None;
            let values = x.values.mapv(|value| {
                settle(node, to, whole(DType::I64, value).abs(), whole(to, value)).unwrap_or_else(
                    |error| {
                        failed = Some(error);
                        0.0
                    },
                )
            });
            return match failed {
                None => Ok(Known { values, kind: Kind::Int(to) }),
                Some(error) => Err(error),
            };
        }
    };
    // The greatest of 64 bits are rounded up to what these do not hold.
    let is_held = |value: f64| value >= low && value <= high && value < 9.3e18;
    match values.iter().find(|&&value| !is_held(value)) {
        None => Ok(Known { values, kind: Kind::Int(to) }),
        Some(value) => {
            let got = format!("has {value}");
            Err(node.refuse("input 0", got, format!("{to} holds numbers from {low} to {high}")))
        }
    }
}
