//! The ledger on a device without hardware: events, totals, scopes, JSON.

use longshore::ledger::{Cause, Direction, EVENT_CAPACITY, Event, Method, Total};
use longshore::wgpu;
use longshore::{Dense, Graph, HostArray, Runtime, Session, Tensor};
use ndarray::ArrayD;
use serde_json::Value;

use crate::graph::{batch_of, host, kernel};

/// Opens wgpu's device without hardware: it copies and maps, and computes nothing.
pub fn noop() -> Runtime {
    let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
    Runtime::from_wgpu(device, queue)
}

/// An array of whole numbers.
pub fn counting(length: usize) -> HostArray<'static> {
    HostArray::from(ndarray::Array1::from_iter((0..length).map(|number| number as f32)))
}

/// A dense layer over (batch, 3): one weight, one value, one output.
pub fn session(runtime: &Runtime) -> Session {
    runtime.prepare(&network().plan(1).unwrap()).unwrap()
}

pub fn network() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let y = g.dense(x, Dense::new(5), &kernel(&[3, 5])).unwrap();
    let y = g.softmax(y, -1).unwrap();
    g.output("y", y);
    g
}

/// A tensor that the network takes.
pub fn input(runtime: &Runtime) -> Tensor {
    runtime.stage("x", &host(&[1, 3])).unwrap()
}

/// What an event is, without its times.
type Shown = (u64, Direction, &'static str, Cause, Method, u64, u64);

fn shown(event: &Event) -> (u64, Direction, &str, Cause, Method, u64, u64) {
    let Event { seq, direction, cause, method, payload_bytes, padding_bytes, .. } = *event;
    (seq, direction, &event.label, cause, method, payload_bytes, padding_bytes)
}

#[track_caller]
fn events(runtime: &Runtime, expected: &[Shown]) {
    let events = runtime.ledger().events();
    assert_eq!(events.iter().map(shown).collect::<Vec<_>>(), expected);
}

const UP: Direction = Direction::HostToDevice;
const DOWN: Direction = Direction::DeviceToHost;
const INSIDE: Direction = Direction::DeviceInternal;

#[test]
fn staging_is_one_crossing_and_one_copy_inside() {
    let rt = noop();
    events(&rt, &[]);
    let tensor = rt.stage("image", &counting(3)).unwrap();
    // 3 numbers of 4 bytes in whole 16-byte vectors.
    events(
        &rt,
        &[
            (0, UP, "image", Cause::Stage, Method::MappedUpload, 12, 4),
            (1, INSIDE, "image", Cause::Stage, Method::BufferCopy, 12, 4),
        ],
    );
    let phases: Vec<&str> = rt.ledger().events()[0].phases_ns.keys().copied().collect();
    assert_eq!(phases, ["pack", "submit"]);
    assert_eq!((tensor.shape(), tensor.label()), (&[3][..], "image"));
}

#[test]
fn preparing_uploads_what_the_plan_expects() {
    let rt = noop();
    let plan = network().plan(2).unwrap();
    let _session = rt.prepare(&plan).unwrap();
    let crossings: Vec<Event> =
        rt.ledger().events().into_iter().filter(|event| event.direction != INSIDE).collect();
    let expected = plan.expected_crossings().prepare;
    assert_eq!(crossings.len(), expected.len());
    for (event, expected) in crossings.iter().zip(&expected) {
        let found = (event.direction, event.label.as_str(), event.cause);
        assert_eq!(found, (expected.direction, expected.label.as_str(), expected.cause));
        let bytes = (event.payload_bytes, event.padding_bytes);
        assert_eq!(bytes, (expected.payload_bytes, expected.padding_bytes));
    }
    let fills: Vec<_> =
        rt.ledger().events().into_iter().filter(|e| e.method == Method::ZeroFill).collect();
    let labels: Vec<&str> = fills.iter().map(|event| event.label.as_str()).collect();
    assert_eq!(labels, ["slot 0", "output 0"]);
    assert!(fills.iter().all(|fill| fill.direction == INSIDE && fill.payload_bytes == 48));
}

#[test]
fn running_is_no_event_and_reading_is_one_crossing() {
    let rt = noop();
    let (session, x) = (session(&rt), input(&rt));
    rt.ledger().clear();
    let run = session.run([("x", &x)]).unwrap();
    events(&rt, &[]);
    run["y"].read().unwrap();
    events(
        &rt,
        &[
            (0, INSIDE, "y", Cause::Read, Method::BufferCopy, 20, 0),
            (1, DOWN, "y", Cause::Read, Method::MappedReadback, 20, 0),
        ],
    );
    let phases: Vec<&str> = rt.ledger().events()[1].phases_ns.keys().copied().collect();
    assert_eq!(phases, ["device_copy", "host_copy", "map", "wait"]);
    // While this run's output is held, the next needs another buffer; that is no crossing.
    rt.ledger().clear();
    let _next = session.run([("x", &x)]).unwrap();
    events(&rt, &[(0, INSIDE, "output 0", Cause::Run, Method::ZeroFill, 32, 0)]);
}

#[test]
fn bytes_come_back_as_they_went() {
    let rt = noop();
    let tensor = rt.stage("x", &counting(1000)).unwrap();
    let back = tensor.read().unwrap();
    assert_eq!(back, ArrayD::from_shape_fn(vec![1000], |at| at[0] as f32));
    let part = tensor.rows(64..128).unwrap().with_label("part");
    assert_eq!(part.read().unwrap()[[0]], 64.0);
    let last = rt.ledger().events().pop().unwrap();
    assert_eq!((last.label.as_str(), last.payload_bytes), ("part", 256));
}

#[test]
fn totals_are_sums_and_clearing_forgets_them() {
    let rt = noop();
    let one = rt.stage("one", &counting(3)).unwrap();
    rt.stage("two", &counting(4)).unwrap();
    one.read().unwrap();
    let totals = rt.ledger().totals();
    let total = |count, payload_bytes, padding_bytes| Total { count, payload_bytes, padding_bytes };
    assert_eq!(totals.host_to_device, total(2, 28, 4));
    assert_eq!(totals.device_to_host, total(1, 12, 0));
    assert_eq!(totals.device_internal, total(3, 40, 4));
    for direction in Direction::ALL {
        let events = rt.ledger().events();
        let mine = events.iter().filter(|event| event.direction == direction);
        assert_eq!(mine.count() as u64, totals.of(direction).count);
    }
    rt.ledger().clear();
    assert_eq!(rt.ledger().totals(), longshore::ledger::Totals::default());
    one.read().unwrap();
    assert_eq!(rt.ledger().events()[0].seq, 0);
}

#[test]
fn a_failed_packing_is_no_crossing() {
    let rt = noop();
    let bad = HostArray::from(ndarray::array![1.0f32, f32::NAN]);
    rt.stage("bad", &bad).unwrap_err();
    events(&rt, &[]);
    let layer =
        longshore::LayerWeights::new(HostArray::from(ndarray::Array2::from_elem((3, 5), f32::NAN)));
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let y = g.dense(x, Dense::new(5), &layer).unwrap();
    g.output("y", y);
    rt.prepare(&g.plan(1).unwrap()).unwrap_err();
    assert_eq!(rt.ledger().totals().host_to_device.count, 0);
}

#[test]
fn scopes_name_what_happens_in_them() {
    let rt = noop();
    let outer = rt.scope("epoch 1");
    let inner = rt.scope("step 2");
    rt.stage("a", &counting(1)).unwrap();
    drop(inner);
    rt.guarded(longshore::Guard::allow().name("loading"), || rt.stage("b", &counting(1))).unwrap();
    drop(outer);
    rt.stage("c", &counting(1)).unwrap();
    let scopes: Vec<String> = rt
        .ledger()
        .events()
        .into_iter()
        .filter(|event| event.direction == UP)
        .map(|event| event.scope)
        .collect();
    assert_eq!(scopes, ["epoch 1/step 2", "epoch 1/loading", ""]);
}

#[test]
fn the_oldest_events_go_first_and_the_totals_stay() {
    let rt = noop();
    let empty = rt.stage("empty", &counting(0)).unwrap();
    let reads = EVENT_CAPACITY as u64 / 2 + 5;
    for _ in 0..reads {
        empty.read_into(&mut []).unwrap();
    }
    let events = rt.ledger().events();
    assert_eq!(events.len(), EVENT_CAPACITY);
    assert_eq!(rt.ledger().totals().device_to_host.count, reads);
    assert_eq!(events.last().unwrap().seq, 2 + 2 * reads - 1);
    assert!(events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
    // What is gone is summed by label and cause.
    let rows = rt.ledger().rows();
    let all = Total { count: reads, ..Total::default() };
    let row = rows.iter().find(|row| row.direction == DOWN).unwrap();
    assert_eq!((row.label.as_str(), row.cause, row.total), ("empty", Cause::Read, all));
    let staged = rows.iter().find(|row| row.cause == Cause::Stage && row.direction == UP).unwrap();
    assert_eq!(staged.total.count, 1);
    let json: Value = serde_json::from_str(&rt.ledger().to_json().unwrap()).unwrap();
    let folded = json["folded"].as_array().unwrap();
    let counts: u64 = folded.iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(counts + EVENT_CAPACITY as u64, 2 + 2 * reads);
    let text = rt.ledger().to_string();
    assert!(text.contains(&format!("mapped readback  {reads:>6}")), "{text}");
    rt.ledger().clear();
    assert_eq!(rt.ledger().rows(), []);
}

#[test]
fn labels_beyond_what_is_kept_are_summed_together() {
    let rt = noop();
    let empty = rt.stage("empty", &counting(0)).unwrap();
    rt.ledger().clear();
    // As many labels as events that are kept, and again as many: 4,096 rows of those that are gone.
    let labels = EVENT_CAPACITY as u64;
    for number in 0..labels {
        let tensor = empty.clone().with_label(format!("tensor {number}"));
        tensor.read_into(&mut []).unwrap();
    }
    let json: Value = serde_json::from_str(&rt.ledger().to_json().unwrap()).unwrap();
    let folded = json["folded"].as_array().unwrap();
    let others: Vec<&Value> = folded.iter().filter(|row| row["label"] == "(others)").collect();
    assert_eq!((folded.len(), others.len()), (4096 + 2, 2));
    let counts: u64 = folded.iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(counts, labels);
    let down: u64 =
        rt.ledger().rows().iter().filter(|row| row.direction == DOWN).map(|r| r.total.count).sum();
    assert_eq!(down, labels);
}

/// Checks that an object has these keys and no other.
#[track_caller]
fn keys(value: &Value, expected: &[&str]) {
    let mut found: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    found.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn json_has_every_key_of_the_stable_format() {
    let rt = noop();
    let tensor = {
        let _scope = rt.scope("load");
        rt.stage("im\"age", &counting(3)).unwrap()
    };
    tensor.read().unwrap();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger.json");
    rt.ledger().write_json(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, rt.ledger().to_json().unwrap() + "\n");
    let json: Value = serde_json::from_str(&text).unwrap();
    keys(&json, &["schema", "adapter", "totals", "events"]);
    assert_eq!(json["schema"], 1);
    keys(&json["adapter"], &["name", "backend", "device_type", "driver", "driver_info"]);
    assert_eq!(json["adapter"]["backend"], "noop");
    keys(
        &json["totals"],
        &["host_to_device", "device_to_host", "device_internal", "host_internal"],
    );
    for direction in ["host_to_device", "device_to_host", "device_internal", "host_internal"] {
        keys(&json["totals"][direction], &["count", "payload_bytes", "padding_bytes"]);
    }
    assert_eq!(json["totals"]["host_to_device"]["count"], 1);
    assert_eq!(json["totals"]["host_to_device"]["payload_bytes"], 12);
    assert_eq!(json["totals"]["host_to_device"]["padding_bytes"], 4);
    let events = json["events"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    for (number, event) in events.iter().enumerate() {
        let known = [
            "seq",
            "direction",
            "label",
            "scope",
            "cause",
            "site",
            "method",
            "payload_bytes",
            "padding_bytes",
            "start_ns",
            "phases_ns",
        ];
        keys(event, &known);
        assert_eq!(event["seq"], number);
        assert!(event["start_ns"].is_u64() && event["phases_ns"].is_object());
        assert_eq!(event["label"], "im\"age");
    }
    let first = &events[0];
    assert!(first["site"].as_str().unwrap().starts_with(file!()), "{first}");
    let words = ["direction", "scope", "cause", "method"].map(|key| first[key].as_str().unwrap());
    assert_eq!(words, ["host_to_device", "load", "stage", "mapped_upload"]);
    keys(&first["phases_ns"], &["pack", "submit"]);
    let last = &events[3];
    let words = ["direction", "scope", "cause", "method"].map(|key| last[key].as_str().unwrap());
    assert_eq!(words, ["device_to_host", "", "read", "mapped_readback"]);
    keys(&last["phases_ns"], &["wait", "device_copy", "map", "host_copy"]);
    assert!(first["start_ns"].as_u64() < last["start_ns"].as_u64());
}
