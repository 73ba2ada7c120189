//! Values inside a model as outputs: `ImportOptions::keep`.

use longshore::import::onnx::{ImportOptions, Imported, OnnxModel};

use super::{field, floats, int, model, node, node_with, numbers};

fn import(bytes: &[u8], keep: &[&str]) -> Result<Imported, String> {
    let model = OnnxModel::from_bytes("m.onnx", bytes).unwrap();
    let options = keep.iter().fold(ImportOptions::new(), |options, name| options.keep(*name));
    model.import(options).map_err(|error| error.to_string())
}

#[track_caller]
fn shapes(imported: &Imported) -> Vec<(String, Vec<usize>)> {
    let plan = imported.graph.plan(1).unwrap();
    plan.outputs().iter().map(|port| (port.name.clone(), port.shape.clone())).collect()
}

fn expected(list: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
    list.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

/// The second and third outputs of a Split, which nothing in the model reads.
#[test]
fn a_further_output_of_a_node_is_kept() {
    let split = node_with("Split", &["x", "n"], &["y", "b", "c"], &[int("axis", 1)]);
    let bytes = model(&[split], &[numbers("n", &[1, 2, 0])]);
    let imported = import(&bytes, &["b"]).unwrap();
    assert_eq!(imported.outputs, ["y", "b"]);
    assert_eq!(shapes(&imported), expected(&[("y", &[2, 1]), ("b", &[2, 2])]));
    let imported = import(&bytes, &["c", "b"]).unwrap();
    // In the order they are made, whatever was asked for first.
    assert_eq!(imported.outputs, ["y", "b", "c"]);
    assert_eq!(shapes(&imported)[2].1, [2, 0]);
}

/// Nobody reads them, so they are only computed because they are kept.
#[test]
fn the_moments_of_a_normalization_are_kept() {
    let norm = node("LayerNormalization", &["x", "scale"], "y");
    let norm = [norm, field(2, b"mean"), field(2, b"deviation")].concat();
    let bytes = model(&[norm], &[floats("scale", &[1.0, 2.0, 3.0])]);
    assert_eq!(import(&bytes, &[]).unwrap().outputs, ["y"]);
    let imported = import(&bytes, &["deviation"]).unwrap();
    assert_eq!(shapes(&imported), expected(&[("y", &[2, 3]), ("deviation", &[2, 1])]));
}

#[test]
fn a_node_is_kept_by_its_own_name_too_and_once() {
    let relu = [node("Relu", &["x"], "inner"), field(3, b"first")].concat();
    let bytes = model(&[relu, node("Neg", &["inner"], "y")], &[]);
    let kept = import(&bytes, &["first"]).unwrap();
    assert_eq!(kept.outputs, ["y", "inner"]);
    for names in [&["first", "inner"][..], &["inner", "inner"], &["y", "inner"]] {
        assert_eq!(import(&bytes, names).unwrap().outputs, ["y", "inner"], "{names:?}");
    }
    let error = import(&bytes, &["nothing"]).unwrap_err();
    assert!(error.contains("there is no node or value named \"nothing\""), "{error}");
    // What a node has as an output and nobody can give is refused by name.
    let pool = [node("MaxPool", &["x"], "y"), field(2, b"places")].concat();
    let error = import(&model(&[pool], &[]), &["places"]).unwrap_err();
    assert!(error.contains("the output of indices"), "{error}");
}
