//! `longshore run`: what it writes, prints and refuses.

use longshore::HostArray;
use ndarray::{Array2, array};
use serde_json::Value;

use super::models::{self, Folder, assert_close, case, model, read};
use super::support::{Finished, Scratch, adapter, longshore};

const CONV: &str = "test_conv_with_strides_padding";

/// Runs `longshore run MODEL --output FOLDER` with inputs and further options.
fn run(model: &str, folder: &Folder, inputs: &[(&str, &str)], more: &[&str]) -> Finished {
    let inputs: Vec<String> = inputs.iter().map(|(name, file)| format!("{name}={file}")).collect();
    let path = folder.path();
    let mut arguments = vec!["run", model, "--output", &path];
    for input in &inputs {
        arguments.extend(["--input", input]);
    }
    if !more.contains(&"--adapter") {
        arguments.extend(["--adapter", "host"]);
    }
    arguments.extend(more);
    longshore(&arguments)
}

fn conv(folder: &Folder, more: &[&str]) -> Finished {
    let (x, w) = (case(CONV, "in.x.npy"), case(CONV, "in.W.npy"));
    run(&case(CONV, "model.onnx"), folder, &[("x", &x), ("W", &w)], more)
}

/// Inputs of `layers.onnx`, and the sum before its two outputs, in which nothing rounds.
fn sums(name: &str) -> (Scratch, Array2<f32>) {
    let values = [1.0, 2.0, 3.0, 4.0, -5.0, 6.0];
    let file = models::array(&format!("{name}-x"), &[2, 3], &values);
    let x = Array2::from_shape_vec((2, 3), values.to_vec()).unwrap();
    let kernel = array![[1.0, -2.0], [0.5, 4.0], [-1.0, 1.0]];
    (file, x.dot(&kernel) + array![0.25, -8.0])
}

#[test]
fn the_output_is_what_onnx_says_on_both_executors() {
    let device = adapter();
    for adapter in ["host", &device] {
        let folder = Folder::new(&format!("conv-{}", adapter.len()));
        let finished = conv(&folder, &["--adapter", adapter]).succeeded();
        assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("", ""));
        assert_eq!(folder.files(), ["y.npy"]);
        assert_close(&folder.file("y.npy"), &case(CONV, "out.y.npy"));
    }
}

#[test]
fn inputs_keep_their_types() {
    let folder = Folder::new("types");
    let mask = models::array("types-mask", &[3], &[255.0, 0.0, -0.5]);
    let ids = models::array("types-ids", &[3], &[1.0, 2.0, 255.0]);
    let wrong = models::array("types-wrong", &[3], &[1.0, 2.5, 300.0]);
    std::fs::create_dir_all(folder.path()).unwrap();
    let saved = format!("{}/types.json", folder.path());
    longshore(&["convert", &model("types"), "--output", &saved]).succeeded();
    for model in [model("types"), saved] {
        run(&model, &folder, &[("mask", mask.path()), ("ids", ids.path())], &[]).succeeded();
        assert_eq!(read(&folder.file("y.npy")), array![1.0, 0.0, 255.0].into_dyn());
        let refused = run(&model, &folder, &[("mask", mask.path()), ("ids", wrong.path())], &[]);
        let text = "input \"ids\": element [1] is 2.5 but it takes whole numbers from 0 to 255";
        assert!(refused.failed().contains(text), "{}", refused.stderr);
    }
}

#[test]
fn inputs_that_shape_the_network_are_bound() {
    for name in ["test_resize_upsample_scales_linear", "test_resize_upsample_sizes_nearest"] {
        let folder = Folder::new(name);
        let second = if name.contains("scales") { "scales" } else { "sizes" };
        let (x, shape) = (case(name, "in.X.npy"), case(name, &format!("in.{second}.npy")));
        let inputs = [("X", x.as_str()), (second, shape.as_str())];
        run(&case(name, "model.onnx"), &folder, &inputs, &[]).succeeded();
        assert_close(&folder.file("Y.npy"), &case(name, "out.Y.npy"));
    }
}

#[test]
fn files_have_safe_names_and_kept_values_are_written_too() {
    let folder = Folder::new("layers");
    let (x, sum) = sums("kept");
    let keep = ["--keep", "shift", "--keep", "product", "--keep", "shift", "--dim", "batch=2"];
    run(&model("layers"), &folder, &[("x", x.path())], &keep).succeeded();
    // Letters of outputs that differ by case alone are escaped.
    let names = ["%4F%55%54%2Frelu%3A0.npy", "out%2Frelu%3A0.npy", "product.npy", "sum.npy"];
    assert_eq!(folder.files(), names);
    let [minus, relu, product, kept] = names.map(|name| read(&folder.file(name)));
    assert_eq!(kept, sum.clone().into_dyn());
    assert_eq!(minus, (-&sum).into_dyn());
    assert_eq!(relu, sum.mapv(|value| value.max(0.0)).into_dyn());
    assert_eq!(product, (sum - array![[0.25, -8.0]]).into_dyn());
}

#[test]
fn arrays_of_any_dtype_are_staged() {
    let which = array![[true, false, true], [false, false, true]];
    let which = models::write("which", &HostArray::from(which));
    let x = models::write("choice-x", &HostArray::from(array![[1i64, 2, 3], [4, 5, 6]]));
    let y = models::write("choice-y", &HostArray::from(array![-0.5f64, -1.5, -2.5]));
    let folder = Folder::new("choice");
    let inputs = [("which", which.path()), ("x", x.path()), ("y", y.path())];
    run(&model("choice"), &folder, &inputs, &[]).succeeded();
    let expected = array![[1.0, -1.5, 3.0], [-0.5, -1.5, 6.0]];
    assert_eq!(read(&folder.file("z.npy")), expected.into_dyn());
}

#[test]
fn repeated_runs_print_one_line() {
    let folder = Folder::new("repeat");
    let finished = conv(&folder, &["--repeat", "3"]).succeeded();
    assert_eq!(finished.stderr, "");
    let line = finished.stdout.strip_suffix('\n').unwrap();
    let rest = line.strip_prefix("run: median ").unwrap();
    let (median, rest) = rest.split_once(" ms, min ").unwrap();
    let (least, rest) = rest.split_once(" ms, ").unwrap();
    assert_eq!(rest, "3 runs");
    let [median, least] = [median, least].map(|number| number.parse::<f64>().unwrap());
    assert!(0.0 < least && least <= median, "{line}");
    assert_eq!(folder.files(), ["y.npy"]);
}

#[test]
fn the_ledger_shows_that_runs_move_nothing() {
    let file = Scratch::new("run-ledger.json");
    let folder = Folder::new("ledger");
    let device = adapter();
    let options = ["--adapter", &device, "--repeat", "4", "--ledger", file.path()];
    conv(&folder, &options).succeeded();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let ledger: Value = serde_json::from_str(&text).unwrap();
    let crossings = |direction: &str| -> Vec<(String, u64)> {
        let events = ledger["events"].as_array().unwrap().iter();
        let events = events.filter(|event| event["direction"] == direction);
        events
            .map(|event| {
                let label = event["label"].as_str().unwrap().to_owned();
                (label, event["payload_bytes"].as_u64().unwrap())
            })
            .collect()
    };
    let uploads = crossings("host_to_device");
    let labels: Vec<&str> = uploads.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["weights", "parameters", "x"]);
    assert_eq!((uploads[0].1, uploads[2].1), (4 * 9, 4 * 7 * 5));
    assert_eq!(crossings("device_to_host"), [("y".to_owned(), 4 * 12)]);
}

#[test]
fn what_is_not_finite_follows_the_policy() {
    let x = models::array("nan", &[1, 3], &[1.0, f32::NAN, 1.0]);
    let folder = Folder::new("non-finite");
    let go = |more: &[&str]| run(&model("layers"), &folder, &[("x", x.path())], more);
    let line = go(&[]);
    assert!(line.failed().contains("array \"x\": 1 NaN and 0 infinite of 3 elements"));
    go(&["--non-finite", "replace=2"]).succeeded();
    // 1 + 2 / 2 - 1 + 0.25 and -2 + 2 * 4 + 1 - 8, which is below 0.
    let expected = array![[1.25, 0.0]];
    assert_eq!(read(&folder.file("out%2Frelu%3A0.npy")), expected.into_dyn());
    go(&["--non-finite", "allow"]).succeeded();
    let values = read(&folder.file("%4F%55%54%2Frelu%3A0.npy"));
    assert!(values.iter().all(|value| value.is_nan()), "{values}");
}

#[test]
fn weights_given_as_inputs_follow_the_policy_too() {
    let folder = Folder::new("weight-policy");
    let x = case(CONV, "in.x.npy");
    let w = models::array("nan-w", &[1, 1, 3, 3], &[f32::NAN; 9]);
    let inputs = [("x", x.as_str()), ("W", w.path())];
    let finished = run(&case(CONV, "model.onnx"), &folder, &inputs, &[]);
    assert!(finished.failed().contains("array \"W\": 9 NaN"), "{}", finished.stderr);
    let options = ["--non-finite", "replace=0"];
    run(&case(CONV, "model.onnx"), &folder, &inputs, &options).succeeded();
    assert!(read(&folder.file("y.npy")).iter().all(|&value| value == 0.0));
}

#[test]
fn values_that_shape_the_network_follow_the_policy_too() {
    let folder = Folder::new("scales-policy");
    let name = "test_resize_upsample_scales_linear";
    let x = case(name, "in.X.npy");
    let scales = models::array("nan-scales", &[4], &[1.0, 1.0, f32::NAN, 2.0]);
    let inputs = [("X", x.as_str()), ("scales", scales.path())];
    let finished = run(&case(name, "model.onnx"), &folder, &inputs, &[]);
    assert!(finished.failed().contains("array \"scales\": 1 NaN"), "{}", finished.stderr);
    let replaced = ["--non-finite", "replace=2"];
    run(&case(name, "model.onnx"), &folder, &inputs, &replaced).succeeded();
    assert_close(&folder.file("Y.npy"), &case(name, "out.Y.npy"));
}

#[test]
fn inputs_that_do_not_fit_the_model_are_listed() {
    let folder = Folder::new("refused");
    let file = case(CONV, "model.onnx");
    let x = case(CONV, "in.x.npy");
    let takes = "the model takes x float32 [1, 1, 7, 5], W float32 [1, 1, 3, 3]";
    let refused = |inputs: &[(&str, &str)], expected: &str| {
        let finished = run(&file, &folder, inputs, &[]);
        assert_eq!(finished.failed(), format!("longshore: {file}: {expected}"));
    };
    let give = "give each with --input NAME=FILE.npy";
    refused(&[("x", &x)], &format!("input \"W\" is missing; {takes}; {give}"));
    refused(&[], &format!("inputs \"x\", \"W\" are missing; {takes}; {give}"));
    refused(&[("q", &x)], &format!("there is no input \"q\"; {takes}"));
    let twice = format!("input \"x\" is given twice; {takes}; give it once");
    refused(&[("x", &x), ("x", &x)], &twice);
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = Folder::new("unusable");
    let w = case(CONV, "in.W.npy");
    let refused = |model: &str, x: &str, expected: &str| {
        let finished = run(model, &folder, &[("x", x), ("W", &w)], &[]);
        let line = finished.failed();
        assert!(line.contains(expected), "{line}");
    };
    let file = case(CONV, "model.onnx");
    refused(&file, "/missing/x.npy", "/missing/x.npy: cannot open: ");
    refused(&file, &file, "npy header does not start with the magic");
    refused("/missing.onnx", &w, "/missing.onnx: cannot open: ");
    refused(&w, &w, "the file cannot be decoded");
    refused(&file, &w, "input \"x\" has shape [1, 1, 3, 3] but the model declares [1, 1, 7, 5]");
}

#[test]
fn names_and_lengths_that_are_not_the_models_are_refused() {
    let folder = Folder::new("names");
    let (x, _) = sums("names");
    let refused = |more: &[&str], expected: &str| {
        let finished = run(&model("layers"), &folder, &[("x", x.path())], more);
        let line = finished.failed();
        assert!(line.contains(expected), "{line}");
    };
    refused(&["--keep", "nobody"], "there is no node or value named \"nobody\"");
    let unknown = "no input has a dimension named \"width\"; known: batch; bind what the model";
    refused(&["--dim", "width=2"], unknown);
    let twice = "dimension \"batch\" is bound twice; bind it once";
    refused(&["--dim", "batch=2", "--dim", "batch=2"], twice);
    refused(&["--dim", "batch=3"], "has batch = 2, which is 3 too");
    refused(&["--adapter", "nonsense"], "\"nonsense\"");
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn folders_and_ledgers_that_cannot_be_written_are_named() {
    let file = models::array("in-the-way", &[1], &[0.0]);
    let (x, _) = sums("folders");
    let input = format!("x={}", x.path());
    let path = format!("{}/below", file.path());
    let layers = model("layers");
    let arguments = ["run", &layers, "--input", &input, "--output", &path];
    let finished = longshore(&arguments);
    let expected = format!("longshore: {path}: cannot make the folder: ");
    assert!(finished.failed().starts_with(&expected), "{}", finished.stderr);

    let folder = Folder::new("no-ledger");
    let finished = run(&layers, &folder, &[("x", x.path())], &["--ledger", &path]);
    assert!(finished.failed().contains(&path), "{}", finished.stderr);
}

#[test]
fn outputs_that_name_no_file_are_refused() {
    let x = models::array("long-x", &[2], &[1.0, 2.0]);
    let folder = Folder::new("long");
    let finished = run(&model("long_name"), &folder, &[("x", x.path())], &[]);
    let line = finished.failed();
    assert!(line.contains("cannot name a file: 304 bytes but file systems allow 255"), "{line}");
    assert!(folder.files().is_empty(), "{:?}", folder.files());
}

#[test]
fn wrong_values_of_options_are_wrong_usage() {
    let layers = model("layers");
    let wrong: [(&[&str], &str); 9] = [
        (&[], "--output"),
        (&["--output", "d", "--input", "x"], "NAME=FILE.npy is expected"),
        (&["--output", "d", "--input", "x="], "input \"x\" has no file"),
        (&["--output", "d", "--dim", "batch"], "NAME=N is expected"),
        (&["--output", "d", "--dim", "batch=-1"], "\"-1\" is no length for \"batch\""),
        (&["--output", "d", "--repeat", "0"], "0 is not in 1.."),
        (&["--output", "d", "--non-finite", "keep"], "none of reject, replace=V and allow"),
        (&["--output", "d", "--non-finite", "replace=x"], "none of reject, replace=V and allow"),
        (&["--output", "d", "--non-finite", "replace=inf"], "is not finite"),
    ];
    for (options, expected) in wrong {
        let finished = longshore(&[&["run", &layers], options].concat());
        assert_eq!(finished.status, Some(2), "{options:?}: {}", finished.stderr);
        assert!(finished.stderr.contains(expected), "{options:?}: {}", finished.stderr);
    }
}
