//! Names with signs in them, values that f32 does not have, defaults, and files that would be lost.

use std::fs;

use longshore::HostArray;
use ndarray::{Array2, array};

use super::models::{self, Folder, model, read};
use super::support::{Finished, Scratch, longshore};

/// Runs `corners.onnx` on the host.
fn run(folder: &Folder, inputs: &[(&str, &str)], more: &[&str]) -> Finished {
    let inputs: Vec<String> = inputs.iter().map(|(name, file)| format!("{name}={file}")).collect();
    let (corners, path) = (model("corners"), folder.path());
    let mut arguments = vec!["run", &corners, "--adapter", "host", "--output", &path];
    arguments.extend(inputs.iter().flat_map(|input| ["--input", input]));
    arguments.extend(more);
    longshore(&arguments)
}

fn image(name: &str) -> (Scratch, Array2<f32>) {
    let values = array![[1.0_f32, -2.0, 3.0], [4.0, 5.0, -6.0]];
    (models::write(name, &HostArray::from_view(&values)), values)
}

#[test]
fn a_name_may_have_an_equals_sign() {
    let folder = Folder::new("signs");
    let (x, values) = image("signs=x");
    run(&folder, &[("a=b", x.path())], &[]).succeeded();
    assert_eq!(read(&folder.file("y.npy")), (values * 2.0).into_dyn());
    let finished = run(&folder, &[("a", x.path())], &[]);
    let takes = "the model takes a=b float32 [n, n], and may be given scale float32 [1]";
    let expected = format!("longshore: {}: there is no input \"a\"; {takes}", model("corners"));
    assert_eq!(finished.failed(), expected);
    let shape = ["inspect", &model("corners"), "--input-shape", "a=b=2x3"];
    assert!(longshore(&shape).succeeded().stdout.contains("output     y float32 [2, 3]"));
}

#[test]
fn an_input_with_a_default_may_be_given() {
    let folder = Folder::new("defaults");
    let (x, values) = image("defaults-x");
    let scale = models::array("scale", &[1], &[5.0]);
    run(&folder, &[("a=b", x.path()), ("scale", scale.path())], &[]).succeeded();
    assert_eq!(read(&folder.file("z.npy")), (values * 5.0).into_dyn());
    let text = longshore(&["inspect", &model("corners"), "--dim", "n=2"]).succeeded().stdout;
    assert!(text.contains("input      scale float32 [1], or the file's own"), "{text}");
    let wrong = models::array("wrong-scale", &[2], &[5.0, 6.0]);
    let finished = run(&folder, &[("a=b", x.path()), ("scale", wrong.path())], &[]);
    assert!(finished.failed().contains("has shape [2] but the model declares [1]"));
}

#[test]
fn inputs_and_weights_can_be_kept() {
    let folder = Folder::new("kept-inputs");
    let (x, values) = image("kept-x");
    run(&folder, &[("a=b", x.path())], &["--keep", "a=b", "--keep", "scale"]).succeeded();
    assert_eq!(folder.files(), ["a%3Db.npy", "scale.npy", "y.npy", "z.npy"]);
    assert_eq!(read(&folder.file("a%3Db.npy")), values.into_dyn());
    assert_eq!(read(&folder.file("scale.npy")), array![2.0].into_dyn());
}

#[test]
fn what_f32_does_not_hold_follows_the_policy() {
    let folder = Folder::new("overflow");
    let large = HostArray::from(array![[1e39_f64, 1.0], [-1e300, f64::NAN]]);
    let x = models::write("overflow-x", &large);
    let go = |more: &[&str]| run(&folder, &[("a=b", x.path())], more);
    let options = "give --non-finite replace=V or --non-finite allow";
    let finished = go(&[]);
    assert!(finished.failed().contains("array \"a=b\": 1 NaN"), "{}", finished.stderr);
    assert!(finished.failed().ends_with(options), "{}", finished.stderr);
    go(&["--non-finite", "replace=5"]).succeeded();
    // The clip's open end is the model's own.
    let expected = array![[10.0, 2.0], [10.0, 10.0]].into_dyn();
    assert_eq!(read(&folder.file("y.npy")), expected);
    go(&["--non-finite", "allow"]).succeeded();
    let y = read(&folder.file("y.npy"));
    assert_eq!((y[[0, 0]], y[[1, 0]]), (f32::INFINITY, f32::NEG_INFINITY));
    assert!(y[[1, 1]].is_nan());

    let x = models::write("overflow-alone", &HostArray::from(array![[1e39_f64, 1.0]]));
    let finished = run(&folder, &[("a=b", x.path())], &[]);
    assert!(finished.failed().contains("1 finite values overflow f32"), "{}", finished.stderr);
    assert!(finished.failed().ends_with(options), "{}", finished.stderr);
}

#[test]
fn messages_name_options() {
    let finished = longshore(&["inspect", &model("corners")]);
    let line = finished.failed();
    let options =
        "bind it with --dim NAME=N, with --input-shape, or by the array that --input gives";
    assert!(line.ends_with(options), "{line}");
    assert!(!line.contains("ImportOptions"), "{line}");
}

#[test]
fn no_file_is_written_over_another() {
    let folder = Folder::new("lost");
    let (x, _) = image("lost-x");
    let refused = |ledger: &str, expected: &str| {
        let finished = run(&folder, &[("a=b", x.path())], &["--ledger", ledger]);
        let line = finished.failed();
        assert_eq!(
            line,
            format!("longshore: {ledger}: the ledger would be written over {expected}")
        );
        assert!(folder.files().is_empty(), "{:?}", folder.files());
    };
    let other = "output \"y\"; give another path";
    refused(&folder.file("y.npy"), other);
    refused(&format!("{}/./in/..//y.npy", folder.path()), other);
    refused(&model("corners"), "the model; give another path");
    let model_before = fs::read(model("corners")).unwrap();
    refused(x.path(), "input \"a=b\"; give another path");
    assert_eq!(fs::read(model("corners")).unwrap(), model_before);

    let file = folder.file("both");
    let finished = longshore(&["demo", "--adapter", "host", "--ledger", &file, "--picture", &file]);
    let expected =
        format!("{file}: the picture would be written over the ledger; give another path");
    assert_eq!(finished.failed(), format!("longshore: {expected}"));
}
