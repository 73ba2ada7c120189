//! Seeded random numbers for tests (SplitMix64), so that a failure can be repeated anywhere.

use ndarray::{ArrayD, IxDyn};

/// A generator; the same seed gives the same numbers on every machine.
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One f32 in [-1, 1), with all 24 bits of its significand in use.
    pub fn signed(&mut self) -> f32 {
        // 24 random bits and an f32 of 24 bits: every step of 2^-23 is exact, so 1.0 is never reached.
        let step = (self.bits() >> 40) as f32 / (1u32 << 23) as f32;
        step - 1.0
    }

    /// An array of values in [-1, 1); independent values, so no flip or transposition maps it to itself.
    pub fn uniform(&mut self, shape: &[usize]) -> ArrayD<f32> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || self.signed())
    }

    /// A whole number in lo..hi.
    pub fn range(&mut self, lo: usize, hi: usize) -> usize {
        assert!(lo < hi, "range({lo}, {hi}) is empty");
        lo + (self.bits() % (hi - lo) as u64) as usize
    }

    /// One of the given items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.range(0, items.len())]
    }
}
