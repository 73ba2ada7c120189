//! Saved graphs as models: `longshore convert`, and what run, inspect and verify make of them.

use std::fs;

use serde_json::{Value, json};

use super::models::{self, Folder, case, model, read};
use super::support::{Finished, adapter, longshore};

const CONV: &str = "test_conv_with_strides_padding";

/// The fixture of the library: images of (batch, 4, 4, 1), three scores.
fn network() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/saved/v1.json");
    path.to_owned()
}

/// Converts the model of two layers, whose batch is 2, into a folder.
fn converted(folder: &Folder, more: &[&str]) -> String {
    fs::create_dir_all(folder.path()).unwrap();
    let output = folder.file("layers.json");
    let model = model("layers");
    let arguments = ["convert", &model, "--dim", "batch=2", "--output", &output];
    let stdout = longshore(&[&arguments, more].concat()).succeeded().stdout;
    assert!(stdout.starts_with(&format!("saved      {output}: ")), "{stdout}");
    output
}

fn run(model: &str, folder: &Folder, inputs: &[&str], more: &[&str]) -> Finished {
    let path = folder.path();
    let mut arguments = vec!["run", model, "--output", &path, "--adapter", "host"];
    for input in inputs {
        arguments.extend(["--input", input]);
    }
    arguments.extend(more);
    longshore(&arguments)
}

#[test]
fn a_converted_model_gives_what_the_model_gives() {
    let (folder, before, after) =
        (Folder::new("conv-json"), Folder::new("conv-onnx"), Folder::new("conv-saved"));
    fs::create_dir_all(folder.path()).unwrap();
    let output = folder.file("conv.json");
    let (x, w) = (case(CONV, "in.x.npy"), case(CONV, "in.W.npy"));
    let (x, w) = (format!("x={x}"), format!("W={w}"));
    let onnx = case(CONV, "model.onnx");
    let finished = longshore(&["convert", &onnx, "--input", &w, "--output", &output]).succeeded();
    assert_eq!(finished.stdout, format!("saved      {output}: 4 nodes became 4\n"));
    assert_eq!(finished.stderr, "");
    let [description, weights] = <[String; 2]>::try_from(folder.files()).unwrap();
    assert_eq!(description, "conv.json");
    let digest = weights.strip_prefix("conv.weights.").unwrap().strip_suffix(".npz").unwrap();
    assert_eq!(digest.len(), 16, "{weights}");
    run(&onnx, &before, &[&x, &w], &[]).succeeded();
    // The layer's weights are in the file.
    run(&output, &after, &[&x], &[]).succeeded();
    assert_eq!(read(&before.file("y.npy")), read(&after.file("y.npy")));
}

#[test]
fn passes_are_run_unless_they_are_left_out() {
    let nodes = |path: &str| {
        let text = fs::read_to_string(path).unwrap();
        let description: Value = serde_json::from_str(&text).unwrap();
        description["nodes"].as_array().unwrap().len()
    };
    let folder = Folder::new("passes");
    let with = nodes(&converted(&folder, &[]));
    let without = nodes(&converted(&folder, &["--no-passes"]));
    assert!(with < without, "{with} and {without}");
    // A saved graph is converted too: its passes are run now.
    let (from, to) = (folder.file("layers.json"), folder.file("again.json"));
    let stdout = longshore(&["convert", &from, "--output", &to]).succeeded().stdout;
    assert_eq!(stdout, format!("saved      {to}: {without} nodes became {with}\n"));
    assert_eq!(nodes(&to), with);
}

#[test]
fn the_batch_is_that_of_the_inputs() {
    let folder = Folder::new("batch");
    let values: Vec<f32> = (0..48).map(|number| number as f32).collect();
    let images = models::array("batch-images", &[3, 4, 4, 1], &values);
    let input = format!("image={}", images.path());
    let keep = ["--keep", "edges", "--keep", "scores", "--dim", "batch=3"];
    run(&network(), &folder, &[&input], &keep).succeeded();
    assert_eq!(folder.files(), ["again.npy", "edges.npy", "flat.npy", "scores.npy"]);
    assert_eq!(read(&folder.file("scores.npy")).shape(), [3, 3]);
    let [edges, flat] = ["edges.npy", "flat.npy"].map(|name| read(&folder.file(name)));
    assert_eq!(edges.shape(), [3, 4, 4, 2]);
    // What is flat is what is kept.
    assert!(edges.iter().eq(flat.iter()));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let folder = Folder::new("refused");
    let file = network();
    let images = models::array("refused-images", &[3, 4, 4, 1], &[0.5; 48]);
    let wide = models::array("refused-wide", &[3, 4, 5, 1], &[0.5; 60]);
    let none = models::array("refused-none", &[0, 4, 4, 1], &[]);
    let [input, wide, none] =
        [&images, &wide, &none].map(|array| format!("image={}", array.path()));
    let refusals: [(&[&str], &[&str], &str); 7] = [
        (
            &[&input],
            &["--dim", "batch=2"],
            "the batch is 2 by --dim batch but 3 by input \"image\"; give one",
        ),
        (
            &[&input],
            &["--dim", "height=4"],
            "there is no dimension \"height\" to bind; of a saved graph \"batch\" alone is open",
        ),
        (&[&wide], &[], "input \"image\" has shape [3, 4, 5, 1] but [batch, 4, 4, 1] is expected"),
        (&[&none], &[], "the batch is 0 by input \"image\"; give at least 1 item"),
        (
            &[&input],
            &["--keep", "nothing"],
            "there is no node \"nothing\" to keep; inspect it to see those there are",
        ),
        (
            &[],
            &[],
            "input \"image\" is missing; the model takes image float32 [batch, 4, 4, 1]; give each with --input NAME=FILE.npy",
        ),
        (
            &[&input, "x=y.npy"],
            &[],
            "there is no input \"x\"; the model takes image float32 [batch, 4, 4, 1]",
        ),
    ];
    for (inputs, more, expected) in refusals {
        let finished = run(&file, &folder, inputs, more);
        assert_eq!(finished.failed(), format!("longshore: {file}: {expected}"));
        assert!(folder.files().is_empty());
    }
    // All dimensions of a converted model were bound.
    let layers = Folder::new("refused-layers");
    let saved = converted(&layers, &[]);
    let finished = longshore(&["inspect", &saved, "--dim", "batch=2"]);
    let expected = "there is no dimension \"batch\" to bind; of a saved graph none is open";
    assert!(finished.failed().ends_with(expected), "{}", finished.stderr);
}

#[test]
fn conversions_that_bind_nothing_or_write_over_themselves_are_refused() {
    let folder = Folder::new("over");
    let saved = converted(&folder, &[]);
    let finished = longshore(&["convert", &saved, "--output", &saved]);
    let expected = "the model would be written over itself; give another --output";
    assert_eq!(finished.failed(), format!("longshore: {saved}: {expected}"));
    let other = folder.file("other.json");
    for option in [["--dim", "batch=2"], ["--input-shape", "x=2x3"]] {
        let finished = longshore(&[&["convert", &saved, "--output", &other], &option[..]].concat());
        let expected =
            "a saved graph keeps its batch open; leave out --dim, --input and --input-shape";
        assert_eq!(finished.failed(), format!("longshore: {saved}: {expected}"));
    }
    let layers = model("layers");
    let finished =
        longshore(&["convert", &layers, "--dim", "batch=2", "--output", &folder.file("x.onnx")]);
    assert!(finished.failed().contains("a saved graph is NAME.json"), "{}", finished.stderr);
    assert_eq!(folder.files().len(), 2, "{:?}", folder.files());
}

#[test]
fn inspect_prints_a_saved_graph() {
    let file = network();
    let stdout =
        longshore(&["inspect", &file, "--input-shape", "image=5x4x4x1"]).succeeded().stdout;
    let lines = [
        &*format!("model      {file}, a saved graph"),
        "input      image float32 [batch, 4, 4, 1]",
        "output     scores float32 [5, 3]",
        "output     flat float32 [5, 32]",
        "operator   conv2d 1",
        "operator   dense 1",
        "operator   reshape 1",
        "weights    476 bytes",
    ];
    for line in lines {
        assert!(stdout.lines().any(|found| found == line), "no line {line:?} in:\n{stdout}");
    }
    assert!(stdout.contains("plan for batch 5: 2 steps"), "{stdout}");
    let stdout = longshore(&["inspect", "--json", &file]).succeeded().stdout;
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["operator_set"], Value::Null);
    assert_eq!(found["outputs"], json!(["scores", "again", "flat"]));
    assert_eq!(found["inputs"][0]["dims"], json!(["batch", 4, 4, 1]));
    assert_eq!(found["plan"]["inputs"][0]["shape"], json!([1, 4, 4, 1]));
}

#[test]
fn verify_compares_a_saved_graph() {
    let name = adapter();
    let finished = longshore(&["verify", "--adapter", &name, &network(), "--dim", "batch=2"]);
    let stdout = finished.succeeded().stdout;
    let counts = "compared   nodes: 3, outputs of the plan with passes: 3\n";
    assert!(stdout.starts_with(counts), "{stdout}");
}

#[test]
fn files_that_are_no_saved_graph_are_one_line() {
    let folder = Folder::new("no-graph");
    fs::create_dir_all(folder.path()).unwrap();
    let file = folder.file("x.json");
    let missing = longshore(&["inspect", &file]);
    assert!(missing.failed().contains("x.json: cannot open: "), "{}", missing.stderr);
    fs::write(&file, "{\"format\": \"longshore graph\", \"version\": 2}").unwrap();
    let expected = "version is 2 but version 1 is read; use the version of longshore that wrote it";
    let finished = longshore(&["inspect", &file]);
    assert_eq!(finished.failed(), format!("longshore: {file}: {expected}"));
}
