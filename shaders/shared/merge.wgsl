// Two partial results of a reduction made into one.
//
// The numbers are those of `codes` in src/kernels/reduce.rs.

const SUM: u32 = 0u;
const SUM_ABSOLUTE: u32 = 1u;
const SUM_SQUARES: u32 = 2u;
const SUM_EXPONENTIALS: u32 = 3u;
const MAXIMUM: u32 = 4u;
const MINIMUM: u32 = 5u;
const PRODUCT: u32 = 6u;

// a and b merged; for maximum and minimum NaN wins, as in NumPy.
fn merge(kind: u32, a: f32, b: f32) -> f32 {
    switch kind {
        case MAXIMUM: { return select(select(max(a, b), b, is_nan(b)), a, is_nan(a)); }
        case MINIMUM: { return select(select(min(a, b), b, is_nan(b)), a, is_nan(a)); }
        case PRODUCT: { return a * b; }
        default: { return a + b; }
    }
}
