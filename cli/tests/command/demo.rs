//! `longshore demo`, run as users run it, on an adapter (without one most tests fail) and on
//! the host.

use super::support::{Scratch, adapter, demo, longshore, longshore_with};
use serde_json::Value;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a count"))
}

fn only<'a>(events: &'a [Value], key: &str, wanted: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event[key] == wanted).collect()
}

/// Runs the demo on an adapter and returns its ledger.
fn ledger_of_a_demo(name: &str) -> Value {
    ledger_of_a_demo_on(&adapter(), name)
}

fn ledger_of_a_demo_on(adapter: &str, name: &str) -> Value {
    let file = Scratch::new(name);
    longshore(&["demo", "--adapter", adapter, "--ledger", file.path()]).succeeded();
    let text = std::fs::read_to_string(file.path()).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_report_states_what_is_promised() {
    let stdout = demo(&[]).succeeded().stdout;
    for part in [
        "358 of 359 unseen images are recognized",
        "The 12 runs moved nothing between host and device",
        "25 images of zeros, whose answers are discarded",
        "ledger of ",
    ] {
        assert!(stdout.contains(part), "{part:?} is not in:\n{stdout}");
    }
}

#[test]
fn the_ledger_has_each_crossing_once() {
    let ledger = ledger_of_a_demo("crossings.json");
    assert_eq!(ledger["schema"], 1);
    assert!(!ledger["adapter"]["name"].as_str().unwrap().is_empty());
    let events = ledger["events"].as_array().unwrap();

    let uploads = only(events, "direction", "host_to_device");
    let row = |event: &Value| {
        let text = |key: &str| event[key].as_str().unwrap().to_owned();
        (text("label"), text("cause"), number(&event["payload_bytes"]))
    };
    let weights = 4 * (3 * 3 * 32 + 32 + 3 * 3 * 32 * 32 + 32 + 2048 * 10 + 10);
    let [images, staged_weights, parameters] = uploads.as_slice() else {
        panic!("{} uploads", uploads.len());
    };
    assert_eq!(row(images), ("test images".into(), "stage".into(), 384 * 8 * 8 * 4));
    assert_eq!(row(staged_weights), ("weights".into(), "stage".into(), weights));
    let (label, cause, _) = row(parameters);
    assert_eq!((label.as_str(), cause.as_str()), ("parameters", "prepare"));

    let reads = only(events, "direction", "device_to_host");
    assert_eq!(reads.len(), 384 / 32);
    for read in reads {
        assert_eq!(row(read), ("probabilities".into(), "read".into(), 32 * 10 * 4));
        assert_eq!(read["padding_bytes"], 0);
        for phase in ["wait", "device_copy", "map", "host_copy"] {
            assert!(read["phases_ns"][phase].is_u64(), "{read}");
        }
    }
}

#[test]
fn no_run_moves_anything() {
    let ledger = ledger_of_a_demo("runs.json");
    let events = ledger["events"].as_array().unwrap();
    let runs = only(events, "cause", "run");
    assert!(runs.is_empty(), "{runs:?}");
}

#[test]
fn totals_are_the_sums_of_the_events() {
    let ledger = ledger_of_a_demo("totals.json");
    let events = ledger["events"].as_array().unwrap();
    for (place, event) in (0u64..).zip(events) {
        assert_eq!(event["seq"], place);
    }
    for direction in ["host_to_device", "device_to_host", "device_internal", "host_internal"] {
        let those = only(events, "direction", direction);
        let total = &ledger["totals"][direction];
        let sum = |key: &str| those.iter().map(|event| number(&event[key])).sum::<u64>();
        assert_eq!(number(&total["count"]), those.len() as u64, "{direction}");
        assert_eq!(number(&total["payload_bytes"]), sum("payload_bytes"), "{direction}");
        assert_eq!(number(&total["padding_bytes"]), sum("padding_bytes"), "{direction}");
    }
}

#[test]
fn the_picture_is_a_png_of_the_stated_size() {
    let file = Scratch::new("sheet.png");
    let stdout = demo(&["--picture", file.path()]).succeeded().stdout;
    let decoder =
        png::Decoder::new(std::io::BufReader::new(std::fs::File::open(file.path()).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let size = format!("{}x{} pixels", frame.width, frame.height);
    assert!(stdout.contains(&size), "{size} is not in:\n{stdout}");
    assert_eq!(frame.color_type, png::ColorType::Rgb);
    assert_eq!(pixels.len() as u64, 3 * u64::from(frame.width) * u64::from(frame.height));
    // One answer is wrong, and its frame is red.
    assert!(pixels.as_chunks::<3>().0.contains(&[242, 92, 84]));
}

#[test]
fn files_that_cannot_be_written_are_named() {
    let missing = format!("{}/missing", env!("CARGO_TARGET_TMPDIR"));
    for option in ["--ledger", "--picture"] {
        let path = format!("{missing}/file");
        let finished = longshore(&["demo", option, &path]);
        assert!(finished.failed().contains(&path), "{}", finished.stderr);
    }
}

#[test]
fn adapters_that_are_not_there_are_one_line() {
    let finished = longshore(&["demo", "--adapter", "nonsense"]);
    assert!(finished.failed().contains("\"nonsense\""), "{}", finished.stderr);
    assert_eq!(finished.stdout, "");
}

#[test]
fn an_adapter_can_be_chosen_by_a_part_of_its_name() {
    let name = adapter().to_uppercase();
    let stdout = longshore(&["demo", "--adapter", &name]).succeeded().stdout;
    assert!(stdout.to_uppercase().contains(&name), "{stdout}");
}

#[test]
fn the_host_gives_the_same_answers_and_nothing_crosses() {
    let ledger = ledger_of_a_demo_on("host", "host.json");
    assert_eq!(ledger["adapter"]["backend"], "host");
    for direction in ["host_to_device", "device_to_host", "device_internal"] {
        assert_eq!(ledger["totals"][direction]["count"], 0, "{direction}");
    }
    let events = ledger["events"].as_array().unwrap();
    let packed = only(events, "cause", "stage");
    let labels: Vec<_> = packed.iter().map(|event| event["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["test images", "weights"]);
    assert!(packed.iter().all(|event| event["phases_ns"]["pack"].is_u64()));
    assert_eq!(only(events, "cause", "read").len(), 384 / 32);

    // Both differ from Keras's probabilities by less than 1e-5, or they would have failed; and
    // both recognize the same images.
    let on_host = longshore(&["demo", "--adapter", "host"]).succeeded().stdout;
    let on_device = demo(&[]).succeeded().stdout;
    for stdout in [&on_host, &on_device] {
        assert!(stdout.contains("358 of 359 unseen images are recognized"), "{stdout}");
    }
    assert!(on_host.contains("Nothing else crossed either"), "{on_host}");
}

#[test]
#[cfg(target_os = "linux")] // the loader's variables are those of Vulkan on Linux
fn without_a_driver_the_host_is_taken_and_an_adapter_is_one_line() {
    let none = [("VK_DRIVER_FILES", "/dev/null"), ("VK_ICD_FILENAMES", "/dev/null")];
    let demo = longshore_with(&["demo"], &none).succeeded();
    assert!(demo.stdout.starts_with("adapter     host ("), "{}", demo.stdout);
    assert_eq!(demo.stderr, "");
    let listed = longshore_with(&["adapters"], &none).succeeded().stdout;
    assert!(listed.starts_with("host (") && listed.contains("<- --adapter auto"), "{listed}");
    let finished = longshore_with(&["demo", "--adapter", "llvmpipe"], &none);
    let line = finished.failed();
    assert!(line.contains("no adapter") && line.contains("mesa-vulkan-drivers"), "{line}");
    assert!(line.contains("--adapter host"), "{line}");
    assert_eq!(finished.stdout, "");
}
