//! The golden cases of tests/fixtures, made by Keras, JAX and ONNX with the scripts beside them.

use std::collections::BTreeMap;
use std::fs;

use ndarray::ArrayD;
use serde_json::Value;

use crate::fixture_path;

/// One golden case: a layer, its options under Keras's names, and its arrays by part ("input", "output", ...).
pub struct Case {
    /// Unique name.
    pub name: String,
    /// The kind of layer: "conv2d", "resize2d", ...
    pub layer: String,
    /// The case's whole entry in cases.json.
    pub options: Value,
    /// Arrays by part; inputs and weights hold f32 values.
    pub arrays: BTreeMap<String, ArrayD<f64>>,
}

/// Reads every case of tests/fixtures/keras.
pub fn load() -> Vec<Case> {
    load_from("keras", "cases")
}

/// Reads the cases in STEM.json and STEM.npz of a folder of tests/fixtures.
pub fn load_from(folder: &str, stem: &str) -> Vec<Case> {
    let folder = fixture_path(folder);
    let text =
        fs::read_to_string(folder.join(format!("{stem}.json"))).expect("the list is readable");
    let entries: Vec<Value> = serde_json::from_str(&text).expect("the file holds a list");
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for options in &entries {
        let field =
            |key: &str| options[key].as_str().expect("a case has a name and a layer").to_owned();
        let case = Case {
            name: field("name"),
            layer: field("layer"),
            options: options.clone(),
            arrays: BTreeMap::new(),
        };
        let repeated = cases.insert(case.name.clone(), case);
        assert!(repeated.is_none(), "a case is named twice");
    }
    let npz = folder.join(format!("{stem}.npz"));
    let arrays = longshore::array::read_npz(npz.as_path()).expect("the arrays are readable");
    for (key, array) in &arrays {
        let (name, part) = key.rsplit_once('.').expect("an array is named CASE.PART");
        let case = cases.get_mut(name).unwrap_or_else(|| panic!("the list lacks {name}"));
        case.arrays.insert(part.to_owned(), array.to_f64());
    }
    cases.into_values().collect()
}

impl Case {
    /// An array the case must have.
    pub fn array(&self, part: &str) -> &ArrayD<f64> {
        self.optional(part).unwrap_or_else(|| panic!("{} has no {part}", self.name))
    }

    /// An array the case may have.
    pub fn optional(&self, part: &str) -> Option<&ArrayD<f64>> {
        self.arrays.get(part)
    }

    /// A text option.
    pub fn text(&self, key: &str) -> &str {
        self.options[key].as_str().unwrap_or_else(|| panic!("{}: {key} is not a text", self.name))
    }

    /// A whole-number option.
    pub fn whole(&self, key: &str) -> usize {
        self.integers(key)[0]
            .try_into()
            .unwrap_or_else(|_| panic!("{}: {key} is negative", self.name))
    }

    /// A (height, width) option.
    pub fn pair(&self, key: &str) -> (usize, usize) {
        let size = |i: usize| self.integers(key)[i].try_into().expect("sizes are not negative");
        (size(0), size(1))
    }

    /// A list of integers, or one integer as a list.
    pub fn integers(&self, key: &str) -> Vec<i64> {
        let value = &self.options[key];
        let integer =
            |v: &Value| v.as_i64().unwrap_or_else(|| panic!("{}: {key} is {v}", self.name));
        match value.as_array() {
            Some(list) => list.iter().map(integer).collect(),
            None => vec![integer(value)],
        }
    }
}
