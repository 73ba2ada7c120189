//! `longshore verify`, on the first adapter.

use super::models::{self, case, model};
use super::support::{Finished, adapter, longshore, longshore_with};

const CONV: &str = "test_conv_with_strides_padding";

fn verify(arguments: &[&str]) -> Finished {
    let name = adapter();
    longshore(&[&["verify", "--adapter", &name], arguments].concat())
}

#[track_caller]
fn assert_agrees(finished: Finished, nodes: usize, outputs: usize) -> String {
    let stdout = finished.succeeded().stdout;
    let counts = format!("compared   nodes: {nodes}, outputs of the plan with passes: {outputs}\n");
    assert!(stdout.starts_with(&counts), "{stdout}");
    assert!(stdout.contains("\ntolerance  1e-3 of the host's value and 1e-5\n"), "{stdout}");
    assert!(
        stdout.contains(&format!("\nadapter    {}, against the host\n", adapter())),
        "{stdout}"
    );
    let (_, worst) = stdout.split_once("\nworst      ").unwrap();
    worst.to_owned()
}

#[test]
fn every_node_agrees_on_random_inputs() {
    // Products of small powers of two and 24 bits: two additions round, and so little.
    let worst = assert_agrees(verify(&[&model("layers"), "--dim", "batch=64"]), 4, 2);
    assert!(worst.contains(": max abs ") && worst.contains(", max rel "), "{worst}");
}

#[test]
fn inputs_of_any_dtype_are_made_and_given_ones_are_taken() {
    assert_agrees(verify(&[&model("choice")]), 1, 1);
    let x = models::array("verify-x", &[2, 3], &[1.0, f32::NAN, 3.0, 4.0, 5.0, 6.0]);
    let input = format!("x={}", x.path());
    let refused = verify(&[&model("choice"), "--input", &input]);
    assert!(refused.failed().contains("array \"x\": 1 NaN"), "{}", refused.stderr);
    let allowed = ["--non-finite", "allow"];
    let choice = model("choice");
    assert_agrees(verify(&[&[&*choice, "--input", &input], &allowed[..]].concat()), 1, 1);
}

#[test]
fn layers_with_given_weights_agree() {
    let weight = format!("W={}", case(CONV, "in.W.npy"));
    let arguments = [&*case(CONV, "model.onnx"), "--input", &weight, "--seed", "5"];
    // The image goes to Keras's order of axes and back.
    assert_agrees(verify(&arguments), 3, 1);
}

#[test]
fn the_host_is_not_compared_with_itself() {
    let finished = longshore(&["verify", &model("choice"), "--adapter", "host"]);
    let expected = "longshore: verify compares a GPU with the host, and --adapter host is the \
                    host; name a GPU";
    assert_eq!(finished.failed(), expected);
}

#[test]
#[cfg(target_os = "linux")] // the loader's variables are those of Vulkan on Linux
fn without_a_gpu_there_is_an_error() {
    let none = [("VK_DRIVER_FILES", "/dev/null"), ("VK_ICD_FILENAMES", "/dev/null")];
    let finished = longshore_with(&["verify", &model("choice")], &none);
    let expected = "longshore: there is no GPU to compare with the host; `longshore adapters` \
                    lists what there is, and --adapter NAME takes a software adapter too";
    assert_eq!(finished.failed(), expected);
    let finished = longshore_with(&["verify", &model("choice"), "--adapter", "x"], &none);
    assert!(finished.failed().contains("no adapter"), "{}", finished.stderr);
}

#[test]
fn inputs_that_do_not_fit_the_model_are_refused() {
    let refused = |arguments: &[&str], expected: &str| {
        let finished = verify(arguments);
        let line = finished.failed();
        assert!(line.contains(expected), "{line}");
    };
    let conv = case(CONV, "model.onnx");
    refused(&[&conv], "input \"W\" is missing, and the import needs the values");
    refused(&[&conv, "--input", "q=q.npy"], "there is no input \"q\"; the model takes x float32");
    refused(&[&model("layers")], "bind it with ImportOptions::dim or shape (--dim NAME=N)");
    refused(&[&model("foreign")], "example.com.Swirl (unknown)");
}
