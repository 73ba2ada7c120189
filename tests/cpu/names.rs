//! Names from files, wherever they are shown.

use longshore::error::escaped;
use longshore::import::onnx::OnnxModel;
use longshore::ledger::{Cause, Direction, Site};
use longshore::{Activation, Error, Graph, HostArray, Passes, Shape};
use ndarray::{Array2, array};

use crate::ledger::noop;

/// Clears a screen, rings, turns the writing around, and makes a line of its own.
const NAME: &str =
    "\u{1b}[2J\u{9b}1m\u{7}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\nerror: none\r\t\u{200b}";

/// Asserts that a text shows the name, and nothing of it as it is.
#[track_caller]
fn assert_shown(text: &str, lines: usize) {
    assert!(text.contains(&escaped(NAME).to_string()), "{text:?}");
    assert_eq!(text.lines().count(), lines, "{text}");
    for line in text.lines() {
        assert_eq!(escaped(line).to_string(), line);
    }
}

#[test]
fn errors_show_names_escaped() {
    let name = || NAME.to_owned();
    let io = || std::io::Error::other(NAME);
    let errors = [
        Error::Operand {
            node: name(),
            operand: name(),
            got: name(),
            expected: name(),
            shapes: name(),
            remedy: name(),
        },
        Error::Name { node: name(), problem: name(), name: name(), known: name(), remedy: name() },
        Error::Unsupported { node: name(), what: name(), remedy: name() },
        Error::Dtype { array: name(), dtype: name(), reason: "it is text".to_owned() },
        Error::Format { file: name(), part: name(), got: name(), expected: name(), remedy: name() },
        Error::Io { path: NAME.into(), action: "open", reason: io() },
        Error::NonFinite {
            array: name(),
            nan_count: 1,
            infinite_count: 0,
            element_count: 1,
            first_index: vec![0],
            first_value: f64::NAN,
        },
        Error::Overflow { array: name(), count: 1, first_index: vec![0], first_value: 1e39 },
        Error::Limit {
            node: name(),
            tensor: name(),
            needed: 2,
            unit: "bytes",
            limit_name: name(),
            limit: Some(1),
            remedy: name(),
        },
        Error::Crossing {
            guard: name(),
            direction: Direction::HostToDevice,
            label: name(),
            bytes: 1,
            cause: Cause::Stage,
            site: Site::here(),
            reason: name(),
        },
        Error::NoAdapter { asked: name(), found: name(), remedy: name() },
        Error::OutOfMemory { doing: name(), bytes: 1, remedy: name() },
        Error::Timeout { doing: name(), waited_for: name(), limit: std::time::Duration::ZERO },
    ];
    for error in errors {
        let lines = if matches!(error, Error::Operand { .. }) { 2 } else { 1 };
        assert_shown(&error.to_string(), lines);
        let import = Error::Import { file: name(), node: name(), source: Box::new(error) };
        assert_shown(&import.to_string(), lines);
    }
    // Messages of drivers and compilers, whose own lines become one.
    for error in [
        Error::Device { doing: name(), message: name(), remedy: name() },
        Error::DeviceLost { doing: name(), reason: name() },
        Error::Wgsl { kernel: name(), line: 1, column: 1, message: name() },
    ] {
        assert_shown(&error.to_string(), 1);
    }
}

/// A layer and a function, named so.
fn network() -> Graph {
    let mut g = Graph::new();
    let x = g.input(NAME, Shape::batch([2]));
    let kernel = HostArray::from(array![[1.0_f32, 2.0], [3.0, 4.0]]).with_name(NAME);
    let weights = longshore::LayerWeights::new(kernel);
    let y = g.dense(x, longshore::Dense::new(2).name(format!("dense {NAME}")), &weights).unwrap();
    let y = g.activation(y, Activation::Relu).unwrap();
    g.output(NAME, y);
    g
}

#[test]
fn graphs_plans_and_reports_show_names_escaped() {
    let g = network();
    assert_shown(&g.to_string(), 4);
    let plan = g.plan(1).unwrap();
    let text = plan.to_string();
    assert_shown(&text, text.lines().count());
    assert!(!text.contains("\nerror"), "{text}");
    let report = Passes::all().run(&g).unwrap().1.to_string();
    assert_shown(&report, 2);
}

#[test]
fn ledgers_show_labels_escaped() {
    let rt = noop();
    let _ledger_scope = rt.stage(NAME, Array2::<f32>::zeros((1, 2))).unwrap();
    let text = rt.ledger().to_string();
    assert_shown(&text, text.lines().count());
    assert!(!text.contains("\nerror"), "{text}");
}

#[test]
fn names_of_models_are_shown_escaped() {
    let error = OnnxModel::from_bytes(NAME, b"none").unwrap_err();
    assert_shown(&error.to_string(), 1);
}
