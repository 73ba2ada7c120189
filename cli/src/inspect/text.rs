//! A model and its plan for people.

use std::fmt::Write;

use anyhow::Result;
use longshore::error::escaped;

use super::Planned;
use crate::model::{Model, port};

/// Writes what the file says, then the plan.
pub fn describe(model: &Model, planned: Option<&Planned>) -> Result<String> {
    let mut text = String::new();
    match model.opset() {
        Some(opset) => writeln!(text, "model      {}, operator set {opset}", escaped(&model.file))?,
        None => writeln!(text, "model      {}, a saved graph", escaped(&model.file))?,
    }
    let constants = model.constant_inputs();
    for input in &model.ports {
        let known = if constants.contains(input.name.as_str()) {
            ", its values needed at import"
        } else {
            ""
        };
        writeln!(text, "input      {}{known}", port(input))?;
    }
    for input in &model.optional {
        writeln!(text, "input      {}, or the file's own", port(input))?;
    }
    for name in model.outputs() {
        let ports = planned.map(|planned| planned.plan.outputs()).unwrap_or_default();
        let port = ports.iter().find(|port| port.name == name);
        match port {
            Some(port) => {
                writeln!(text, "output     {} float32 {:?}", escaped(name), port.shape)?;
            }
            None => writeln!(text, "output     {}", escaped(name))?,
        }
    }
    for (name, count) in model.operators() {
        writeln!(text, "operator   {} {count}", escaped(name))?;
    }
    if let Some(planned) = planned {
        describe_plan(&mut text, planned)?;
    }
    Ok(text)
}

fn describe_plan(text: &mut String, Planned { plan, adapter }: &Planned) -> Result<()> {
    if let Some(adapter) = adapter {
        writeln!(text, "limits     those of {adapter}")?;
    }
    let report = plan.report();
    let (before, after) = report.nodes();
    writeln!(text, "passes     {before} nodes became {after}")?;
    for pass in report.passes() {
        let (done, left) = (pass.done().len(), pass.left().len());
        writeln!(text, "pass       {} did {done}, left {left}", pass.pass())?;
    }
    writeln!(text, "peak       {} bytes of values", plan.peak_bytes())?;
    writeln!(text, "weights    {} bytes", plan.weight_bytes())?;
    let crossings = plan.expected_crossings();
    for (call, expected) in [("prepare", &crossings.prepare), ("read", &crossings.read)] {
        for one in expected {
            writeln!(
                text,
                "crossing   {call}: {} of \"{}\", {} bytes and {} of padding",
                one.direction,
                escaped(&one.label),
                one.payload_bytes,
                one.padding_bytes
            )?;
        }
    }
    write!(text, "\n{plan}")?;
    Ok(())
}
