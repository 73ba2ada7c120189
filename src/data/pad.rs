//! Filling a short batch up with items of zeros.

use crate::array::HostArray;
use crate::error::{Error, Result};
use crate::shape::element_count;

/// Returns a copy of an array with zeros behind its rows, `rows` of them in all.
///
/// Zeros of every dtype are zero bytes, so the dtype stays.
pub(super) fn with_zeros<'a>(array: &HostArray<'_>, rows: usize) -> Result<HostArray<'a>> {
    let node = format!("padding \"{}\"", array.name());
    let mut shape = array.shape().to_vec();
    if let Some(first) = shape.first_mut() {
        *first = rows;
    }
    let elements = element_count(&node, &shape)?;
    let length = usize::try_from(elements).ok();
    let length = length.and_then(|length| length.checked_mul(array.dtype().size_bytes()));
    let mut bytes = array.to_le_bytes();
    let reserved = length.and_then(|length| {
        let more = length.checked_sub(bytes.len())?;
        bytes.try_reserve_exact(more).ok()?;
        Some(length)
    });
    let Some(length) = reserved else {
        return Err(Error::Limit {
            node,
            tensor: format!("the batch {shape:?}"),
            needed: elements,
            unit: "elements",
            limit_name: "the free memory".to_owned(),
            limit: None,
            remedy: "use smaller batches".to_owned(),
        });
    };
    bytes.resize(length, 0);
    let padded = HostArray::from_bytes(bytes, array.dtype(), &shape)?;
    Ok(padded.with_name(array.name().to_owned()))
}
