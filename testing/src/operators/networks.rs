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

use crate::compare::compare;
use crate::executor::Executor;
use crate::fixture_path;
use crate::oracle::Expected;

/// How far an output may be from its answer, in parts of the answer's largest magnitude or of 1.
const TOLERANCE: f64 = 1e-4;

fn file(network: &str, name: &str) -> PathBuf {
    fixture_path("onnx/networks").join(network).join(name)
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
    model.import(options).unwrap()
}

/// Runs a plan, and compares every output with its answer.
fn check(on: &dyn Executor, network: &str, imported: &Imported, plan: &Plan, items: Option<usize>) {
    let session = on.runtime().prepare(plan).unwrap();
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for (number, (name, _)) in imported.inputs.iter().enumerate() {
        let array = array(network, &format!("in.{number}.npy"), items);
        let array = HostArray::from(array);
        tensors.push((name, on.runtime().stage(name.as_str(), &array).unwrap()));
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
fn holds(on: &dyn Executor, network: &str, left: usize) {
    let imported = import(network, None);
    let limits = *on.runtime().limits();
    let options = PlanOptions::new().limits(limits);
    let bare = imported.graph.plan_with(1, options.clone().passes(Passes::none())).unwrap();
    check(on, network, &imported, &bare, None);
    let plan = imported.graph.plan_with(1, options).unwrap();
    check(on, network, &imported, &plan, None);
    assert!(plan.steps().len() < bare.steps().len(), "{network}: {plan}");
    assert_eq!(transposes(&plan), left, "{network}: {plan}");
    // Without passes, each layer has one before it and one behind it.
    assert!(transposes(&bare) > left, "{network}: {bare}");
}

/// Checks that a model whose batch is open takes a single item too.
fn takes_one(on: &dyn Executor, network: &str) {
    let model = OnnxModel::read(file(network, "model.onnx")).unwrap();
    assert!(model.import(ImportOptions::new()).is_err(), "{network} has no open batch");
    let imported = import(network, Some(1));
    let plan = imported.graph.plan_within(1, on.runtime().limits()).unwrap();
    assert_eq!(imported.inputs[0].1[0], 1);
    check(on, network, &imported, &plan, Some(1));
}

pub fn an_autoencoder_of_pytorch(on: &dyn Executor) {
    // The code's image, which a dense layer writes with channels first.
    holds(on, "torch_autoencoder", 1);
    takes_one(on, "torch_autoencoder");
}

pub fn a_generator_of_pytorch(on: &dyn Executor) {
    // The image that comes out; the vector lies the same both ways.
    holds(on, "torch_dcgan", 1);
}

pub fn super_resolution_of_pytorch(on: &dyn Executor) {
    holds(on, "torch_espcn", 2);
}

pub fn inverted_residuals_of_pytorch(on: &dyn Executor) {
    holds(on, "torch_mobilenet", 1);
    takes_one(on, "torch_mobilenet");
}

pub fn a_unet_of_pytorch_with_bilinear_upsampling(on: &dyn Executor) {
    holds(on, "torch_unet_bilinear", 2);
    takes_one(on, "torch_unet_bilinear");
}

pub fn a_unet_of_pytorch_with_nearest_upsampling(on: &dyn Executor) {
    holds(on, "torch_unet_nearest", 2);
}

pub fn boxes_of_pytorch_by_distributions(on: &dyn Executor) {
    // The image, and the boxes, whose last axis is the place.
    holds(on, "torch_yolo", 2);
}

pub fn a_classifier_of_keras_on_tensorflow(on: &dyn Executor) {
    // Keras has channels last, as the layers here.
    holds(on, "keras_classifier_tensorflow", 0);
    takes_one(on, "keras_classifier_tensorflow");
}

pub fn a_classifier_of_keras_on_pytorch(on: &dyn Executor) {
    holds(on, "keras_classifier_torch", 0);
}

pub fn a_unet_of_keras_on_tensorflow(on: &dyn Executor) {
    holds(on, "keras_unet_tensorflow", 0);
    takes_one(on, "keras_unet_tensorflow");
}

pub fn a_unet_of_keras_on_pytorch(on: &dyn Executor) {
    holds(on, "keras_unet_torch", 0);
}

pub fn a_network_of_normalized_channels(on: &dyn Executor) {
    holds(on, "convnext", 1);
}

pub fn a_unet_of_group_normalizations(on: &dyn Executor) {
    holds(on, "unet_groups", 2);
}

pub fn super_resolution_by_reshapes(on: &dyn Executor) {
    holds(on, "espcn_reshaped", 1);
}

pub fn inverted_residuals_with_normalizations(on: &dyn Executor) {
    holds(on, "mobilenet", 1);
}

pub fn a_residual_network_with_a_bottleneck(on: &dyn Executor) {
    holds(on, "resnet", 1);
}

pub fn boxes_of_two_scales_by_anchors(on: &dyn Executor) {
    holds(on, "yolo", 3);
}

pub fn every_network_in_the_folder_is_tested(_: &dyn Executor) {
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
