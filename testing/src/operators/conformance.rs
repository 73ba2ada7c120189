//! ONNX's own node cases, imported and run on the executor under test.
//!
//! docs/conformance.md is the table of what passes; this test fails where it does not say what
//! is so.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use longshore::import::onnx::{ImportOptions, OnnxModel};
use longshore::{HostArray, Tensor};
use ndarray::ArrayD;

use crate::compare::compare;
use crate::conformance::{Conformance, load};
use crate::executor::Executor;
use crate::oracle::Expected;
use crate::root;

/// What ONNX's own runner allows.
const RELATIVE: f64 = 1e-3;
const ABSOLUTE: f64 = 1e-5;

/// Reads the arrays of a case, by name.
fn arrays(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, HostArray<'static>> {
    let read = |(name, bytes): (&String, &Vec<u8>)| {
        (name.clone(), HostArray::read_named(name, bytes.as_slice()).unwrap())
    };
    files.iter().map(read).collect()
}

/// Imports, plans, runs and compares one case.
fn check(on: &dyn Executor, case: &Conformance, model: &OnnxModel) -> Result<(), String> {
    let (inputs, outputs) = (arrays(&case.inputs), arrays(&case.outputs));
    assert!(!outputs.is_empty(), "{}", case.name);
    let found = run(on, model, &inputs).map_err(|error| error.to_string())?;
    for (name, expected) in outputs {
        let value = expected.to_f64();
        let bound = value.mapv(|value| ABSOLUTE + RELATIVE * value.abs());
        let actual = found.get(&name).ok_or_else(|| format!("no output {name}"))?;
        compare(actual, &Expected { value, bound })
            .map_err(|report| format!("{name}: {report}"))?;
    }
    Ok(())
}

fn run(
    on: &dyn Executor,
    model: &OnnxModel,
    inputs: &BTreeMap<String, HostArray<'static>>,
) -> longshore::Result<BTreeMap<String, ArrayD<f32>>> {
    let shaping = model.constant_inputs();
    let mut options = ImportOptions::new();
    for (name, array) in inputs {
        options = if shaping.contains(name.as_str()) {
            options.value(name, array.clone())
        } else {
            options.shape(name, array.shape())
        };
    }
    let imported = model.import(&options)?;
    let session = on.runtime().prepare(&imported.graph.plan(1)?)?;
    let mut tensors: Vec<(String, Tensor)> = Vec::new();
    for (name, _) in &imported.inputs {
        tensors.push((name.clone(), on.runtime().stage(name.as_str(), &inputs[name])?));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
    run.outputs().map(|(name, tensor)| Ok((name.to_owned(), tensor.read()?))).collect()
}

pub fn every_case_passes_and_the_table_says_so(on: &dyn Executor) {
    let mut table: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut failures = String::new();
    let all = load();
    assert_eq!(all.len(), 247, "cases");
    for case in &all {
        let model = OnnxModel::from_bytes(&case.name, &case.model).unwrap();
        let operators: Vec<&str> = model.operators().into_keys().collect();
        let [cases, passed] = table.entry(operators.join(", ")).or_default();
        *cases += 1;
        match check(on, case, &model) {
            Ok(()) => *passed += 1,
            Err(report) => writeln!(failures, "{}: {report}", case.name).unwrap(),
        }
    }
    // Seen with --nocapture; the kept table has a column for each executor.
    for (operators, [cases, passed]) in &table {
        eprintln!("| {operators} | {cases} | {passed} |");
    }
    assert!(failures.is_empty(), "{failures}");
    let documented = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    // Behind the next heading stands what the whole package gave.
    let (own, _) = documented.split_once("\n## ").unwrap();
    let lines: Vec<&str> = own.lines().filter(|line| line.starts_with("| ")).collect();
    // A head, and a row for the sum.
    assert_eq!(lines.len(), table.len() + 2, "rows of docs/conformance.md");
    for (operators, [cases, passed]) in table {
        let line = format!("| {operators} | {cases} | {passed} | {passed} |");
        assert!(lines.contains(&line.as_str()), "docs/conformance.md lacks: {line}");
    }
}
