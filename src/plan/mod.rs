//! Plans: a graph lowered for one batch size and one set of device limits.
//!
//! Pure data: numbered buffers, a parameter block and a list of steps. A plan
//! prints itself, can be tested without a device, and says which crossings its
//! session will cause.

mod block;
mod crossings;
mod homes;
mod in_place;
mod inner;
mod limits;
mod lower;
mod options;
mod places;
mod print;
mod program;
mod slots;
mod split;
mod work;

pub use crossings::{Expected, ExpectedCrossings};
pub(crate) use crossings::{PACKED_ALIGNMENT, padded_bytes};
pub(crate) use limits::LLVMPIPE_ITERATIONS;
pub use limits::Limits;
pub(crate) use lower::{buffer_bytes, lower};
pub use options::PlanOptions;
pub(crate) use program::{Buffers, Program};

use crate::graph::Weight;
use crate::kernels::{Kernel, Work};
use crate::passes::Report;

/// Where a value's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// In the tensor that a run brings for this input.
    Input(usize),
    /// In a weight.
    Weight(usize),
    /// In a buffer of the session, shared by values that do not live together.
    Slot(usize),
    /// In a buffer of its own, which leaves with the run's result.
    Output(usize),
}

/// A range of bytes in one buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The buffer.
    pub place: Place,
    /// Where the range begins, in bytes.
    pub offset_bytes: u64,
    /// How long it is, in bytes; 0 for a value without elements.
    pub bytes: u64,
}

/// A range of bytes in the parameter block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRange {
    /// Where it begins, in bytes.
    pub offset_bytes: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
}

/// One dispatch.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Kind and name of the node it belongs to, with its part of the batch if split.
    pub node: String,
    /// What it computes.
    pub work: Work,
    /// The entry point that computes it on a device.
    pub kernel: Kernel,
    /// Its uniform parameters; none for an own kernel that has none.
    pub params: BlockRange,
    /// Its lookup table, for families that have one.
    pub table: Option<BlockRange>,
    /// What it reads, in binding order.
    pub operands: Vec<Region>,
    /// What it writes.
    pub result: Region,
    /// Workgroup counts in x, y, z.
    pub workgroups: [u32; 3],
}

impl Step {
    /// Returns which kernel computes it: `conv2d/general`, or `own/NAME` for the user's own.
    #[must_use]
    pub fn kernel_name(&self) -> String {
        if let Work::Own(geometry) = &self.work {
            return geometry.label();
        }
        format!("{}/{}", self.kernel.stem, self.kernel.entry)
    }
}

/// A named value that goes into or comes out of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The name.
    pub name: String,
    /// The shape at the plan's batch size.
    pub shape: Vec<usize>,
    /// Where its bytes lie.
    pub place: Place,
}

/// A graph lowered for one batch size and one set of device limits.
///
/// ```
/// use longshore::{Activation, Graph, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([10]));
/// let y = g.activation(x, Activation::Relu)?;
/// let y = g.activation(y, Activation::Tanh)?;
/// g.output("y", y);
/// let plan = g.plan(32)?;
///
/// // The second activation became a stage of the first one's kernel.
/// assert_eq!(plan.steps().len(), 1);
/// println!("{plan}{}", plan.report());
/// // A read downloads 32 x 10 f32; a run moves nothing.
/// let expected = plan.expected_crossings();
/// assert_eq!(expected.read[0].payload_bytes, 1280);
/// assert!(expected.run.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    batch: usize,
    limits: Limits,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    weights: Vec<Weight>,
    slots: Vec<u64>,
    output_buffers: Vec<u64>,
    block: Vec<u8>,
    block_payload: u64,
    steps: Vec<Step>,
    report: Report,
}

impl Plan {
    /// Returns the batch size.
    #[must_use]
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Returns the limits the plan keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns what each run brings.
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// Returns what each run gives.
    #[must_use]
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// Returns the weights, host arrays and staged ones.
    #[must_use]
    pub fn weights(&self) -> &[Weight] {
        &self.weights
    }

    /// Returns the sizes of the session's buffers, in bytes.
    #[must_use]
    pub fn slots(&self) -> &[u64] {
        &self.slots
    }

    /// Returns the sizes of the buffers that leave with a run's result, in bytes.
    #[must_use]
    pub fn output_buffers(&self) -> &[u64] {
        &self.output_buffers
    }

    /// Returns the parameter block that preparation uploads.
    #[must_use]
    pub fn block(&self) -> &[u8] {
        &self.block
    }

    /// Returns how many bytes of the parameter block are not padding.
    #[must_use]
    pub fn block_payload(&self) -> u64 {
        self.block_payload
    }

    /// Returns the steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
    /// Returns what passes did to the graph before it was lowered.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }
}
