//! What mutators share: a small generator of random numbers.

/// A xorshift generator.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u32) -> Self {
        Dice(u64::from(seed) << 1 | 1)
    }

    /// A number below an end, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }

    pub fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(self.below(list.len())).copied()
    }

    /// A small number, or one at the end of a range.
    pub fn number(&mut self) -> i64 {
        const ENDS: [i64; 22] = [
            0,
            1,
            -1,
            2,
            -2,
            3,
            4,
            5,
            7,
            8,
            16,
            63,
            64,
            65,
            127,
            4096,
            65536,
            1 << 31,
            1 << 32,
            1 << 62,
            i64::MAX,
            i64::MIN,
        ];
        match self.below(3) {
            0 => self.below(12) as i64 - 2,
            _ => self.pick(&ENDS).unwrap_or(0),
        }
    }
}
