//! `.npy` files: whatever the bytes are, an error or an array, which then survives being written.

#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use longshore::{HostArray, StagePolicy};

fuzz_target!(|data: &[u8]| {
    let borrowed = HostArray::from_npy_bytes("fuzz.npy", data);
    // A stream has no length to compare with; both must come to the same end.
    let streamed = HostArray::read_named("fuzz.npy", data);
    match (&borrowed, &streamed) {
        (Ok(one), Ok(other)) => common::assert_same(one, other),
        (Err(one), Err(_)) => assert!(!one.to_string().is_empty()),
        _ => panic!("bytes and stream disagree: {borrowed:?} {streamed:?}"),
    }
    let Ok(array) = borrowed else { return };
    common::assert_written_again(&array);
    if let Ok((packed, report)) = array.pack(StagePolicy::new()) {
        assert_eq!(packed.shape(), array.shape());
        assert!(!report.to_string().is_empty());
    }
    if let [rows, ..] = *array.shape() {
        let part = array.rows(rows / 2..rows).expect("a range of the first axis");
        assert_eq!(part.shape()[0], rows - rows / 2);
    }
});
