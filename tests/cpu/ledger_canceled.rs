//! What the ledger says of reads that are dropped, and how long its names are.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use longshore::ledger::{Direction, EVENT_CAPACITY, Event, NAME_BYTES, Outcome};
use longshore::{Error, Guard, Result, Runtime, Tensor};
use ndarray::ArrayD;

use crate::ledger::{counting, network, noop};

/// Large enough that a read is not over before the test goes on: 16 MiB.
const LENGTH: usize = 4 << 20;

/// Begins a read; on a busy machine some arrive before they are asked for, and are begun again.
fn begin(tensor: &Tensor) -> Pin<Box<impl Future<Output = Result<ArrayD<f32>>> + use<>>> {
    loop {
        let mut read = Box::pin(tensor.read_async());
        if read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            return read;
        }
    }
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::yield_now();
    }
}

fn downloads(rt: &Runtime) -> Vec<Event> {
    let events = rt.ledger().events().into_iter();
    events.filter(|event| event.direction == Direction::DeviceToHost).collect()
}

/// Begins a read, drops it once its copy is submitted, and waits until its event is complete.
fn drop_under_way(rt: &Runtime, tensor: &Tensor) {
    let before = rt.ledger().totals().device_to_host.count;
    let read = begin(tensor);
    until("the copy is submitted", || rt.ledger().totals().device_to_host.count > before);
    drop(read);
    let is_over = |event: &Event| event.outcome != Outcome::Pending;
    until("the read is over", || downloads(rt).last().is_some_and(is_over));
}

#[test]
fn a_read_that_is_dropped_after_its_copy_is_a_crossing_and_spends_its_budget() {
    let rt = noop();
    let tensor = rt.stage("x", &counting(LENGTH)).unwrap();
    let passed = rt.guarded(Guard::budget(u64::MAX, 1), || {
        let passed = (0..7).filter(|_| {
            let mut read = Box::pin(tensor.read_async());
            let polled = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            match polled {
                std::task::Poll::Ready(Err(Error::Crossing { .. })) => false,
                other => {
                    assert!(!matches!(other, std::task::Poll::Ready(Err(_))));
                    until("the copy is submitted", || !downloads(&rt).is_empty());
                    true
                }
            }
        });
        passed.count()
    });
    assert_eq!((passed, downloads(&rt).len()), (1, 1));
    assert_eq!(rt.ledger().totals().device_to_host.payload_bytes, LENGTH as u64 * 4);
}

#[test]
fn a_dropped_read_is_canceled_in_the_ledger_and_gives_its_buffer_back() {
    let rt = noop();
    let tensor = rt.stage("x", &counting(LENGTH)).unwrap();
    drop_under_way(&rt, &tensor);
    let buffers = rt.buffers_created();
    // On a busy machine some arrive before they are dropped.
    let canceled =
        || downloads(&rt).iter().filter(|event| event.outcome == Outcome::Canceled).count();
    for _ in 0..100 {
        if canceled() < 4 {
            drop_under_way(&rt, &tensor);
        }
    }
    tensor.read().unwrap();
    assert_eq!(rt.buffers_created(), buffers, "canceled reads keep their buffers");
    assert!(canceled() >= 4);
    let last = downloads(&rt).pop().unwrap();
    assert_eq!(last.outcome, Outcome::Delivered);
    let json: serde_json::Value = serde_json::from_str(&rt.ledger().to_json().unwrap()).unwrap();
    let events = json["events"].as_array().unwrap();
    let read = |event: &&serde_json::Value| event["direction"] == "device_to_host";
    let said: Vec<_> = events.iter().filter(read).map(|event| event["outcome"].as_str()).collect();
    assert_eq!(said.iter().filter(|&&said| said == Some("canceled")).count(), canceled());
    assert_eq!(said.last(), Some(&None), "what was delivered needs no word");
    let text = rt.ledger().to_string();
    assert!(text.contains("x (canceled)\n"), "{text}");
}

#[test]
fn what_is_dropped_before_its_copy_leaves_nothing() {
    let rt = noop();
    let tensor = rt.stage("x", &counting(4)).unwrap();
    let large = rt.stage("large", &counting(LENGTH)).unwrap();
    let is_dropped_in_time = || {
        let first = begin(&large);
        let before = rt.ledger().totals().device_to_host.count;
        rt.guarded(Guard::budget(16, 1), || {
            // It waits behind the large one.
            let mut second = Box::pin(tensor.read_async());
            let _ = second.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(second);
            pollster::block_on(first).unwrap();
            // Everything before it is done when this is.
            pollster::block_on(rt.wait_async()).unwrap();
            tensor.read().is_ok()
        }) && rt.ledger().totals().device_to_host.count <= before + 2
    };
    // On a busy machine the large one is sometimes over too early.
    assert!((0..50).any(|_| is_dropped_in_time()));
}

#[test]
fn events_that_are_cleared_away_are_not_completed() {
    let rt = noop();
    let tensor = rt.stage("x", &counting(LENGTH)).unwrap();
    let read = begin(&tensor);
    until("the copy is submitted", || !downloads(&rt).is_empty());
    rt.ledger().clear();
    rt.stage("other", &counting(1)).unwrap();
    pollster::block_on(read).unwrap();
    let phases = |event: &Event| event.phases_ns.keys().copied().collect::<Vec<_>>();
    assert_eq!(phases(&rt.ledger().events()[0]), ["pack", "submit"]);
}

#[test]
fn names_in_events_are_bounded() {
    let rt = noop();
    let long = "ä".repeat(10_000);
    let tensor = rt.stage(long.as_str(), &counting(1)).unwrap();
    assert_eq!(tensor.label(), long, "a tensor keeps its label");
    let scope = rt.scope(long.as_str());
    for _ in 0..EVENT_CAPACITY / 2 {
        tensor.read_into(&mut [0.0]).unwrap();
    }
    drop(scope);
    let kept = |name: &str| name.len() <= NAME_BYTES && name.ends_with("ä…");
    let events = rt.ledger().events();
    assert_eq!(events.len(), EVENT_CAPACITY);
    assert!(events.iter().all(|event| kept(&event.label) && kept(&event.scope)));
    // What is expected to cross has the same names.
    let mut g = network();
    let x = g.input("other", [longshore::Dim::Batch, 3.into()]);
    g.output(long.as_str(), x);
    let expected = g.plan(1).unwrap().expected_crossings();
    assert!(expected.read.iter().any(|read| kept(&read.label)));
}
