//! Tensors of a model file: every encoding of ONNX, as host arrays.

use std::path::PathBuf;

use super::external::External;
use super::proto::TensorProto;
use crate::array::{DType, HostArray};
use crate::error::{Error, Result};
use crate::shape::{MOST_AXES, element_count};

/// Where a model was read from: its name in messages, and its path, beside which external data lies.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub file: String,
    pub path: Option<PathBuf>,
}

impl Origin {
    pub(super) fn error(&self, part: &str, got: &str, expected: &str, remedy: &str) -> Error {
        Error::Format {
            file: self.file.clone(),
            part: part.to_owned(),
            got: got.to_owned(),
            expected: expected.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// Returns the dtype of ONNX's number for it, or its name if no array here has it.
pub(super) fn dtype(number: i32) -> std::result::Result<DType, String> {
    Ok(match number {
        1 => DType::F32,
        2 => DType::U8,
        3 => DType::I8,
        4 => DType::U16,
        5 => DType::I16,
        6 => DType::I32,
        7 => DType::I64,
        9 => DType::Bool,
        10 => DType::F16,
        11 => DType::F64,
        12 => DType::U32,
        13 => DType::U64,
        other => return Err(unsupported_name(other)),
    })
}

fn unsupported_name(number: i32) -> String {
    const NAMES: [(i32, &str); 13] = [
        (0, "UNDEFINED"),
        (8, "STRING"),
        (14, "COMPLEX64"),
        (15, "COMPLEX128"),
        (16, "BFLOAT16"),
        (17, "FLOAT8E4M3FN"),
        (18, "FLOAT8E4M3FNUZ"),
        (19, "FLOAT8E5M2"),
        (20, "FLOAT8E5M2FNUZ"),
        (21, "UINT4"),
        (22, "INT4"),
        (23, "FLOAT4E2M1"),
        (24, "FLOAT8E8M0"),
    ];
    let known = NAMES.iter().find(|(own, _)| *own == number);
    known.map_or_else(|| format!("number {number}"), |(_, name)| (*name).to_owned())
}

/// Converts dimensions, refusing negative ones and sizes that no memory holds.
pub(super) fn shape(origin: &Origin, part: &str, dims: &[i64]) -> Result<Vec<usize>> {
    if dims.len() > MOST_AXES {
        let (got, expected) = (format!("has {} axes", dims.len()), format!("at most {MOST_AXES}"));
        return Err(origin.error(part, &got, &expected, "export the model again"));
    }
    let lengths: Option<Vec<usize>> = dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
    let lengths = lengths.ok_or_else(|| {
        let got = format!("has shape {dims:?}");
        origin.error(part, &got, "lengths are not negative", "export the model again")
    })?;
    element_count(part, &lengths)?;
    Ok(lengths)
}

/// Reads a tensor, whichever of ONNX's encodings it has.
pub(super) fn read(
    origin: &Origin,
    tensor: &TensorProto,
    files: &mut External,
) -> Result<HostArray<'static>> {
    let part = format!("tensor \"{}\"", tensor.name);
    let dtype = dtype(tensor.data_type).map_err(|name| Error::Unsupported {
        node: format!("{}: {part}", origin.file),
        what: format!("elements of type {name}"),
        remedy: "export the model in float32".to_owned(),
    })?;
    let shape = shape(origin, &part, &tensor.dims)?;
    let bytes = match tensor.data_location {
        0 => match &tensor.raw_data {
            Some(raw) => raw.to_vec(),
            None => typed_bytes(origin, &part, tensor, dtype)?,
        },
        1 => files.read(origin, &part, tensor, needed_bytes(&part, &shape, dtype)?)?,
        other => {
            let got = format!("lies at location {other}");
            return Err(origin.error(&part, &got, "0 or 1", "export the model again"));
        }
    };
    let needed = needed_bytes(&part, &shape, dtype)?;
    if bytes.len() as u64 != needed {
        let got = format!("has {} bytes of data", bytes.len());
        let expected = format!("shape {shape:?} of {dtype} needs {needed}");
        return Err(origin.error(&part, &got, &expected, "export the model again"));
    }
    Ok(HostArray::from_bytes(bytes, dtype, &shape)?.with_name(tensor.name.clone()))
}

fn needed_bytes(part: &str, shape: &[usize], dtype: DType) -> Result<u64> {
    let elements = element_count(part, shape)?;
    elements.checked_mul(dtype.size_bytes() as u64).ok_or_else(|| Error::Limit {
        node: part.to_owned(),
        tensor: format!("shape {shape:?}"),
        needed: u64::MAX,
        unit: "bytes",
        limit_name: "the largest size".to_owned(),
        limit: Some(u64::MAX),
        remedy: "export the model again".to_owned(),
    })
}

/// Collects the bytes of the typed fields; narrow types travel in wider ones.
fn typed_bytes(origin: &Origin, part: &str, tensor: &TensorProto, dtype: DType) -> Result<Vec<u8>> {
    let ints = &tensor.int32_data;
    let bytes = match dtype {
        DType::F32 => joined(&tensor.float_data, |v| Some(v.to_le_bytes())),
        DType::F64 => joined(&tensor.double_data, |v| Some(v.to_le_bytes())),
        DType::I64 => joined(&tensor.int64_data, |v| Some(v.to_le_bytes())),
        DType::U64 => joined(&tensor.uint64_data, |v| Some(v.to_le_bytes())),
        DType::U32 => joined(&tensor.uint64_data, |v| Some(u32::try_from(v).ok()?.to_le_bytes())),
        DType::I32 => joined(ints, |v| Some(v.to_le_bytes())),
        DType::I16 => joined(ints, |v| Some(i16::try_from(v).ok()?.to_le_bytes())),
        DType::I8 => joined(ints, |v| Some(i8::try_from(v).ok()?.to_le_bytes())),
        // f16 travels as its bits.
        DType::U16 | DType::F16 => joined(ints, |v| Some(u16::try_from(v).ok()?.to_le_bytes())),
        DType::U8 => joined(ints, |v| Some([u8::try_from(v).ok()?])),
        DType::Bool => joined(ints, |v| Some([u8::from(v != 0)])),
    };
    bytes.ok_or_else(|| {
        let expected = format!("values of {dtype}");
        origin.error(part, "has a number beyond its type", &expected, "export the model again")
    })
}

/// Joins the bytes of numbers; none if one of them does not fit its type.
fn joined<T: Copy, const N: usize>(
    numbers: &[T],
    bytes: impl Fn(T) -> Option<[u8; N]>,
) -> Option<Vec<u8>> {
    let mut all = Vec::with_capacity(numbers.len().checked_mul(N)?);
    for &number in numbers {
        all.extend_from_slice(&bytes(number)?);
    }
    Some(all)
}
