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
    // The condition is bool: whatever is not 0, which two nodes see to.
    assert_agrees(verify(&[&model("choice")]), 3, 1);
    let x = models::array("verify-x", &[2, 3], &[1.0, f32::NAN, 3.0, 4.0, 5.0, 6.0]);
    let input = format!("x={}", x.path());
    let refused = verify(&[&model("choice"), "--input", &input]);
    assert!(refused.failed().contains("array \"x\": 1 NaN"), "{}", refused.stderr);
    let allowed = ["--non-finite", "allow"];
    let choice = model("choice");
    assert_agrees(verify(&[&[&*choice, "--input", &input], &allowed[..]].concat()), 3, 1);
}

#[test]
fn layers_with_given_weights_agree() {
    let weight = format!("W={}", case(CONV, "in.W.npy"));
    let arguments = [&*case(CONV, "model.onnx"), "--input", &weight, "--seed", "5"];
    // The image goes to Keras's order of axes and back.
    assert_agrees(verify(&arguments), 3, 1);
}

/// Large numbers that cancel each other: what is left is rounding, which depends on the order of
/// the sum, and a GPU's order is another than the host's.
#[test]
fn a_difference_is_named_and_ends_with_status_1() {
    const COLUMNS: usize = 4096;
    let (rows, mut state) = (32, 1u32);
    let mut values = Vec::new();
    for _ in 0..rows {
        let half: Vec<f32> = (0..COLUMNS / 2)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                1e6 + f32::from(u16::try_from(state >> 16).unwrap()) / 7.0
            })
            .collect();
        values.extend(half.iter());
        values.extend(half.iter().map(|value| -value));
    }
    let x = models::array("verify-sums", &[rows, COLUMNS], &values);
    let finished = verify(&[&model("sums"), "--input", &format!("x={}", x.path())]);
    let line = finished.failed();
    let start =
        format!("longshore: {}: {} differs from the host in 2 of 2", model("sums"), adapter());
    assert!(line.starts_with(&start), "{line}");
    assert!(line.contains(" values, most in ") && line.contains("max abs "), "{line}");
    // What was compared is printed all the same, with the worst of it.
    assert!(finished.stdout.contains("compared   nodes: 1"), "{}", finished.stdout);
    let (_, worst) = finished.stdout.split_once("\nworst      ").unwrap();
    let (title, numbers) = worst.trim_end().split_once(": ").unwrap();
    assert!(line.ends_with(&format!("most in {title}: {numbers}")), "{line}\n{worst}");
    // The same model on numbers that do not cancel agrees.
    assert_agrees(verify(&[&model("sums"), "--dim", "rows=32", "--dim", "columns=4096"]), 1, 1);
}

/// A thread that was the last to have the device closed it while the process ended, and one process
/// of eleven crashed.
#[test]
fn processes_that_end_have_closed_their_device() {
    let arguments = [&*model("sums"), "--dim", "rows=32", "--dim", "columns=4096"];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(verify(&arguments).succeeded())));
        }
    });
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
    refused(&[&model("layers")], "bind it with --dim NAME=N, with --input-shape, or");
    refused(&[&model("foreign")], "example.com.Swirl (unknown)");
}
