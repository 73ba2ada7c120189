//! What README.md and docs/errors.md quote: the example's code, and what failures say.

use longshore::array::StagePolicy;
use longshore::{
    Conv2d, Error, Graph, HostArray, LayerWeights, Runtime, RuntimeOptions, Shape, UpSampling2d,
};
use ndarray::{Array2, Array4, array};

use super::support::longshore_with;

const README: &str = include_str!("../../../README.md");
const ERRORS: &str = include_str!("../../../docs/errors.md");
const QUICKSTART: &str = include_str!("../../../examples/quickstart.rs");

/// Puts text on one line, so that the page may break it anywhere.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_quoted(text: &str) {
    assert!(flat(ERRORS).contains(&flat(text)), "docs/errors.md does not quote:\n{text}");
}

#[test]
fn the_example_is_the_one_that_runs() {
    let (_, rest) = QUICKSTART.split_once("// The README shows the lines from here\n").unwrap();
    let (core, _) = rest.split_once("    // to here.").unwrap();
    assert!(core.lines().count() > 10);
    assert!(README.contains(core), "the README does not show:\n{core}");
}

#[test]
fn shapes_that_disagree() {
    let mut g = Graph::new();
    let image = g.input("image", Shape::batch([64, 64, 4]));
    let kernel = HostArray::from(Array4::<f32>::zeros((3, 3, 3, 8)));
    let layer = Conv2d::new(8, 3).name("edges");
    let error = g.conv2d(image, layer, &LayerWeights::new(kernel)).unwrap_err();
    assert_quoted(&error.to_string());
}

#[test]
fn values_that_are_not_finite() {
    let images = HostArray::from(array![[0.5, 1.0, f64::NAN], [0.0, f64::INFINITY, 0.25]]);
    let error = images.with_name("images").pack(StagePolicy::default()).unwrap_err();
    assert_quoted(&error.to_string());
}

#[test]
fn tensors_beyond_the_device() {
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([4096, 4096, 4]));
    let y = g.up_sampling2d(x, UpSampling2d::nearest(2)).unwrap();
    g.output("enlarged", y);
    assert_quoted(&g.plan(1).unwrap_err().to_string());
}

#[test]
fn crossings_that_a_guard_refuses_and_batches_that_no_plan_is_for() {
    let rt = Runtime::open_with(RuntimeOptions::new().require_adapter()).unwrap();
    let mut g = Graph::new();
    let x = g.input("image", Shape::batch([10]));
    g.output("probabilities", x);
    let session = rt.prepare(&g.plan(32).unwrap()).unwrap();
    let stage = |rows| {
        let zeros = Array2::<f32>::zeros((rows, 10));
        rt.stage("probabilities", &HostArray::from(&zeros)).unwrap()
    };
    let run = session.run([("image", &stage(32))]).unwrap();
    let refused = rt.forbid_crossings(|| run["probabilities"].read()).unwrap_err();
    let Error::Crossing { site, .. } = &refused else { panic!("{refused:?}") };
    assert_quoted(&refused.to_string().replace(&site.to_string(), "src/main.rs:71:63"));

    let last = stage(7).with_label("last batch");
    let error = session.run([("image", &last)]).unwrap_err();
    assert_quoted(&error.to_string());
}

#[test]
#[cfg(target_os = "linux")] // elsewhere something else is to be installed
fn machines_without_an_adapter() {
    let none = [("VK_DRIVER_FILES", "/dev/null"), ("VK_ICD_FILENAMES", "/dev/null")];
    assert_quoted(longshore_with(&["demo", "--adapter", "nvidia"], &none).failed());
}
