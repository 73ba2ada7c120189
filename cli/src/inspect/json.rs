//! A model and its plan for programs.

use longshore::import::onnx::OnnxDim;
use longshore::plan::{Expected, Port, Step};
use serde_json::{Value, json};

use super::Planned;
use crate::model::Model;

/// Writes what the file says, and the plan or null.
pub fn describe(model: &Model, planned: Option<&Planned>) -> String {
    let constants = model.constant_inputs();
    let inputs = model.ports.iter().map(|port| (port, false));
    let inputs = inputs.chain(model.optional.iter().map(|port| (port, true)));
    let inputs = inputs.map(|(port, has_default)| {
        json!({
            "name": port.name,
            "dtype": port.dtype.to_string(),
            "dims": port.dims.as_ref().map(|dims| dims.iter().map(dim).collect::<Vec<_>>()),
            "needed_at_import": !has_default && constants.contains(port.name.as_str()),
            "has_default": has_default,
        })
    });
    let value = json!({
        "model": model.file,
        "operator_set": model.opset(),
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": model.outputs(),
        "operators": model.operators(),
        "plan": planned.map(describe_plan),
    });
    format!("{value:#}\n")
}

/// A length, a name, or null for a length that is left open.
fn dim(dim: &OnnxDim) -> Value {
    match dim {
        OnnxDim::Fixed(length) => json!(length),
        OnnxDim::Named(name) => json!(name),
        OnnxDim::Open => Value::Null,
    }
}

fn describe_plan(Planned { plan, adapter }: &Planned) -> Value {
    let ports = |ports: &[Port]| {
        let port = |port: &Port| json!({"name": port.name, "shape": port.shape, "place": port.place.to_string()});
        ports.iter().map(port).collect::<Vec<_>>()
    };
    let weights = plan.weights().iter();
    let weights = weights.map(|weight| json!({"name": weight.label(), "shape": weight.shape()}));
    let crossings = plan.expected_crossings();
    let expected = |list: &[Expected]| list.iter().map(crossing).collect::<Vec<_>>();
    let limits = plan.limits();
    json!({
        "limits": {
            "adapter": adapter,
            "max_storage_buffer_binding_size": limits.max_storage_buffer_binding_size,
            "max_buffer_size": limits.max_buffer_size,
        },
        "inputs": ports(plan.inputs()),
        "outputs": ports(plan.outputs()),
        "weights": weights.collect::<Vec<_>>(),
        "passes": json!(plan.report()),
        "steps": plan.steps().iter().map(step).collect::<Vec<_>>(),
        "slot_bytes": plan.slots(),
        "output_bytes": plan.output_buffers(),
        "parameter_bytes": plan.block().len(),
        "peak_bytes": plan.peak_bytes(),
        "weight_bytes": plan.weight_bytes(),
        "expected_crossings": {
            "prepare": expected(&crossings.prepare),
            "run": expected(&crossings.run),
            "read": expected(&crossings.read),
        },
    })
}

fn step(step: &Step) -> Value {
    let operands = step.operands.iter().map(ToString::to_string);
    let epilogue = step.work.epilogue().map(ToString::to_string).unwrap_or_default();
    let stages = epilogue.split(" + ").filter(|stage| !stage.is_empty());
    json!({
        "node": step.node,
        "kernel": step.kernel_name(),
        "epilogue": stages.collect::<Vec<_>>(),
        "operands": operands.collect::<Vec<_>>(),
        "result": step.result.to_string(),
        "result_bytes": step.result.bytes,
        "workgroups": step.workgroups,
    })
}

fn crossing(expected: &Expected) -> Value {
    json!({
        "direction": expected.direction,
        "label": expected.label,
        "cause": expected.cause,
        "payload_bytes": expected.payload_bytes,
        "padding_bytes": expected.padding_bytes,
    })
}
