//! Whole networks as ONNX files, imported and run on the executor under test.
//!
//! `tests/fixtures/onnx/networks.py` made them, with the answers of ONNX Runtime.

use std::path::PathBuf;

use longshore::import::onnx::{ImportOptions, Imported, OnnxModel};
use longshore::passes::{Passes, PlanOptions};
use longshore::plan::Plan;
use longshore::{HostArray, Tensor};

use crate::common::compare::compare;
use crate::common::oracle::Expected;
use crate::harness::runtime;

/// How far an output may be from its answer, in parts of the answer's largest magnitude or of 1.
const TOLERANCE: f64 = 1e-4;

fn file(network: &str, name: &str) -> PathBuf {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    root.join("tests/fixtures/onnx/networks").join(network).join(name)
}

fn import(network: &str) -> Imported {
    let model = OnnxModel::read(file(network, "model.onnx")).unwrap();
    model.import(&ImportOptions::new()).unwrap()
}

/// Runs a plan, and compares every output with its answer.
fn check(network: &str, imported: &Imported, plan: &Plan) {
    let session = runtime().prepare(plan).unwrap();
    let mut tensors: Vec<(&str, Tensor)> = Vec::new();
    for (number, (name, _)) in imported.inputs.iter().enumerate() {
        let array = HostArray::read(file(network, &format!("in.{number}.npy"))).unwrap();
        tensors.push((name, runtime().stage(name.as_str(), &array).unwrap()));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
    assert!(!imported.outputs.is_empty(), "{network}");
    for (number, name) in imported.outputs.iter().enumerate() {
        let path = file(network, &format!("out.{number}.npy"));
        let value = HostArray::read(path).unwrap().to_f64();
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
    let imported = import(network);
    let limits = *runtime().limits();
    let options = PlanOptions::new().limits(limits);
    let bare = imported.graph.plan_with(1, &options.clone().passes(Passes::none())).unwrap();
    check(network, &imported, &bare);
    let plan = imported.graph.plan_with(1, &options).unwrap();
    check(network, &imported, &plan);
    assert!(plan.steps().len() < bare.steps().len(), "{network}: {plan}");
    assert_eq!(transposes(&plan), left, "{network}: {plan}");
    // Without passes, each layer has one before it and one behind it.
    assert!(transposes(&bare) > left, "{network}: {bare}");
}

#[test]
fn an_autoencoder() {
    // The code's image, which a dense layer writes with channels first.
    holds("autoencoder", 1);
}

#[test]
fn a_network_of_normalized_channels() {
    holds("convnext", 1);
}

#[test]
fn a_generator_of_images() {
    holds("dcgan", 1);
}

#[test]
fn super_resolution_by_a_pixel_shuffle() {
    // An image of one channel lies the same both ways.
    holds("espcn", 0);
}

#[test]
fn super_resolution_by_reshapes() {
    holds("espcn_reshaped", 1);
}

#[test]
fn a_network_of_inverted_residuals() {
    holds("mobilenet", 1);
}

#[test]
fn a_residual_network_with_a_bottleneck() {
    holds("resnet", 1);
}

#[test]
fn a_unet_with_bilinear_upsampling() {
    holds("unet_bilinear", 2);
}

#[test]
fn a_unet_of_group_normalizations() {
    holds("unet_groups", 2);
}

#[test]
fn a_unet_with_nearest_upsampling() {
    holds("unet_nearest", 2);
}

#[test]
fn boxes_of_two_scales() {
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
        "autoencoder",
        "convnext",
        "dcgan",
        "espcn",
        "espcn_reshaped",
        "mobilenet",
        "resnet",
        "unet_bilinear",
        "unet_groups",
        "unet_nearest",
        "yolo",
    ];
    assert_eq!(found, tested);
}
