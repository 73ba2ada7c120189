//! Whole numbers and truth values that a network computes.
//!
//! On the device they are f32, which holds whole numbers up to 2^24. For each operator the range
//! of its results follows from those of its operands: what stays within is computed as it is,
//! what leaves a type of 8 or 16 bits is wrapped, and what may be inexact is refused.

use std::sync::Arc;

use super::importer::Importer;
use super::node::Node;
use super::numbers::{EXACT, Numbers, limits, narrow};
use super::ops::{self, Inputs, inputs};
use super::value::{SMALL, Value};
use crate::array::DType;
use crate::error::{Error, Result};
use crate::graph::Symbol;
use crate::ops::{BinaryOp, UnaryOp};

/// What is refused of operators that have no whole results here.
pub(super) const UNSUPPORTED: &str = "a result in whole numbers";

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
        let x = self.numbers(node, inputs, 0);
        ops::outcome(self, node, inputs, x)
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
    pub(super) fn check_exact(&self, node: &Node<'_>, made: Numbers) -> Result<()> {
        if made.size() <= EXACT { Ok(()) } else { Err(self.beyond(node, made, EXACT)) }
    }

    /// Makes the error of numbers that are beyond what is exact.
    pub(super) fn beyond(&self, node: &Node<'_>, made: Numbers, most: f64) -> Error {
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
    pub(super) fn lengths(&self, inputs: &Inputs) -> Vec<usize> {
        inputs::optional(inputs, 0).map_or_else(Vec::new, |value| inputs::shape(self, value))
    }
}
