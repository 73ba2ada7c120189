//! Async calls return at once, whatever they move.

use std::time::Duration;

use ndarray::ArrayD;

use longshore::Result;
use longshore::ledger::{Direction, Outcome};
use longshore_testing::executor::host::{open, runtime};
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
    let check = |values: Result<ArrayD<f32>>| assert_eq!(values.unwrap()[[(1 << 24) - 1]], 1.5);
    let longest = least(9, longest_poll, || tensor.read_async(), check);
    assert!(longest < MOST, "{longest:?}");
    let late = least(9, timer_lateness, || tensor.read_async(), check);
    assert!(late < LATEST, "{late:?}");
    pollster::block_on(runtime().wait_async()).unwrap();
}

#[test]
fn an_async_read_outlives_its_tensor_and_is_one_event() {
    let rt = open();
    let array = ArrayD::from_elem(vec![7], 2.5_f32);
    let read = stage(&rt, "x", &array).read_async();
    assert_eq!(pollster::block_on(read).unwrap(), array);
    let last = rt.ledger().events().pop().unwrap();
    assert_eq!((last.direction, last.outcome), (Direction::HostInternal, Outcome::Delivered));
    assert!(last.phases_ns.contains_key("host_copy"));
}
