//! Async calls return at once, whatever they move.

use std::time::Duration;

use longshore::{Runtime, RuntimeOptions};
use ndarray::ArrayD;

use longshore_testing::executor::gpu::runtime;
use longshore_testing::executor::stage;
use longshore_testing::polls::median_poll;

/// How long a poll may take.
const MOST: Duration = Duration::from_millis(1);

#[test]
fn polls_of_a_read_of_64_mib_are_short() {
    let array = ArrayD::from_elem(vec![1 << 24], 1.5_f32);
    let tensor = stage(runtime(), "large", &array);
    // The first one makes the buffer.
    drop(tensor.read().unwrap());
    let median = median_poll(
        9,
        || tensor.read_async(),
        |values| assert_eq!(values.unwrap()[[(1 << 24) - 1]], 1.5),
    );
    assert!(median < MOST, "{median:?}");
}

#[test]
fn polls_of_a_wait_are_short() {
    let median = median_poll(9, || runtime().wait_async(), |waited| waited.unwrap());
    assert!(median < MOST, "{median:?}");
}

#[test]
fn polls_of_opening_are_short() {
    let open = || Runtime::open_with_async(RuntimeOptions::new().require_adapter());
    let median = median_poll(5, open, |runtime| drop(runtime.unwrap()));
    assert!(median < MOST, "{median:?}");
}
