//! Async calls return at once, whatever they move.

use std::time::Duration;

use longshore::{Result, Runtime, RuntimeOptions};
use ndarray::ArrayD;

use longshore_testing::executor::gpu::runtime;
use longshore_testing::executor::stage;
use longshore_testing::polls::{least, longest_poll, timer_lateness};

/// How long a poll may take.
const MOST: Duration = Duration::from_millis(1);

/// How late a timer of the same thread may be.
const LATEST: Duration = Duration::from_millis(5);

#[test]
fn polls_of_a_read_of_64_mib_are_short() {
    let array = ArrayD::from_elem(vec![1 << 24], 1.5_f32);
    let tensor = stage(runtime(), "large", &array);
    // The first one makes the buffer.
    drop(tensor.read().unwrap());
    let check = |values: Result<ArrayD<f32>>| assert_eq!(values.unwrap()[[(1 << 24) - 1]], 1.5);
    let longest = least(9, longest_poll, || tensor.read_async(), check);
    assert!(longest < MOST, "{longest:?}");
    let late = least(9, timer_lateness, || tensor.read_async(), check);
    assert!(late < LATEST, "{late:?}");
}

#[test]
fn polls_of_a_wait_are_short() {
    let longest = least(9, longest_poll, || runtime().wait_async(), |waited| waited.unwrap());
    assert!(longest < MOST, "{longest:?}");
}

#[test]
fn polls_of_opening_are_short() {
    let open = || Runtime::open_with_async(RuntimeOptions::new().require_adapter());
    let longest = least(5, longest_poll, open, |runtime| drop(runtime.unwrap()));
    assert!(longest < MOST, "{longest:?}");
}
