//! The meaning of an `.npy` header: dtype, byte order, memory order and shape.

use super::dtype::{ByteOrder, DType, DescrError, Order, parse_descr};
use super::npy_literal::{Literal, parse};
use super::storage::checked_bytes;
use crate::error::{Error, Result};
use crate::shape::MOST_AXES;

/// What an `.npy` header says.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) dtype: DType,
    pub(super) byte_order: ByteOrder,
    pub(super) order: Order,
    pub(super) shape: Vec<usize>,
    /// The bytes before the data.
    pub(super) data_offset: u64,
    /// The bytes of the data.
    pub(super) data_bytes: usize,
}

impl Header {
    /// Reads the dictionary of a header whose data starts at `data_offset`.
    pub(super) fn parse(file: &str, text: &str, data_offset: u64) -> Result<Self> {
        let literal = parse(text).map_err(|got| {
            bad(file, got, "a Python dict of descr, fortran_order and shape should be there")
        })?;
        let Literal::Dict(entries) = literal else {
            return Err(bad(file, "is not a Python dict".into(), "one should be there"));
        };
        let [descr, fortran_order, shape] = three_keys(file, entries)?;
        let (dtype, byte_order) = read_descr(file, &descr)?;
        let order = match fortran_order {
            Literal::Bool(true) => Order::Fortran,
            Literal::Bool(false) => Order::C,
            other => {
                let got = format!("says fortran_order {}", show(&other));
                return Err(bad(file, got, "it is True or False"));
            }
        };
        let shape = read_shape(file, shape)?;
        let data_bytes = checked_bytes(file, &shape, dtype)?;
        Ok(Header { dtype, byte_order, order, shape, data_offset, data_bytes })
    }
}

pub(super) fn bad(file: &str, got: String, expected: &str) -> Error {
    Error::Format {
        file: file.to_owned(),
        part: "npy header".to_owned(),
        got,
        expected: expected.to_owned(),
        remedy: "write the file again with numpy.save".to_owned(),
    }
}

fn three_keys(file: &str, entries: Vec<(Literal, Literal)>) -> Result<[Literal; 3]> {
    const KEYS: &str = "the keys are descr, fortran_order and shape";
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    for (key, value) in entries {
        let place = match &key {
            Literal::Text(key) if key == "descr" => &mut descr,
            Literal::Text(key) if key == "fortran_order" => &mut fortran_order,
            Literal::Text(key) if key == "shape" => &mut shape,
            other => return Err(bad(file, format!("has a key {}", show(other)), KEYS)),
        };
        if place.replace(value).is_some() {
            return Err(bad(file, format!("has the key {} twice", show(&key)), KEYS));
        }
    }
    let missing = |key| move || bad(file, format!("has no key '{key}'"), KEYS);
    Ok([
        descr.ok_or_else(missing("descr"))?,
        fortran_order.ok_or_else(missing("fortran_order"))?,
        shape.ok_or_else(missing("shape"))?,
    ])
}

fn read_descr(file: &str, descr: &Literal) -> Result<(DType, ByteOrder)> {
    let refused = |dtype: String, reason: &str| Error::Dtype {
        array: file.to_owned(),
        dtype,
        reason: reason.to_owned(),
    };
    match descr {
        Literal::Text(text) => parse_descr(text).map_err(|error| match error {
            DescrError::Refused { dtype, reason } => refused(dtype, reason),
            DescrError::Unknown => bad(
                file,
                format!("says descr {}", show(descr)),
                "that is no NumPy dtype; bool, int8 to uint64, float16, float32 and float64 can be read",
            ),
        }),
        Literal::List(_, text) => Err(refused(shorten(text), "it is structured, with named fields")),
        Literal::Tuple(_, text) => Err(refused(shorten(text), "it is a sub-array dtype")),
        other => Err(bad(file, format!("says descr {}", show(other)), "it is a dtype string")),
    }
}

fn read_shape(file: &str, shape: Literal) -> Result<Vec<usize>> {
    // Old writers used lists, and NumPy itself never wrote more than 64 axes.
    let (Literal::Tuple(lengths, text) | Literal::List(lengths, text)) = shape else {
        let got = format!("says shape {}", show(&shape));
        return Err(bad(file, got, "it is a tuple of lengths"));
    };
    if lengths.len() > MOST_AXES {
        let got = format!("says {} axes", lengths.len());
        return Err(bad(file, got, "NumPy has at most 64"));
    }
    let wrong = || {
        let got = format!("says shape {}", shorten(&text));
        bad(file, got, "lengths are whole numbers from 0 to 2^64 - 1")
    };
    let lengths = lengths.iter().map(|length| match length {
        Literal::Int(Some(value)) => usize::try_from(*value).map_err(|_| wrong()),
        _ => Err(wrong()),
    });
    lengths.collect()
}

/// Shows a literal in an error, cut where a hostile one would fill the screen.
fn show(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => format!("'{}'", shorten(text)),
        Literal::Bool(true) => "True".to_owned(),
        Literal::Bool(false) => "False".to_owned(),
        Literal::None => "None".to_owned(),
        Literal::Int(Some(value)) => value.to_string(),
        Literal::Int(None) => "with too many digits".to_owned(),
        Literal::Tuple(_, text) | Literal::List(_, text) => shorten(text),
        Literal::Dict(_) => "{...}".to_owned(),
    }
}

fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    let mut kept: String = text.chars().take(MOST).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    // Control characters of a hostile file must not reach a terminal.
    kept.replace(char::is_control, "?")
}
