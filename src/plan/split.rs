//! Splitting a step along the batch when a tensor is too large to bind whole.

use super::Limits;
use crate::error::{Error, Result};

/// One tensor of a step, as splitting sees it.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    /// How messages name it.
    pub tensor: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// Whether its first dimension is the batch.
    pub batched: bool,
}

/// Returns how many items of the batch one dispatch takes.
///
/// All of them where every tensor can be bound whole. Otherwise the most for which
/// every part fits and begins at an offset that a binding may have.
pub(super) fn items_per_step(
    node: &str,
    extents: &[Extent],
    batch: usize,
    splittable: bool,
    limits: &Limits,
) -> Result<usize> {
    let limit = limits.max_storage_buffer_binding_size;
    let Some(large) = extents.iter().find(|extent| extent.bytes > limit) else {
        return Ok(batch);
    };
    let refuse = |extent: &Extent, remedy: &str| Error::Limit {
        node: node.to_owned(),
        tensor: extent.tensor.clone(),
        needed: extent.bytes,
        unit: "bytes",
        limit_name: "max_storage_buffer_binding_size".to_owned(),
        limit: Some(limit),
        remedy: remedy.to_owned(),
    };
    if !splittable {
        return Err(refuse(
            large,
            "this operation cannot be split along the batch: use a smaller one",
        ));
    }
    if let Some(whole) = extents.iter().find(|extent| !extent.batched && extent.bytes > limit) {
        return Err(refuse(whole, "it has no batch to split along: make it smaller"));
    }
    let items = batch.max(1) as u64;
    let alignment = u64::from(limits.min_storage_buffer_offset_alignment.max(1));
    let mut most = items;
    let mut unit = 1;
    for extent in extents.iter().filter(|extent| extent.batched && extent.bytes > 0) {
        let item = extent.bytes / items;
        most = most.min(limit / item);
        unit = lcm(unit, alignment / gcd(alignment, item));
    }
    let taken = most / unit * unit;
    if taken == 0 {
        return Err(refuse(
            large,
            "one aligned part of its batch is too large: use smaller images",
        ));
    }
    Ok(usize::try_from(taken).unwrap_or(batch))
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Both factors divide a device's alignment, so the product is small.
pub(super) fn lcm(a: u64, b: u64) -> u64 {
    a / gcd(a, b) * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bytes: u64, alignment: u32) -> Limits {
        Limits {
            max_storage_buffer_binding_size: bytes,
            min_storage_buffer_offset_alignment: alignment,
            ..Limits::default()
        }
    }

    fn extent(bytes: u64, batched: bool) -> Extent {
        Extent { tensor: "t".to_owned(), bytes, batched }
    }

    #[test]
    fn what_fits_is_not_split() {
        let extents = [extent(1000, true), extent(1000, false)];
        assert_eq!(items_per_step("n", &extents, 10, false, &limits(1000, 256)).unwrap(), 10);
    }

    #[test]
    fn parts_fit_and_begin_at_aligned_offsets() {
        // 100-byte items need 64 / gcd(64, 100) = 16 items to end on a multiple of 64.
        let extents = [extent(10_000, true), extent(40_000, true), extent(500, false)];
        let items = items_per_step("n", &extents, 100, true, &limits(8_000, 64)).unwrap();
        assert_eq!(items, 16);
        assert_eq!(items * 100 % 64, 0);
    }

    #[test]
    fn what_cannot_be_split_is_refused_by_name() {
        let whole = items_per_step("n", &[extent(2000, false)], 4, true, &limits(1000, 4));
        assert!(whole.unwrap_err().to_string().contains("no batch"));
        let softmax = items_per_step("n", &[extent(2000, true)], 4, false, &limits(1000, 4));
        assert!(softmax.unwrap_err().to_string().contains("cannot be split"));
        let coarse = items_per_step("n", &[extent(2000, true)], 4, true, &limits(1000, 4096));
        assert!(coarse.unwrap_err().to_string().contains("aligned part"));
    }
}
