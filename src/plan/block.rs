//! The parameter block: all steps' parameters and tables in one upload.

use std::collections::HashMap;

use super::BlockRange;

/// Collects parameters; equal bytes are stored once.
pub(super) struct Block {
    alignment: u64,
    bytes: Vec<u8>,
    payload: u64,
    known: HashMap<Vec<u8>, BlockRange>,
}

impl Block {
    pub(super) fn new(alignment: u64) -> Self {
        Block { alignment, bytes: Vec::new(), payload: 0, known: HashMap::new() }
    }

    /// Adds bytes as [`Block::push`] does, if there are any.
    pub(super) fn push_some(&mut self, bytes: Vec<u8>) -> BlockRange {
        if bytes.is_empty() {
            return BlockRange { offset_bytes: 0, bytes: 0 };
        }
        self.push(bytes)
    }

    /// Adds bytes at the next aligned place, or finds where they stand already.
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> BlockRange {
        if let Some(range) = self.known.get(&bytes) {
            return *range;
        }
        let offset_bytes = (self.bytes.len() as u64).next_multiple_of(self.alignment);
        // The block lives in memory, so its length fits a machine word.
        self.bytes.resize(usize::try_from(offset_bytes).unwrap_or(usize::MAX), 0);
        self.bytes.extend_from_slice(&bytes);
        let range = BlockRange { offset_bytes, bytes: bytes.len() as u64 };
        self.payload += range.bytes;
        self.known.insert(bytes, range);
        range
    }

    /// Returns the block, padded to whole f32s, and the bytes in it that are not padding.
    pub(super) fn finish(mut self) -> (Vec<u8>, u64) {
        self.bytes.resize(self.bytes.len().next_multiple_of(16), 0);
        (self.bytes, self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_aligned_and_equal_bytes_are_stored_once() {
        let mut block = Block::new(64);
        let first = block.push(vec![1; 20]);
        let second = block.push(vec![2; 4]);
        assert_eq!(block.push(vec![1; 20]), first);
        assert_eq!(second, BlockRange { offset_bytes: 64, bytes: 4 });
        let (bytes, payload) = block.finish();
        assert_eq!((bytes.len(), payload), (80, 24));
        assert_eq!(bytes[..20], [1; 20]);
        assert_eq!(bytes[20..64], [0; 44]);
    }
}
