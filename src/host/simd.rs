//! The processor's widest vectors, found when the program runs.

/// Runs a loop compiled for the vectors that the processor has: AVX-512, AVX2 with FMA, NEON, or
/// what the target has at least.
///
/// The closure and what it calls must be inlined into it, or they stay as they are.
pub(crate) fn vectorized<T>(body: impl FnOnce() -> T) -> T {
    struct Body<F>(F);
    impl<T, F: FnOnce() -> T> pulp::WithSimd for Body<F> {
        type Output = T;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> T {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Body(body))
}

/// Runs an operation over rows of this many numbers, `vectors` at a time, with the widest vectors
/// that are not too wide for them.
///
/// Vectors of twice the width take three quarters of the time or more, so they serve where they
/// leave fewer than a quarter of their places empty.
pub(crate) fn dispatch<O: pulp::WithSimd>(count: usize, vectors: usize, operation: O) -> O::Output {
    #[cfg(target_arch = "x86_64")]
    {
        let padded = |lanes: usize| count.div_ceil(lanes * vectors) * lanes * vectors;
        let is_too_wide = padded(16).saturating_mul(4) > padded(8).saturating_mul(5);
        if let Some(simd) = pulp::x86::V3::try_new().filter(|_| is_too_wide) {
            return pulp::Simd::vectorize(simd, operation);
        }
    }
    pulp::Arch::new().dispatch(operation)
}
