//! What a name of a model stands for while it is imported.

use std::fmt;
use std::sync::Arc;

use ndarray::{ArrayD, Dimension};

use super::node::Node;
use crate::array::{DType, HostArray};
use crate::error::{Error, Result};
use crate::graph::{Symbol, Weight};

/// Elements up to which constant floats are computed with at import.
pub(super) const SMALL: usize = 4096;

/// What kind of numbers a known value holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers of this type.
    Int(DType),
    /// 0 and 1.
    Bool,
    /// f32 numbers.
    Float,
}

impl Kind {
    /// Returns the type of the numbers.
    pub(super) fn dtype(self) -> DType {
        match self {
            Kind::Int(dtype) => dtype,
            Kind::Bool => DType::Bool,
            Kind::Float => DType::F32,
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Int(_) => "Int",
            Kind::Bool => "Bool",
            Kind::Float => "Float",
        })
    }
}

/// A value whose elements are known: shapes, axes, indices, and what is computed of them.
///
/// f64 holds every f32, every whole number up to 2^53, and the largest 64-bit numbers well
/// enough to stand for "to the end", which is what models use them for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    pub values: ArrayD<f64>,
    pub kind: Kind,
}

impl Known {
    pub(super) fn new(values: ArrayD<f64>, kind: Kind) -> Self {
        let values = match kind {
            Kind::Int(_) => values.mapv_into(f64::trunc),
            Kind::Bool => values.mapv_into(|value| f64::from(u8::from(value != 0.0))),
            #[expect(clippy::cast_possible_truncation, reason = "each step rounds to f32")]
            Kind::Float => values.mapv_into(|value| f64::from(value as f32)),
        };
        Known { values, kind }
    }

    pub(super) fn ints(values: impl IntoIterator<Item = usize>) -> Self {
        let values: Vec<f64> = values.into_iter().map(|value| value as f64).collect();
        Known { values: ndarray::Array1::from_vec(values).into_dyn(), kind: Kind::Int(DType::I64) }
    }

    /// Makes a 0-d whole number.
    pub(super) fn scalar(value: usize) -> Self {
        Known { values: ndarray::arr0(value as f64).into_dyn(), kind: Kind::Int(DType::I64) }
    }

    /// Returns the same elements in another shape; none if the count differs.
    pub(super) fn with_shape(&self, shape: &[usize]) -> Option<Self> {
        let values = self.values.as_standard_layout().into_owned();
        let values = values.into_shape_with_order(ndarray::IxDyn(shape)).ok()?;
        Some(Known { values, kind: self.kind })
    }

    /// Reads an array's elements.
    pub(super) fn read(array: &HostArray<'_>) -> Self {
        Known { values: array.to_f64(), kind: kind_of(array.dtype()) }
    }

    /// Returns the elements as whole numbers, in C order.
    fn to_ints(&self) -> Vec<i64> {
        // Saturates at the largest numbers, which stand for "to the end".
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers, saturating")]
        self.values.iter().map(|&value| value as i64).collect()
    }

    /// Returns whole numbers that shape the network: positions, lengths, axes.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`](crate::Error::Operand) for floats, which would be rounded, and for truth.
    pub(super) fn whole(&self, node: &Node<'_>, what: &str) -> Result<Vec<i64>> {
        // Exporters write what is empty with any type.
        if matches!(self.kind, Kind::Int(_)) || self.values.is_empty() {
            return Ok(self.to_ints());
        }
        let got = format!("holds numbers of type {:?}", self.kind);
        Err(node.refuse(what, got, "it holds whole numbers".to_owned()))
    }

    /// Refuses whole numbers that f32 does not hold, before they go to the device.
    ///
    /// # Errors
    ///
    /// [`Error::Operand`] with the first of them.
    pub(super) fn check_exact(&self, name: &str) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "compared")]
        let is_held = |value: f64| f64::from(value as f32).to_bits() == value.to_bits();
        // Of floats each was rounded to f32, as staging does; a NaN is one.
        if self.kind == Kind::Float {
            return Ok(());
        }
        let mut elements = self.values.indexed_iter();
        let Some((index, value)) = elements.find(|(_, value)| !is_held(**value)) else {
            return Ok(());
        };
        Err(Error::Operand {
            node: format!("constant \"{name}\""),
            operand: format!("element {:?}", index.slice()),
            got: format!("is {value}"),
            expected: "the device computes in f32, which holds whole numbers up to 16777216"
                .to_owned(),
            shapes: format!("{} {:?}", self.kind.dtype(), self.values.shape()),
            remedy: "export the model with a smaller number".to_owned(),
        })
    }

    /// Returns the elements as f32, in C order.
    pub(super) fn to_floats(&self) -> ArrayD<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "floats are f32 already")]
        self.values.mapv(|value| value as f32)
    }
}

/// Returns the kind of numbers that a dtype holds.
pub(super) fn kind_of(dtype: DType) -> Kind {
    match dtype {
        DType::Bool => Kind::Bool,
        DType::F16 | DType::F32 | DType::F64 => Kind::Float,
        whole => Kind::Int(whole),
    }
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A value that is computed when the network runs.
    Symbol(Symbol),
    /// Elements that the import computes with.
    Known(Arc<Known>),
    /// A floating-point array that goes to the device as it is.
    Weight(Weight),
}

impl Value {
    pub(super) fn known(values: ArrayD<f64>, kind: Kind) -> Self {
        Value::Known(Arc::new(Known::new(values, kind)))
    }

    /// Counts the elements that the import can read; none for a value that it cannot.
    pub(super) fn known_len(&self) -> Option<usize> {
        match self {
            Value::Symbol(_) => None,
            Value::Known(known) => Some(known.values.len()),
            Value::Weight(weight) => weight.host().map(HostArray::len),
        }
    }

    /// Returns the elements, unless they are computed when the network runs or lie elsewhere.
    pub(super) fn to_known(&self) -> Option<Arc<Known>> {
        match self {
            Value::Symbol(_) => None,
            Value::Known(known) => Some(Arc::clone(known)),
            Value::Weight(weight) => weight.host().map(|array| Arc::new(Known::read(array))),
        }
    }
}

impl From<Known> for Value {
    fn from(known: Known) -> Self {
        Value::Known(Arc::new(known))
    }
}

impl From<Symbol> for Value {
    fn from(symbol: Symbol) -> Self {
        Value::Symbol(symbol)
    }
}
