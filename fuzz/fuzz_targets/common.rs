//! What the targets for arrays share: an array that was read is written, and read again.

use longshore::HostArray;

/// Longer than any header that is written for at most 64 axes.
const HEADER_BYTES: usize = 4096;

/// Compares two arrays element by element; NaN is equal to NaN.
pub fn assert_same(one: &HostArray<'_>, other: &HostArray<'_>) {
    assert_eq!((one.shape(), one.dtype()), (other.shape(), other.dtype()));
    let (one, other) = (one.to_f64(), other.to_f64());
    let is_same = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    assert!(one.iter().zip(&other).all(is_same));
}

/// Writes an array as `.npy`, within the bytes that it needs, and compares what is read of that.
pub fn assert_written_again(array: &HostArray<'_>) {
    let written = array.to_npy_bytes();
    assert!(written.len() <= array.len() * array.dtype().size_bytes() + HEADER_BYTES);
    let again = HostArray::from_npy_bytes("again.npy", &written).expect("what is written is read");
    assert_same(array, &again);
}
