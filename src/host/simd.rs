//! The processor's widest vectors, found when the program runs.

/// Runs a loop compiled for the vectors that the processor has: AVX2 with FMA, NEON, or what
/// the target has at least.
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
