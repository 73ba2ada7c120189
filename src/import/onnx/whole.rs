//! Whole numbers and truth values that a network computes.
//!
//! On the device they are f32, which holds whole numbers up to 2^24. For each operator the range
//! of its results follows from those of its operands: what stays within is computed as it is,
//! what leaves a type of 8 or 16 bits is wrapped, and what may be inexact is refused.

use std::sync::Arc;

use super::importer::Importer;
use super::node::Node;
use super::numbers::{EXACT, Numbers, limits, narrow};
use super::ops::{Inputs, inputs};
use super::value::{SMALL, Value};
use crate::array::DType;
use crate::error::{Error, Result};
use crate::graph::Symbol;
use crate::ops::{BinaryOp, UnaryOp};

const UNSUPPORTED: &str = "a result in whole numbers";

impl Importer<'_> {
    /// Returns what is known of an input's elements.
    pub(super) fn numbers(&mut self, node: &Node<'_>, inputs: &Inputs, number: usize) -> Numbers {
        let name = node.input(number).unwrap_or_default();
        if let Some(numbers) = self.numbers.get(name) {
            return *numbers;
        }
        let found = match inputs.get(number) {
            // One array may have any number of names. What is named is kept, and its address with it.
            Some(Some(Value::Known(known))) => {
                let numbers = || Numbers::known(known.kind.dtype(), &known.values);
                *self.looked_through.entry(Arc::as_ptr(known).addr()).or_insert_with(numbers)
            }
            Some(Some(Value::Weight(weight))) => match weight.host() {
                Some(array) if array.len() <= SMALL => {
                    Numbers::known(array.dtype(), &array.to_f64())
                }
                Some(array) => Numbers::of(array.dtype()),
                None => Numbers::of(DType::F32),
            },
            _ => return Numbers::of(DType::F32),
        };
        // Looked through once, however many nodes take it.
        self.numbers.insert(name.to_owned(), found);
        found
    }

    /// Returns what a node's first output will hold, before it wraps.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for operators that have no whole results here, and
    /// [`Error::Operand`] for what may be inexact on the way.
    pub(super) fn outcome(&mut self, node: &Node<'_>, inputs: &Inputs) -> Result<Numbers> {
        let x = self.numbers(node, inputs, usize::from(node.op() == "Where"));
        match node.op() {
            "And" | "Equal" | "Greater" | "GreaterOrEqual" | "IsInf" | "IsNaN" | "Less"
            | "LessOrEqual" | "Not" | "Or" | "Xor" => Ok(Numbers::of(DType::Bool)),
            "ArgMax" | "ArgMin" => Ok(self.position(inputs)),
            // What they make is known.
            "Constant" | "ConstantOfShape" | "Range" | "Shape" | "Size" => {
                Ok(Numbers::of(DType::F32))
            }
            "Clip" => self.clipped(node, inputs, x),
            "Floor" | "Ceil" | "Round" => Ok(x.within(x.low.floor(), x.high.ceil())),
            "Relu" => Ok(x.within(x.low.max(0.0), x.high.max(0.0))),
            // Casts say themselves what they make.
            "Cast" | "CastLike" | "DepthToSpace" | "Dropout" | "Expand" | "Flatten" | "Gather"
            | "GlobalMaxPool" | "Identity" | "MaxPool" | "Reshape" | "Slice" | "SpaceToDepth"
            | "Split" | "Squeeze" | "Tile" | "TopK" | "Transpose" | "Unsqueeze" => Ok(x),
            "Concat" | "Max" | "Min" => {
                Ok((1..inputs.len())
                    .fold(x, |all, number| all.or(self.numbers(node, inputs, number))))
            }
            "Where" => Ok(x.or(self.numbers(node, inputs, 2))),
            "HardSigmoid" | "Hardmax" | "Sigmoid" | "Softmax" if !x.is_whole() => {
                Ok(x.within(0.0, 1.0))
            }
            _ if !x.is_whole() => Ok(Numbers::of(x.dtype)),
            _ => self.whole_outcome(node, inputs, x),
        }
    }

    /// As [`Importer::outcome`], for an operator whose first operand is of whole numbers.
    fn whole_outcome(&mut self, node: &Node<'_>, inputs: &Inputs, x: Numbers) -> Result<Numbers> {
        match node.op() {
            "Abs" => Ok(x.magnitude()),
            "Neg" => Ok(x.negative()),
            "Sign" => Ok(x.within(x.low.clamp(-1.0, 1.0), x.high.clamp(-1.0, 1.0))),
            "Add" => Ok(x.plus(self.numbers(node, inputs, 1))),
            "Sub" => Ok(x.plus(self.numbers(node, inputs, 1).negative())),
            "Mul" => Ok(x.times(self.numbers(node, inputs, 1))),
            "PRelu" => Ok(x.or(x.times(self.numbers(node, inputs, 1)))),
            "Sum" => {
                let rest = 1..inputs.len();
                let sum = rest.fold([x, x.within(0.0, x.size())], |[sum, sizes], number| {
                    let next = self.numbers(node, inputs, number);
                    [sum.plus(next), sizes.plus(next.within(0.0, next.size()))]
                });
                self.check_exact(node, sum[1])?;
                Ok(sum[0])
            }
            "Div" => {
                let by = self.numbers(node, inputs, 1);
                // A device divides to 2.5 units in the last place.
                let most = (x.size() / by.least()).floor();
                if most > EXACT / 8.0 {
                    return Err(self.beyond(node, x.within(-most, most), EXACT / 8.0));
                }
                let least = if x.low >= 0.0 && by.low >= 0.0 { 0.0 } else { -most };
                Ok(x.within(least, most))
            }
            "Mod" => {
                let by = self.numbers(node, inputs, 1);
                let most = x.size().max(by.size());
                self.check_exact(node, x.within(-most, most))?;
                let has_sign_of = if node.flag("fmod", false)? { x } else { by };
                let size = (by.size() - 1.0).max(0.0);
                let [low, high] = [has_sign_of.low, has_sign_of.high];
                Ok(x.within(
                    if low < 0.0 { -size } else { 0.0 },
                    if high > 0.0 { size } else { 0.0 },
                ))
            }
            // It is made of products, which are looked at one by one.
            "Pow" => Ok(x),
            "MatMul" | "Gemm" => self.product(node, inputs, x),
            "CumSum" | "ReduceL1" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceSum"
            | "ReduceSumSquare" => self.reduced(node, inputs, x),
            "CenterCropPad" | "GridSample" | "Pad" | "Resize" | "Upsample" => {
                self.placed(node, inputs, x)
            }
            _ => Err(node.unsupported(UNSUPPORTED)),
        }
    }

    /// Elements that stay as they are, beside others that fill what is left.
    fn placed(&mut self, node: &Node<'_>, inputs: &Inputs, x: Numbers) -> Result<Numbers> {
        let default = if node.op() == "GridSample" { "linear" } else { "nearest" };
        let samples = matches!(node.op(), "GridSample" | "Resize" | "Upsample");
        if samples && node.text("mode", default)? != "nearest" {
            return Err(node.unsupported(UNSUPPORTED));
        }
        let fill = match node.op() {
            "Pad" if node.opset < 11 => node.float("value", 0.0)?.into(),
            "Pad" if inputs::optional(inputs, 2).is_some() => {
                let fill = self.numbers(node, inputs, 2);
                return Ok(x.or(fill));
            }
            "Resize" if node.opset > 10 => node.float("extrapolation_value", 0.0)?.into(),
            _ => 0.0f64,
        };
        if fill.fract() != 0.0 {
            return Err(node.unsupported(&format!("{fill} among whole numbers")));
        }
        Ok(x.or(x.within(fill, fill)))
    }

    fn clipped(&mut self, node: &Node<'_>, inputs: &Inputs, x: Numbers) -> Result<Numbers> {
        let [low, high] = if node.opset < 11 {
            let bounds = [node.float("min", f32::MIN)?, node.float("max", f32::MAX)?];
            bounds.map(|bound| x.within(bound.into(), bound.into()))
        } else {
            [(1, f64::NEG_INFINITY), (2, f64::INFINITY)].map(|(number, open)| {
                let given = inputs::optional(inputs, number).is_some();
                if given { self.numbers(node, inputs, number) } else { x.within(open, open) }
            })
        };
        let least = x.low.max(low.low).min(high.low);
        Ok(x.within(least, x.high.max(low.high).min(high.high)))
    }

    fn product(&mut self, node: &Node<'_>, inputs: &Inputs, x: Numbers) -> Result<Numbers> {
        let is_gemm = node.op() == "Gemm";
        let is_one = |factor: f32| factor.to_bits() == 1f32.to_bits();
        if is_gemm && !(is_one(node.float("alpha", 1.0)?) && is_one(node.float("beta", 1.0)?)) {
            return Err(node.unsupported("a factor of whole numbers"));
        }
        let lengths = self.lengths(inputs);
        let is_first = is_gemm && node.flag("transA", false)?;
        let terms = if is_first { lengths.first() } else { lengths.last() };
        let terms = terms.copied().unwrap_or(1) as f64;
        let by = self.numbers(node, inputs, 1);
        let most = terms * x.size() * by.size();
        let all = x.within(if x.low >= 0.0 && by.low >= 0.0 { 0.0 } else { -most }, most);
        // Every partial sum is within.
        self.check_exact(node, all)?;
        if is_gemm && inputs::optional(inputs, 2).is_some() {
            return Ok(all.plus(self.numbers(node, inputs, 2)));
        }
        Ok(all)
    }

    fn reduced(&mut self, node: &Node<'_>, inputs: &Inputs, x: Numbers) -> Result<Numbers> {
        let lengths = self.lengths(inputs);
        if matches!(node.op(), "ReduceMax" | "ReduceMin") {
            // The largest of nothing is infinite for floats alone.
            if lengths.contains(&0) {
                return Err(node.unsupported(UNSUPPORTED));
            }
            return Ok(x);
        }
        let axes = match node.op() {
            "CumSum" => inputs::ints(node, inputs, 1)?,
            _ => inputs::ints_or_attribute(node, inputs, 1, "axes")?,
        };
        let rank = i64::try_from(lengths.len()).unwrap_or(i64::MAX);
        let length = |axis: &i64| {
            let axis = if *axis < 0 { axis.saturating_add(rank) } else { *axis };
            usize::try_from(axis).ok().and_then(|axis| lengths.get(axis)).map_or(1.0, |&l| l as f64)
        };
        let terms: f64 = match axes {
            Some(axes) if !axes.is_empty() => axes.iter().map(length).product(),
            _ if node.op() != "CumSum" && node.flag("noop_with_empty_axes", false)? => 1.0,
            _ => lengths.iter().map(|&length| length as f64).product(),
        };
        let size = x.size();
        let most = match node.op() {
            "ReduceSumSquare" => terms * size * size,
            "ReduceProd" => size.max(1.0).powf(terms),
            _ => terms * size,
        };
        let is_positive = x.low >= 0.0 || matches!(node.op(), "ReduceL1" | "ReduceSumSquare");
        let all = x.within(if is_positive { 0.0 } else { -most }, most);
        self.check_exact(node, all)?;
        Ok(all)
    }

    /// Brings results into their type: wraps those of 8 and 16 bits.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] for what may be beyond 2^24, or wrap to what is.
    pub(super) fn fit(
        &mut self,
        node: &Node<'_>,
        x: Symbol,
        made: Numbers,
    ) -> Result<(Symbol, Numbers)> {
        if !made.is_whole() || made.fits() {
            return Ok((x, made));
        }
        let Some((bits, is_signed)) = narrow(made.dtype) else {
            return Err(self.beyond(node, made, EXACT));
        };
        let half = if is_signed { 2f64.powi(bits - 1) } else { 0.0 };
        self.check_exact(node, made.within(made.low - half, made.high + half))?;
        // x - 2^bits * floor(x / 2^bits + 1/2), each exact; without the half for unsigned.
        let turn = 2f32.powi(bits);
        let shift = if is_signed { 0.5 } else { 0.0 };
        let turns = UnaryOp::Affine { scale: turn.recip(), offset: shift };
        let turns = self.graph.activation(x, turns)?;
        let turns = self.graph.activation(turns, UnaryOp::Floor)?;
        let whole = self.graph.activation(turns, UnaryOp::Affine { scale: -turn, offset: 0.0 })?;
        let wrapped = self.graph.binary(BinaryOp::Add, x, whole)?;
        Ok((wrapped, Numbers::of(made.dtype)))
    }

    /// Multiplies whole numbers, and wraps them.
    pub(super) fn multiplied(
        &mut self,
        node: &Node<'_>,
        (left, of_left): (Symbol, Numbers),
        (right, of_right): (Symbol, Numbers),
        range: Numbers,
    ) -> Result<(Symbol, Numbers)> {
        let product = of_left.times(of_right);
        if product.size() > EXACT && of_left.dtype.size_bytes() == 2 {
            return self.multiplied_by_bytes(node, left, (right, of_right));
        }
        self.check_exact(node, product)?;
        let product = self.graph.binary(BinaryOp::Multiply, left, right)?;
        self.fit(node, product, range)
    }

    /// Multiplies numbers of 16 bits: the upper byte of the left one, whose product counts by its
    /// last 8 bits alone, and the lower one; each product is within 2^24.
    fn multiplied_by_bytes(
        &mut self,
        node: &Node<'_>,
        left: Symbol,
        (right, of_right): (Symbol, Numbers),
    ) -> Result<(Symbol, Numbers)> {
        let [upper, lower] = self.bytes(left)?;
        let product = self.graph.binary(BinaryOp::Multiply, upper, right)?;
        let [_, product] = self.bytes(product)?;
        let scale = UnaryOp::Affine { scale: 256.0, offset: 0.0 };
        let product = self.graph.activation(product, scale)?;
        let rest = self.graph.binary(BinaryOp::Multiply, lower, right)?;
        let sum = self.graph.binary(BinaryOp::Add, product, rest)?;
        let byte = of_right.within(0.0, 255.0);
        let made = byte.times(of_right).plus(byte.within(0.0, 255.0 * 256.0));
        self.fit(node, sum, made)
    }

    /// Splits whole numbers into the lowest 8 bits, from 0 on, and what is above them.
    fn bytes(&mut self, x: Symbol) -> Result<[Symbol; 2]> {
        let graph = &mut self.graph;
        let scaled = graph.activation(x, UnaryOp::Affine { scale: 1.0 / 256.0, offset: 0.0 })?;
        let upper = graph.activation(scaled, UnaryOp::Floor)?;
        let whole = graph.activation(upper, UnaryOp::Affine { scale: -256.0, offset: 0.0 })?;
        Ok([upper, graph.binary(BinaryOp::Add, x, whole)?])
    }

    /// Refuses numbers that f32 may not hold.
    fn check_exact(&self, node: &Node<'_>, made: Numbers) -> Result<()> {
        if made.size() <= EXACT { Ok(()) } else { Err(self.beyond(node, made, EXACT)) }
    }

    fn beyond(&self, node: &Node<'_>, made: Numbers, most: f64) -> Error {
        self.is_beyond.set(true);
        let Numbers { dtype, low, high } = made;
        let (least, _) = limits(dtype);
        Error::Operand {
            node: node.title.clone(),
            operand: "the result".to_owned(),
            got: format!("of {dtype} may be anything from {low} to {high}"),
            expected: if made.size() > most {
                format!("whole numbers are exact here up to {most}")
            } else {
                format!("what wraps below {least} is not exact here")
            },
            shapes: format!("inputs are taken up to {}", self.most),
            remedy: "clip the operands before, or cast them to float".to_owned(),
        }
    }

    /// Returns the range of positions along an axis of the first input.
    pub(super) fn position(&self, inputs: &Inputs) -> Numbers {
        let longest = self.lengths(inputs).into_iter().max().unwrap_or(1);
        Numbers::of(DType::I64).within(0.0, longest.saturating_sub(1) as f64)
    }

    /// Returns the lengths of the first input.
    fn lengths(&self, inputs: &Inputs) -> Vec<usize> {
        inputs::optional(inputs, 0).map_or_else(Vec::new, |value| inputs::shape(self, value))
    }
}
