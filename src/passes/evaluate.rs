//! Evaluation: what a graph without inputs gives, computed on the host.

use ndarray::{ArrayD, IxDyn};

use super::Report;
use super::values;
use crate::error::Result;
use crate::graph::Graph;
use crate::plan::{Buffers, Limits, Place, Plan, Program, lower};

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
        max_loop_iterations: None,
        ..Limits::default()
    };
    let plan = lower(graph, Report::default(), 1, limits, false)?;
    let Some(mut memory) = Memory::new(&plan) else { return Ok(None) };
    let Memory { weights, slots, outputs } = &mut memory;
    let mut buffers = Buffers {
        read: &|place| match place {
            Place::Weight(number) => weights.get(number).map(Vec::as_slice),
            Place::Input(_) | Place::Slot(_) | Place::Output(_) => None,
        },
        slots,
        outputs,
    };
    let program = Program::new(plan.steps(), |number| weights.get(number).map(Vec::as_slice))?;
    program.run(plan.steps(), &mut buffers, &|_| Ok(()))?;
    let values = plan.outputs().first().and_then(|port| {
        let buffer = match port.place {
            Place::Weight(number) => weights.get(number),
            Place::Slot(number) => buffers.slots.get(number),
            Place::Output(number) => buffers.outputs.get(number),
            Place::Input(_) => None,
        };
        let elements = port.shape.iter().product();
        ArrayD::from_shape_vec(IxDyn(&port.shape), buffer?.get(..elements)?.to_vec()).ok()
    });
    Ok(values)
}

/// The plan's buffers: weights with their numbers, the others with zeros.
struct Memory {
    weights: Vec<Vec<f32>>,
    slots: Vec<Vec<f32>>,
    outputs: Vec<Vec<f32>>,
}

impl Memory {
    fn new(plan: &Plan) -> Option<Self> {
        // Packing gives C order without gaps.
        let weights = plan.weights().iter().map(|weight| {
            let (numbers, _) = values::read(weight)?.into_raw_vec_and_offset();
            Some(numbers)
        });
        Some(Memory {
            weights: weights.collect::<Option<_>>()?,
            slots: plan.slots().iter().map(|&bytes| zeros(bytes)).collect::<Option<_>>()?,
            outputs: plan
                .output_buffers()
                .iter()
                .map(|&bytes| zeros(bytes))
                .collect::<Option<_>>()?,
        })
    }
}

fn zeros(bytes: u64) -> Option<Vec<f32>> {
    let elements = usize::try_from(bytes / 4).ok()?;
    let mut values: Vec<f32> = Vec::new();
    values.try_reserve_exact(elements).ok()?;
    values.resize(elements, 0.0);
    Some(values)
}
