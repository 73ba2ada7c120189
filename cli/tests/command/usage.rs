//! Wrong usage, help and the list of adapters.

use super::support::longshore;
use serde_json::Value;

#[test]
fn wrong_usage_is_status_2() {
    let wrong: [&[&str]; 8] = [
        &[],
        &["dance"],
        &["demo", "--ledgr"],
        &["demo", "--ledger"],
        &["adapters", "extra"],
        &["run"],
        &["inspect"],
        &["verify", "model.onnx", "--seed", "-1"],
    ];
    for arguments in wrong {
        let finished = longshore(arguments);
        assert_eq!(finished.status, Some(2), "{arguments:?}: {}", finished.stderr);
        assert!(finished.stderr.contains("help"), "{arguments:?}: {}", finished.stderr);
    }
}

#[test]
fn help_and_version_are_no_failure() {
    let commands = longshore(&["--help"]).succeeded().stdout;
    for command in ["adapters", "convert", "demo", "inspect", "run", "verify"] {
        assert!(commands.contains(&format!("\n  {command} ")), "{command} is not in:\n{commands}");
    }
    assert!(longshore(&["demo", "--help"]).succeeded().stdout.contains("--picture"));
    let version = longshore(&["--version"]).succeeded().stdout;
    assert_eq!(version, format!("longshore {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn both_lists_of_adapters_name_the_same_ones() {
    let json = longshore(&["adapters", "--json"]).succeeded().stdout;
    let list: Value = serde_json::from_str(&json).unwrap();
    let list = list.as_array().unwrap();
    assert_eq!(list.iter().filter(|adapter| adapter["backend"] == "host").count(), 1);
    let text = longshore(&["adapters"]).succeeded().stdout;
    for adapter in list {
        let keys = ["name", "backend", "device_type", "driver"];
        assert!(adapter["backend"] == "host" || adapter["driver"] != "", "{adapter}");
        for key in keys {
            assert!(text.contains(adapter[key].as_str().unwrap()), "{key} is not in:\n{text}");
        }
        assert!(adapter["limits"]["max_storage_buffer_binding_size"].as_u64().unwrap() >= 1 << 27);
    }
}
