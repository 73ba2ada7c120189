//! Seeded random arrays.

use longshore::HostArray;
use longshore::array::DType;
use ndarray::{ArrayD, IxDyn};

/// `SplitMix64`: the same seed gives the same numbers on every machine.
pub struct Random {
    state: u64,
}

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    /// Makes an array: floats between -1 and 1, integers of these rounded, true as often as false.
    pub fn array(&mut self, dtype: DType, shape: &[usize]) -> HostArray<'static> {
        let fit: fn(f32) -> f32 = match dtype {
            DType::Bool => |value| if value < 0.0 { 0.0 } else { 1.0 },
            DType::F16 | DType::F32 | DType::F64 => |value| value,
            DType::I8 | DType::I16 | DType::I32 | DType::I64 => f32::round,
            DType::U8 | DType::U16 | DType::U32 | DType::U64 => |value| value.abs().round(),
        };
        let values = ArrayD::from_shape_simple_fn(IxDyn(shape), || fit(self.uniform()));
        HostArray::from(values)
    }

    /// Returns a number between -1 and 1, of which only -1 can be met.
    fn uniform(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // 24 bits are what an f32 holds, so each step is exact.
        (bits >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_dtype() {
        let values = |dtype| Random::new(7).array(dtype, &[1000]).to_f64();
        let floats = values(DType::F32);
        assert!(floats.iter().all(|value| (-1.0..1.0).contains(value)));
        let mean = floats.mean().unwrap();
        assert!(mean.abs() < 0.1, "{mean}");
        let kinds = |dtype| {
            let mut kinds = values(dtype).into_raw_vec_and_offset().0;
            kinds.sort_by(f64::total_cmp);
            kinds.dedup();
            kinds
        };
        assert_eq!(kinds(DType::I64), [-1.0, 0.0, 1.0]);
        assert_eq!(kinds(DType::U8), [0.0, 1.0]);
        assert_eq!(kinds(DType::Bool), [0.0, 1.0]);
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let array = |seed| Random::new(seed).array(DType::F32, &[3, 5]).to_f64();
        assert_eq!(array(1), array(1));
        assert_ne!(array(1), array(2));
    }
}
