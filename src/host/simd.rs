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

/// Tells whether rows of this many numbers, `vectors` at a time, are better computed with vectors of
/// half the width than with the widest.
///
/// Vectors of twice the width take three quarters of the time or more, so they serve where they
/// leave fewer than a quarter of their places empty.
pub(crate) fn is_narrow(count: usize, vectors: usize) -> bool {
    let padded = |lanes: usize| count.div_ceil(lanes * vectors) * lanes * vectors;
    padded(16).saturating_mul(4) > padded(8).saturating_mul(5)
}

/// Runs an operation with the widest vectors, or, where there are AVX-512's, with AVX2's if
/// `is_narrow`.
pub(crate) fn dispatch<O: pulp::WithSimd>(is_narrow: bool, operation: O) -> O::Output {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new().filter(|_| is_narrow) {
        return pulp::Simd::vectorize(simd, operation);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = is_narrow;
    pulp::Arch::new().dispatch(operation)
}
