//! The golden cases of tests/fixtures/onnx: ONNX's own node cases, with the scripts that pack them.

use std::collections::BTreeMap;
use std::fs;

use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture_path;

/// One golden case: an operator, its attributes under ONNX's names, its inputs and outputs in order.
pub struct OnnxCase {
    pub name: String,
    pub op: String,
    pub attributes: Value,
    pub inputs: Vec<ArrayD<f64>>,
    pub outputs: Vec<ArrayD<f64>>,
}

/// Reads the cases of STEM.json and STEM.npz.
pub fn load(stem: &str) -> Vec<OnnxCase> {
    let folder = fixture_path("onnx");
    let text = fs::read_to_string(folder.join(format!("{stem}.json"))).expect("a list of cases");
    let entries: Vec<Value> = serde_json::from_str(&text).expect("the list is JSON");
    let npz = longshore::array::read_npz(folder.join(format!("{stem}.npz"))).expect("arrays");
    let arrays: BTreeMap<String, ArrayD<f64>> =
        npz.into_iter().map(|(key, array)| (key, array.to_f64())).collect();
    let case = |entry: &Value| {
        let text = |key: &str| entry[key].as_str().expect("a text").to_owned();
        let name = text("name");
        let part = |key: &str| -> Vec<ArrayD<f64>> {
            let labels = entry[key].as_array().expect("a list");
            let array = |label: &Value| {
                let key = format!("{name}.{}", label.as_str().expect("a text"));
                arrays.get(&key).unwrap_or_else(|| panic!("there is no {key}")).clone()
            };
            labels.iter().map(array).collect()
        };
        OnnxCase {
            op: text("op"),
            attributes: entry["attributes"].clone(),
            inputs: part("inputs"),
            outputs: part("outputs"),
            name: name.clone(),
        }
    };
    entries.iter().map(case).collect()
}

impl OnnxCase {
    /// An attribute that is a whole number, or its default.
    pub fn integer(&self, key: &str, default: i64) -> i64 {
        self.attributes[key].as_i64().unwrap_or(default)
    }

    /// An attribute that is a list of whole numbers.
    pub fn integers(&self, key: &str) -> Option<Vec<isize>> {
        let list = self.attributes[key].as_array()?;
        Some(list.iter().map(|value| value.as_i64().expect("whole") as isize).collect())
    }

    /// An input of whole numbers, if there is one at this place.
    pub fn whole(&self, input: usize) -> Option<Vec<isize>> {
        let array = self.inputs.get(input)?;
        Some(array.iter().map(|&value| value as isize).collect())
    }
}
