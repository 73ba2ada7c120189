//! Names from files on a terminal.

use std::fs;

use longshore::error::escaped;
use longshore::{Activation, Graph};
use serde_json::Value;

use super::models::{self, Folder};
use super::support::longshore;

/// Clears the screen, turns the writing around, and makes a line of its own.
const NAME: &str =
    "\u{1b}[2J\u{9b}1m\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\nlongshore: fine\r\t";

#[track_caller]
fn assert_harmless(text: &str) {
    for line in text.lines() {
        assert_eq!(escaped(line).to_string(), line);
        assert!(!line.starts_with("longshore: fine"), "{text}");
    }
}

#[test]
fn no_name_of_a_model_steers_the_terminal() {
    let folder = Folder::new("names");
    fs::create_dir_all(folder.path()).expect("a folder");
    let mut g = Graph::new();
    let x = g.input(NAME, [1, 2]);
    let y = g.activation(x, Activation::Relu).expect("a function");
    let y = g.activation(y, Activation::Tanh).expect("a function");
    g.output(format!("y{NAME}"), y);
    let path = folder.file("net.json");
    g.save(&path).expect("a saved graph");
    let text = longshore(&["inspect", &path]).succeeded().stdout;
    assert!(text.contains(&format!("input      {} float32 [1, 2]\n", escaped(NAME))), "{text}");
    assert_harmless(&text);
    // Programs get the names as they are.
    let json = longshore(&["inspect", "--json", &path]).succeeded().stdout;
    assert_harmless(&json);
    let found: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(found["inputs"][0]["name"], NAME);
    assert_eq!(found["outputs"][0], format!("y{NAME}"));
    // Errors are one line, of the command and of the library.
    let output = folder.file("out");
    let finished = longshore(&["run", &path, "--output", &output]);
    assert!(finished.failed().contains("\\u{1b}[2J"), "{}", finished.stderr);
    assert_harmless(&finished.stderr);
    let wide = models::array("names-x", &[1, 3], &[0.0; 3]);
    let input = format!("{NAME}={}", wide.path());
    let finished = longshore(&["run", &path, "--input", &input, "--output", &output]);
    assert!(finished.failed().contains("has shape [1, 3]"), "{}", finished.stderr);
    assert_harmless(&finished.stderr);
    // Outputs' files have no such names.
    let x = models::array("names-x-2", &[1, 2], &[0.0; 2]);
    let input = format!("{NAME}={}", x.path());
    let run = ["run", &path, "--input", &input, "--output", &output, "--adapter", "host"];
    longshore(&run).succeeded();
    let files = fs::read_dir(&output).expect("a folder").map(|entry| entry.expect("a file"));
    for file in files {
        assert_harmless(file.file_name().to_str().expect("UTF-8"));
    }
}

#[test]
fn no_name_in_a_damaged_file_steers_the_terminal() {
    let folder = Folder::new("damaged-names");
    fs::create_dir_all(folder.path()).expect("a folder");
    let path = folder.file("net.json");
    let text = serde_json::json!({"format": NAME, "version": 1}).to_string();
    fs::write(&path, text).expect("a file");
    let finished = longshore(&["inspect", &path]);
    assert_harmless(finished.failed());
    fs::write(&path, format!("{{\"format\": \"longshore graph\", {NAME}")).expect("a file");
    assert_harmless(longshore(&["inspect", &path]).failed());
    // A model that has an operator of that name.
    let path = folder.file("net.onnx");
    let field = |number: u8, bytes: &[u8]| {
        [&[number << 3 | 2, u8::try_from(bytes.len()).expect("short")], bytes].concat()
    };
    let node = [field(2, b"y"), field(3, NAME.as_bytes()), field(4, b"\x1b[31mRelu")].concat();
    let model = [field(8, &[0x10, 13]), field(7, &field(1, &node))].concat();
    fs::write(&path, model).expect("a file");
    let finished = longshore(&["inspect", &path]);
    assert!(finished.failed().contains("\\u{1b}[31mRelu"), "{}", finished.stderr);
    assert_harmless(&finished.stderr);
}
