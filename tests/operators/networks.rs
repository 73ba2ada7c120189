//! Whole networks as ONNX files, imported and run on the executor under test.
//!
//! PyTorch and Keras exported those whose names say so (`tests/fixtures/onnx/export.py` and
//! `export_keras.py`), with their own answers; `networks.py` made the others, with the answers of
//! ONNX Runtime.

use std::path::PathBuf;

use longshore::import::onnx::{ImportOptions, Imported, OnnxModel};
use longshore::passes::Passes;
use longshore::plan::Plan;
use longshore::plan::PlanOptions;
use longshore::{HostArray, Tensor};
use ndarray::{ArrayD, Axis, Slice};

use crate::harness::runtime;
use longshore_testing::compare::compare;
use longshore_testing::oracle::Expected;

/// How far an output may be from its answer, in parts of the answer's largest magnitude or of 1.
const TOLERANCE: f64 = 1e-4;

fn file(network: &str, name: &str) -> PathBuf {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    root.join("tests/fixtures/onnx/networks").join(network).join(name)
}

/// Reads an array, and keeps that many of its first items; all for none.
fn array(network: &str, name: &str, items: Option<usize>) -> ArrayD<f64> {
    let array = HostArray::read(file(network, name)).unwrap().to_f64();
    match items {
        Some(items) => array.slice_axis(Axis(0), Slice::from(..items)).to_owned(),
        None => array,
    }
}

/// Imports a network for the shapes of its inputs' arrays.
fn import(network: &str, items: Option<usize>) -> Imported {
    let model = OnnxModel::read(file(network, "model.onnx")).unwrap();
    let mut options = ImportOptions::new();
    for (number, port) in model.inputs().unwrap().iter().enumerate() {
        let array = array(network, &format!("in.{number}.npy"), items);
        options = options.shape(&port.name, array.shape());
    }
    model.import(&options).unwrap()
}

/// Runs a plan, and compares every output with its answer.
fn check(network: &str, imported: &Imported, plan: &Plan, items: Option<usize>) {
    let session = runtime().prepare(plan).unwrap();
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for (number, (name, _)) in imported.inputs.iter().enumerate() {
        let array = array(network, &format!("in.{number}.npy"), items);
        let array = HostArray::from(array);
        tensors.push((name, runtime().stage(name.as_str(), &array).unwrap()));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
    assert!(!imported.outputs.is_empty(), "{network}");
    for (number, name) in imported.outputs.iter().enumerate() {
        let value = array(network, &format!("out.{number}.npy"), items);
        let largest = value.iter().fold(1.0f64, |largest, value| largest.max(value.abs()));
        let bound = value.mapv(|_| TOLERANCE * largest);
        let found = run[name.as_str()].read().unwrap();
        if let Err(report) = compare(&found, &Expected { value, bound }) {
            panic!("{network}, {name}: {report}");
        }
    }
}

fn transposes(plan: &Plan) -> usize {
    plan.steps().iter().filter(|step| step.node.starts_with("transpose ")).count()
}

/// Checks a network with and without passes, and how many transposes the passes leave.
fn holds(network: &str, left: usize) {
    let imported = import(network, None);
    let limits = *runtime().limits();
    let options = PlanOptions::new().limits(limits);
    let bare = imported.graph.plan_with(1, &options.clone().passes(Passes::none())).unwrap();
    check(network, &imported, &bare, None);
    let plan = imported.graph.plan_with(1, &options).unwrap();
    check(network, &imported, &plan, None);
    assert!(plan.steps().len() < bare.steps().len(), "{network}: {plan}");
    assert_eq!(transposes(&plan), left, "{network}: {plan}");
    // Without passes, each layer has one before it and one behind it.
    assert!(transposes(&bare) > left, "{network}: {bare}");
}

/// Checks that a model whose batch is open takes a single item too.
fn takes_one(network: &str) {
    let model = OnnxModel::read(file(network, "model.onnx")).unwrap();
    assert!(model.import(&ImportOptions::new()).is_err(), "{network} has no open batch");
    let imported = import(network, Some(1));
    let plan = imported.graph.plan_within(1, runtime().limits()).unwrap();
    assert_eq!(imported.inputs[0].1[0], 1);
    check(network, &imported, &plan, Some(1));
}

#[test]
fn an_autoencoder_of_pytorch() {
    // The code's image, which a dense layer writes with channels first.
    holds("torch_autoencoder", 1);
    takes_one("torch_autoencoder");
}

#[test]
fn a_generator_of_pytorch() {
    // The image that comes out; the vector lies the same both ways.
    holds("torch_dcgan", 1);
}

#[test]
fn super_resolution_of_pytorch() {
    holds("torch_espcn", 2);
}

#[test]
fn inverted_residuals_of_pytorch() {
    holds("torch_mobilenet", 1);
    takes_one("torch_mobilenet");
}

#[test]
fn a_unet_of_pytorch_with_bilinear_upsampling() {
    holds("torch_unet_bilinear", 2);
    takes_one("torch_unet_bilinear");
}

#[test]
fn a_unet_of_pytorch_with_nearest_upsampling() {
    holds("torch_unet_nearest", 2);
}

#[test]
fn boxes_of_pytorch_by_distributions() {
    // The image, and the boxes, whose last axis is the place.
    holds("torch_yolo", 2);
}

#[test]
fn a_classifier_of_keras_on_tensorflow() {
    // Keras has channels last, as the layers here.
    holds("keras_classifier_tensorflow", 0);
    takes_one("keras_classifier_tensorflow");
}

#[test]
fn a_classifier_of_keras_on_pytorch() {
    holds("keras_classifier_torch", 0);
}

#[test]
fn a_unet_of_keras_on_tensorflow() {
    holds("keras_unet_tensorflow", 0);
    takes_one("keras_unet_tensorflow");
}

#[test]
fn a_unet_of_keras_on_pytorch() {
    holds("keras_unet_torch", 0);
}

#[test]
fn a_network_of_normalized_channels() {
    holds("convnext", 1);
}

#[test]
fn a_unet_of_group_normalizations() {
    holds("unet_groups", 2);
}

#[test]
fn super_resolution_by_reshapes() {
    holds("espcn_reshaped", 1);
}

#[test]
fn inverted_residuals_with_normalisations() {
    holds("mobilenet", 1);
}

#[test]
fn a_residual_network_with_a_bottleneck() {
    holds("resnet", 1);
}

#[test]
fn boxes_of_two_scales_by_anchors() {
    holds("yolo", 3);
}

#[test]
fn every_network_in_the_folder_is_tested() {
    let folder = file("", "");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let tested = [
        "convnext",
        "espcn_reshaped",
        "keras_classifier_tensorflow",
        "keras_classifier_torch",
        "keras_unet_tensorflow",
        "keras_unet_torch",
        "mobilenet",
        "resnet",
        "torch_autoencoder",
        "torch_dcgan",
        "torch_espcn",
        "torch_mobilenet",
        "torch_unet_bilinear",
        "torch_unet_nearest",
        "torch_yolo",
        "unet_groups",
        "yolo",
    ];
    assert_eq!(found, tested);
}
