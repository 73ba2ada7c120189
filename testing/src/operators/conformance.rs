//! ONNX's own node cases, imported and run on the executor under test.
//!
//! docs/conformance.md holds what each executor did. This test compares its executor's column, and
//! writes it where `LONGSHORE_WRITE_TABLES` is set.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use longshore::import::onnx::{ImportOptions, OnnxModel};
use longshore::{HostArray, StagePolicy, Tensor};
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
pub(super) fn arrays(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, HostArray<'static>> {
    let read = |(name, bytes): (&String, &Vec<u8>)| {
        (name.clone(), HostArray::read_named(name, bytes.as_slice()).unwrap())
    };
    files.iter().map(read).collect()
}

/// Imports, plans, runs and compares one case.
fn check(on: &dyn Executor, case: &Conformance, model: &OnnxModel) -> Result<(), String> {
    let (inputs, outputs) = (arrays(&case.inputs), arrays(&case.outputs));
    assert!(!outputs.is_empty(), "{}", case.name);
    let found =
        run(on, model, &inputs, StagePolicy::default()).map_err(|error| error.to_string())?;
    for (name, expected) in outputs {
        let value = expected.to_f64();
        let bound = value.mapv(|value| ABSOLUTE + RELATIVE * value.abs());
        let actual = found.get(&name).ok_or_else(|| format!("no output {name}"))?;
        compare(actual, &Expected { value, bound })
            .map_err(|report| format!("{name}: {report}"))?;
    }
    Ok(())
}

pub(super) fn run(
    on: &dyn Executor,
    model: &OnnxModel,
    inputs: &BTreeMap<String, HostArray<'static>>,
    policy: StagePolicy,
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
    let imported = model.import(options)?;
    let session = on.runtime().prepare(&imported.graph.plan(1)?)?;
    let mut tensors: Vec<(String, Tensor)> = Vec::new();
    for (name, _) in &imported.inputs {
        imported.graph.check_input(name, &inputs[name])?;
        let (tensor, _) = on.runtime().stage_with(name.as_str(), &inputs[name], policy)?;
        tensors.push((name.clone(), tensor));
    }
    let run = session.run(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)))?;
    run.outputs().map(|(name, tensor)| Ok((name.to_owned(), tensor.read()?))).collect()
}

/// Cases and passed ones, by the operators of their models.
type Counts = BTreeMap<String, [usize; 2]>;

/// Makes the table with this executor's column; the others keep what they have.
fn table(old: &str, column: &str, counts: &Counts) -> String {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = old.lines();
    let (head, rule) = (lines.next().unwrap(), lines.next().unwrap());
    let columns = cells(head);
    let own = columns.iter().position(|name| name == column).unwrap();
    let known: BTreeMap<String, Vec<String>> =
        lines.map(cells).map(|row| (row[0].clone(), row)).collect();
    let sum = counts.values().fold([0; 2], |sum, row| [sum[0] + row[0], sum[1] + row[1]]);
    let mut made = format!("{head}\n{rule}\n");
    for (name, [cases, passed]) in
        counts.iter().map(|(name, row)| (name.as_str(), row)).chain([("all", &sum)])
    {
        let mut row = known.get(name).cloned().unwrap_or_default();
        row.resize(columns.len(), String::new());
        name.clone_into(&mut row[0]);
        row[1] = cases.to_string();
        row[own] = passed.to_string();
        writeln!(made, "| {} |", row.join(" | ")).unwrap();
    }
    made
}

pub fn every_case_passes_and_the_table_says_so(on: &dyn Executor) {
    let mut counts = Counts::new();
    let mut failures = String::new();
    let all = load();
    assert_eq!(all.len(), 263, "cases");
    for case in &all {
        let model = OnnxModel::from_bytes(&case.name, &case.model).unwrap();
        let operators: Vec<&str> = model.operators().into_keys().collect();
        let [cases, passed] = counts.entry(operators.join(", ")).or_default();
        *cases += 1;
        match check(on, case, &model) {
            Ok(()) => *passed += 1,
            Err(report) => writeln!(failures, "{}: {report}", case.name).unwrap(),
        }
    }
    let page = root().join("docs/conformance.md");
    let documented = fs::read_to_string(&page).unwrap();
    // The first table; what the whole package gave is in another.
    let start = documented.find("| Operators").unwrap();
    let end = start + documented[start..].find("\n\n").unwrap() + 1;
    let old = &documented[start..end];
    let made = table(old, on.name(), &counts);
    if std::env::var_os("LONGSHORE_WRITE_TABLES").is_some() {
        let text = [&documented[..start], &made, &documented[end..]].concat();
        fs::write(&page, text).unwrap();
    } else {
        assert_eq!(old, made, "docs/conformance.md; LONGSHORE_WRITE_TABLES=1 writes it");
    }
    assert!(failures.is_empty(), "{failures}");
}
