//! Element-wise operators.

use super::{Holds, Inputs, JOINED, KEPT, Row, SHARES, TRUTH, inputs, row};
use crate::error::Result;
use crate::graph::Symbol;
use crate::import::onnx::importer::Importer;
use crate::import::onnx::node::Node;
use crate::import::onnx::numbers::{EXACT, Numbers};
use crate::import::onnx::value::Value;
use crate::ops::{BinaryOp, UnaryOp};

/// The greatest whole exponent of whole numbers.
const MOST_PRODUCTS: f64 = 32.0;

/// The numbers of the second and third input.
const CHOSEN: Holds = |importer, node, inputs, _| {
    Ok(importer.numbers(node, inputs, 1).or(importer.numbers(node, inputs, 2)))
};

/// The operators of this file.
pub(super) const ROWS: &[Row] = &[
    row("Clip", clip).inputs_since(11, 3).holds(clipped),
    row("Max", several).any_inputs().holds(JOINED),
    row("Mean", several).any_inputs(),
    row("Min", several).any_inputs().holds(JOINED),
    row("Sum", several).any_inputs().whole(added),
    row("Where", select).inputs(3).holds(CHOSEN),
];

/// Makes the row of a function of one operand.
pub(super) fn unary_row(op: &'static str) -> Row {
    let row = row(op, unary);
    match op {
        "Not" | "IsInf" | "IsNaN" => row.holds(TRUTH),
        "Floor" | "Ceil" | "Round" => {
            row.holds(|_, _, _, x| Ok(x.within(x.low.floor(), x.high.ceil())))
        }
        "Relu" => row.holds(|_, _, _, x| Ok(x.within(x.low.max(0.0), x.high.max(0.0)))),
        "Sigmoid" | "HardSigmoid" => row.holds(SHARES),
        "Abs" => row.whole(|_, _, _, x| Ok(x.magnitude())),
        "Neg" => row.whole(|_, _, _, x| Ok(x.negative())),
        "Sign" => {
            row.whole(|_, _, _, x| Ok(x.within(x.low.clamp(-1.0, 1.0), x.high.clamp(-1.0, 1.0))))
        }
        _ => row,
    }
}

/// Makes the row of a function of two operands.
pub(super) fn binary_row(op: &'static str) -> Row {
    let row = row(op, binary).inputs(2);
    match op {
        "And" | "Or" | "Xor" | "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => {
            row.holds(TRUTH)
        }
        "Add" => {
            row.whole(|importer, node, inputs, x| Ok(x.plus(importer.numbers(node, inputs, 1))))
        }
        "Sub" => row.whole(|importer, node, inputs, x| {
            Ok(x.plus(importer.numbers(node, inputs, 1).negative()))
        }),
        "Mul" => {
            row.whole(|importer, node, inputs, x| Ok(x.times(importer.numbers(node, inputs, 1))))
        }
        "PRelu" => row.whole(|importer, node, inputs, x| {
            Ok(x.or(x.times(importer.numbers(node, inputs, 1))))
        }),
        "Div" => row.whole(divided),
        "Mod" => row.whole(remaining),
        // It is made of products, which are looked at one by one.
        "Pow" => row.whole(KEPT),
        _ => row,
    }
}

fn divided(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let by = importer.numbers(node, inputs, 1);
    // A device divides to 2.5 units in the last place.
    let most = (x.size() / by.least()).floor();
    if most > EXACT / 8.0 {
        return Err(importer.beyond(node, x.within(-most, most), EXACT / 8.0));
    }
    let least = if x.low >= 0.0 && by.low >= 0.0 { 0.0 } else { -most };
    Ok(x.within(least, most))
}

fn remaining(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let by = importer.numbers(node, inputs, 1);
    let most = x.size().max(by.size());
    importer.check_exact(node, x.within(-most, most))?;
    let has_sign_of = if node.flag("fmod", false)? { x } else { by };
    let size = (by.size() - 1.0).max(0.0);
    let [low, high] = [has_sign_of.low, has_sign_of.high];
    Ok(x.within(if low < 0.0 { -size } else { 0.0 }, if high > 0.0 { size } else { 0.0 }))
}

/// A sum, of which every partial one is within what f32 holds.
fn added(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let rest = 1..inputs.len();
    let [sum, sizes] = rest.fold([x, x.within(0.0, x.size())], |[sum, sizes], number| {
        let next = importer.numbers(node, inputs, number);
        [sum.plus(next), sizes.plus(next.within(0.0, next.size()))]
    });
    importer.check_exact(node, sizes)?;
    Ok(sum)
}

fn clipped(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    x: Numbers,
) -> Result<Numbers> {
    let [low, high] = if node.opset < 11 {
        let bounds = [node.float("min", f32::MIN)?, node.float("max", f32::MAX)?];
        bounds.map(|bound| x.within(bound.into(), bound.into()))
    } else {
        [(1, f64::NEG_INFINITY), (2, f64::INFINITY)].map(|(number, open)| {
            let given = inputs::optional(inputs, number).is_some();
            if given { importer.numbers(node, inputs, number) } else { x.within(open, open) }
        })
    };
    let least = x.low.max(low.low).min(high.low);
    Ok(x.within(least, x.high.max(low.high).min(high.high)))
}

pub(super) fn unary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    let function = match node.op() {
        // The two forms of gelu are one operator.
        "Gelu" => match node.text("approximate", "none")?.as_str() {
            "none" => Some(UnaryOp::Gelu),
            "tanh" => Some(UnaryOp::GeluTanh),
            other => return Err(node.unsupported(&format!("approximate = \"{other}\""))),
        },
        "IsInf" => Some(UnaryOp::IsInf {
            positive: node.flag("detect_positive", true)?,
            negative: node.flag("detect_negative", true)?,
        }),
        name => UnaryOp::import(name, &|constant, default| node.float(constant, default))?,
    };
    let function = function.ok_or_else(|| node.unsupported("the operator"))?;
    Ok(vec![importer.graph.activation(x, function)?.into()])
}

pub(super) fn binary(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
) -> Result<Vec<Value>> {
    let numbers = importer.numbers(node, inputs, 0);
    if numbers.is_whole() {
        match node.op() {
            "Div" => return quotient(importer, node, inputs),
            "Pow" => return power(importer, node, inputs, numbers),
            "Mul" => {
                let left = (inputs::symbol(importer, node, inputs, 0)?, numbers);
                let of_right = importer.numbers(node, inputs, 1);
                let right = (inputs::symbol(importer, node, inputs, 1)?, of_right);
                let range = numbers.times(of_right);
                let (product, made) = importer.multiplied(node, left, right, range)?;
                importer.made = made;
                return Ok(vec![product.into()]);
            }
            "Mod" if !node.flag("fmod", false)? => {
                let left = inputs::symbol(importer, node, inputs, 0)?;
                let right = inputs::symbol(importer, node, inputs, 1)?;
                return Ok(vec![importer.graph.binary(BinaryOp::Mod, left, right)?.into()]);
            }
            _ => {}
        }
    }
    let (left, right) =
        (inputs::symbol(importer, node, inputs, 0)?, inputs::symbol(importer, node, inputs, 1)?);
    if node.op() == "Mod" && !node.flag("fmod", false)? {
        return Err(node.unsupported("fmod = 0 on floating-point values"));
    }
    let operation = BinaryOp::import(node.op()).ok_or_else(|| node.unsupported("the operator"))?;
    Ok(vec![importer.graph.binary(operation, left, right)?.into()])
}

/// Divides whole numbers, rounding toward zero: of what is left without the remainder, which is
/// exact, the nearest whole number is the quotient, however a device rounds it.
fn quotient(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let left = inputs::symbol(importer, node, inputs, 0)?;
    let right = inputs::symbol(importer, node, inputs, 1)?;
    let graph = &mut importer.graph;
    let rest = graph.binary(BinaryOp::Fmod, left, right)?;
    let multiple = graph.binary(BinaryOp::Subtract, left, rest)?;
    let near = graph.binary(BinaryOp::Divide, multiple, right)?;
    Ok(vec![graph.activation(near, UnaryOp::Round)?.into()])
}

/// Whole powers as products, each of which wraps as its type says.
fn power(
    importer: &mut Importer<'_>,
    node: &Node<'_>,
    inputs: &Inputs,
    numbers: Numbers,
) -> Result<Vec<Value>> {
    let x = inputs::symbol(importer, node, inputs, 0)?;
    if matches!(inputs::required(node, inputs, 1)?, Value::Symbol(_)) {
        return Err(node.unsupported("a computed exponent of whole numbers"));
    }
    let exponents = inputs::known(node, inputs, 1)?;
    let exponents = exponents.iter().flat_map(|known| known.values.iter().copied());
    let exponents: Vec<f64> = exponents.collect();
    let Some(&exponent) = exponents.first() else {
        return Err(node.unsupported("an empty exponent of whole numbers"));
    };
    let is_one = exponents.iter().all(|other| other.to_bits() == exponent.to_bits());
    let right = inputs::shape(importer, inputs::required(node, inputs, 1)?);
    let shape = importer.shape(x);
    let fits = right.len() <= shape.len()
        && right.iter().rev().zip(shape.iter().rev()).all(|(&of, &length)| of == 1 || of == length);
    if !is_one || !fits || exponent.fract() != 0.0 || exponent.abs() > MOST_PRODUCTS {
        return Err(
            node.unsupported("other than one whole exponent from -32 to 32 for whole numbers")
        );
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 32")]
    let size = exponent.abs() as u32;
    if exponent < 0.0 {
        let result = inverse(importer, x, size)?;
        importer.made = numbers.within(numbers.low.clamp(-1.0, 0.0), 1.0);
        return Ok(vec![result.into()]);
    }
    if size == 0 {
        importer.made = numbers.within(1.0, 1.0);
        let one = importer.graph.activation(x, UnaryOp::Affine { scale: 0.0, offset: 1.0 })?;
        return Ok(vec![one.into()]);
    }
    let base = (x, numbers);
    let mut made = base;
    for exponent in 2..=size {
        // Exact, unless an earlier product may have wrapped.
        let range = made.1.times(numbers);
        let exact = numbers.power(exponent);
        let range = if exact.fits() { exact } else { range };
        made = importer.multiplied(node, made, base, range)?;
    }
    importer.made = made.1;
    Ok(vec![made.0.into()])
}

/// A negative power: 1 of 1, 1 or -1 of -1, and 0 of all other numbers, 0 too.
fn inverse(importer: &mut Importer<'_>, x: Symbol, size: u32) -> Result<Symbol> {
    let graph = &mut importer.graph;
    let mut is = |number: f32| {
        let beside = graph.activation(x, UnaryOp::Affine { scale: 1.0, offset: -number })?;
        graph.activation(beside, UnaryOp::LogicalNot)
    };
    let (positive, negative) = (is(1.0)?, is(-1.0)?);
    let join = if size.is_multiple_of(2) { BinaryOp::Add } else { BinaryOp::Subtract };
    graph.binary(join, positive, negative)
}

fn several(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let mut symbols = Vec::with_capacity(inputs.len());
    for number in 0..inputs.len() {
        symbols.push(inputs::symbol(importer, node, inputs, number)?);
    }
    let graph = &mut importer.graph;
    let result = match node.op() {
        "Max" => graph.max(&symbols)?,
        "Mean" => graph.mean(&symbols)?,
        "Min" => graph.min(&symbols)?,
        _ => graph.sum(&symbols)?,
    };
    Ok(vec![result.into()])
}

fn clip(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let mut x = inputs::symbol(importer, node, inputs, 0)?;
    let is_computed = |number| matches!(inputs::optional(inputs, number), Some(Value::Symbol(_)));
    if is_computed(1) || is_computed(2) {
        // ONNX gives the maximum where the two are crossed, so it comes last.
        for (number, operation) in [(1, BinaryOp::Maximum), (2, BinaryOp::Minimum)] {
            if inputs::optional(inputs, number).is_some() {
                let bound = inputs::symbol(importer, node, inputs, number)?;
                x = importer.graph.binary(operation, x, bound)?;
            }
        }
        return Ok(vec![x.into()]);
    }
    let (lowest, highest) = if node.opset < 11 {
        (node.float("min", f32::MIN)?, node.float("max", f32::MAX)?)
    } else {
        let lowest = inputs::number(node, inputs, 1)?.unwrap_or(f32::NEG_INFINITY);
        (lowest, inputs::number(node, inputs, 2)?.unwrap_or(f32::INFINITY))
    };
    // ONNX gives the maximum where the two are crossed. NaN stays one, and is refused.
    let min = if lowest > highest { highest } else { lowest };
    let clip = UnaryOp::Clip { min, max: highest };
    Ok(vec![importer.graph.activation(x, clip)?.into()])
}

fn select(importer: &mut Importer<'_>, node: &Node<'_>, inputs: &Inputs) -> Result<Vec<Value>> {
    let condition = inputs::symbol(importer, node, inputs, 0)?;
    let yes = inputs::symbol(importer, node, inputs, 1)?;
    let no = inputs::symbol(importer, node, inputs, 2)?;
    Ok(vec![importer.graph.select(condition, yes, no)?.into()])
}
