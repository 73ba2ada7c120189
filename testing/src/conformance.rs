//! ONNX's own node cases, packed by tests/fixtures/onnx/make_onnx_cases.py.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use crate::fixture_path;

/// One case: a network of mostly one operator, what goes in and what must come out.
#[derive(Default)]
pub struct Conformance {
    pub name: String,
    /// The bytes of `model.onnx`.
    pub model: Vec<u8>,
    /// The bytes of a `.npy` file for each input, by name.
    pub inputs: BTreeMap<String, Vec<u8>>,
    /// As for the inputs.
    pub outputs: BTreeMap<String, Vec<u8>>,
}

/// Reads every case of ONNX, sorted by name.
pub fn load() -> Vec<Conformance> {
    load_from("conformance")
}

/// Reads every case of an archive, sorted by name.
pub fn load_from(stem: &str) -> Vec<Conformance> {
    let file = File::open(fixture_path(&format!("onnx/{stem}.zip")));
    let mut archive = zip::ZipArchive::new(file.expect("the cases")).expect("an archive");
    let mut cases: BTreeMap<String, Conformance> = BTreeMap::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).expect("a member");
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).expect("its bytes");
        let path = member.name().expect("UTF-8").into_owned();
        let (name, file) = path.split_once('/').expect("a member is named CASE/FILE");
        let case = cases.entry(name.to_owned()).or_default();
        name.clone_into(&mut case.name);
        if file == "model.onnx" {
            case.model = bytes;
            continue;
        }
        let value = file.strip_suffix(".npy").expect("an array");
        match value.split_once('.') {
            Some(("in", value)) => case.inputs.insert(value.to_owned(), bytes),
            Some(("out", value)) => case.outputs.insert(value.to_owned(), bytes),
            _ => panic!("{name}: {file} is no input and no output"),
        };
    }
    cases.into_values().collect()
}
