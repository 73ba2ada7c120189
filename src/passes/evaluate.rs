//! Evaluation: what a graph without inputs gives, computed on the host.

use std::collections::BTreeMap;
use std::ops::Range;

use ndarray::{ArrayD, IxDyn};

use super::Report;
use super::values;
use crate::error::Result;
use crate::graph::Graph;
use crate::host;
use crate::plan::{Limits, Place, Plan, Region, lower};
use crate::shape::byte_count;

/// Runs a graph without inputs and returns its first output.
///
/// `None` where a weight cannot be read, or a buffer does not fit into memory.
///
/// # Errors
///
/// What lowering reports.
pub(super) fn evaluate(graph: &Graph) -> Result<Option<ArrayD<f32>>> {
    let limits = Limits {
        max_storage_buffer_binding_size: u64::MAX,
        max_buffer_size: u64::MAX,
        max_compute_workgroups_per_dimension: u32::MAX,
        ..Limits::default()
    };
    let plan = lower(graph, Report::default(), 1, limits, false)?;
    let Some(mut memory) = allocate(&plan) else { return Ok(None) };
    for step in plan.steps() {
        // Taken out, so that the operands can be read beside it: planning keeps them apart.
        let mut target = memory.remove(&step.result.place).unwrap_or_default();
        let operands: Option<Vec<&[f32]>> =
            step.operands.iter().map(|region| read(&memory, region)).collect();
        let (Some(operands), Some(result)) = (operands, target.get_mut(range(&step.result))) else {
            return Ok(None);
        };
        host::execute(&step.node, &step.work, &operands, result)?;
        memory.insert(step.result.place, target);
    }
    let Some(port) = plan.outputs().first() else { return Ok(None) };
    let bytes = byte_count(&port.name, &port.shape)?;
    let region = Region { place: port.place, offset_bytes: 0, bytes };
    let values = read(&memory, &region).map(<[f32]>::to_vec);
    Ok(values.and_then(|values| ArrayD::from_shape_vec(IxDyn(&port.shape), values).ok()))
}

/// Makes the plan's buffers: weights with their numbers, the others with zeros.
fn allocate(plan: &Plan) -> Option<BTreeMap<Place, Vec<f32>>> {
    let mut memory = BTreeMap::new();
    for (number, weight) in plan.weights().iter().enumerate() {
        // Packing gives C order without gaps.
        let (values, _) = values::read(weight)?.into_raw_vec_and_offset();
        memory.insert(Place::Weight(number), values);
    }
    let slots = plan.slots().iter().enumerate().map(|(n, &bytes)| (Place::Slot(n), bytes));
    let outputs =
        plan.output_buffers().iter().enumerate().map(|(n, &bytes)| (Place::Output(n), bytes));
    for (place, bytes) in slots.chain(outputs) {
        let elements = usize::try_from(bytes / 4).ok()?;
        let mut values: Vec<f32> = Vec::new();
        values.try_reserve_exact(elements).ok()?;
        values.resize(elements, 0.0);
        memory.insert(place, values);
    }
    Some(memory)
}

fn read<'a>(memory: &'a BTreeMap<Place, Vec<f32>>, region: &Region) -> Option<&'a [f32]> {
    memory.get(&region.place)?.get(range(region))
}

/// Converts bytes to elements; what no machine word counts lies outside of any buffer.
fn range(region: &Region) -> Range<usize> {
    let element = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
    element(region.offset_bytes)..element(region.offset_bytes.saturating_add(region.bytes))
}
