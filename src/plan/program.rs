//! A plan's steps made ready for the host, and run there: what sessions and constant folding do.

use super::{Place, Plan, Region, Step};
use crate::error::{Error, Result};
use crate::host::{Constants, Kept, Shelf, prepare, run};

/// Operands of a step that are found without asking for memory.
const FEW_OPERANDS: usize = 8;

/// What the steps of a plan keep between runs.
#[derive(Debug)]
pub(crate) struct Program {
    /// One for each step.
    kept: Vec<Kept>,
    packed_bytes: usize,
}

/// The memory of one run.
pub(crate) struct Buffers<'a> {
    /// Finds inputs and weights.
    pub read: &'a dyn Fn(Place) -> Option<&'a [f32]>,
    /// The plan's slots.
    pub slots: &'a mut [Vec<f32>],
    /// The plan's output buffers.
    pub outputs: &'a mut [Vec<f32>],
}

impl Program {
    /// Makes the steps ready; `weight` finds the plan's weights.
    ///
    /// # Errors
    ///
    /// What [`prepare`] reports.
    pub(crate) fn new<'a>(
        steps: &[Step],
        weight: impl Fn(usize) -> Option<&'a [f32]>,
    ) -> Result<Self> {
        let mut shelf = Shelf::default();
        let mut kept = Vec::with_capacity(steps.len());
        for step in steps {
            let constant = |region: &Region| match region.place {
                Place::Weight(number) => weight(number)?.get(range(region)),
                Place::Input(_) | Place::Slot(_) | Place::Output(_) => None,
            };
            let operands: Vec<Option<&[f32]>> = step.operands.iter().map(constant).collect();
            let (node, operands) = (step.node.as_str(), operands.as_slice());
            kept.push(prepare(&step.work, &mut Constants { node, operands, shelf: &mut shelf })?);
        }
        Ok(Program { kept, packed_bytes: shelf.bytes() })
    }

    /// Returns how many bytes the steps keep.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.packed_bytes + self.kept.iter().map(Kept::own_bytes).sum::<usize>()
    }

    /// Tells of each of the plan's weights whether runs read it, or give it, as it is.
    pub(crate) fn weights_read(&self, plan: &Plan) -> Vec<bool> {
        let mut read = vec![false; plan.weights().len()];
        let operands = plan.steps().iter().zip(&self.kept).flat_map(|(step, kept)| {
            let numbered = step.operands.iter().enumerate();
            let read =
                move |&(number, _): &(usize, &Region)| kept.replaced_operand() != Some(number);
            numbered.filter(read).map(|(_, region)| region.place)
        });
        for place in operands.chain(plan.outputs().iter().map(|port| port.place)) {
            if let Place::Weight(number) = place
                && let Some(read) = read.get_mut(number)
            {
                *read = true;
            }
        }
        read
    }

    /// Runs the steps it was made of, one after the other, as long as `check` lets it go on.
    ///
    /// # Errors
    ///
    /// What [`run`] and `check` report, and [`Error::Device`] for memory that the plan does not fit.
    pub(crate) fn run(
        &self,
        steps: &[Step],
        buffers: &mut Buffers<'_>,
        check: &dyn Fn(&Step) -> Result<()>,
    ) -> Result<()> {
        for (step, kept) in steps.iter().zip(&self.kept) {
            check(step)?;
            let place = step.result.place;
            // Taken out, so that the operands can be read beside it: planning keeps them apart.
            let mut target = buffers.target(place).map(std::mem::take).unwrap_or_default();
            let outcome = buffers.step(step, kept, &mut target);
            if let Some(emptied) = buffers.target(place) {
                *emptied = target;
            }
            outcome?;
        }
        Ok(())
    }
}

impl Buffers<'_> {
    fn target(&mut self, place: Place) -> Option<&mut Vec<f32>> {
        match place {
            Place::Slot(number) => self.slots.get_mut(number),
            Place::Output(number) => self.outputs.get_mut(number),
            Place::Input(_) | Place::Weight(_) => None,
        }
    }

    fn operand(&self, step: &Step, region: &Region) -> Result<&[f32]> {
        let buffer = match region.place {
            Place::Input(_) | Place::Weight(_) => (self.read)(region.place),
            Place::Slot(number) => self.slots.get(number).map(Vec::as_slice),
            Place::Output(number) => self.outputs.get(number).map(Vec::as_slice),
        };
        buffer.and_then(|buffer| buffer.get(range(region))).ok_or_else(|| lost(step, region))
    }

    fn step(&self, step: &Step, kept: &Kept, target: &mut [f32]) -> Result<()> {
        let result = target.get_mut(range(&step.result)).ok_or_else(|| lost(step, &step.result))?;
        let count = step.operands.len();
        let operand_of = |number: usize| match step.operands.get(number) {
            Some(region) if kept.replaced_operand() != Some(number) => self.operand(step, region),
            // What is kept stands for it.
            Some(_) | None => Ok(&[][..]),
        };
        let mut few: [&[f32]; FEW_OPERANDS] = [&[]; FEW_OPERANDS];
        if let Some(found) = few.get_mut(..count) {
            for (number, operand) in found.iter_mut().enumerate() {
                *operand = operand_of(number)?;
            }
            return run(&step.node, &step.work, kept, found, result);
        }
        let many = (0..count).map(operand_of);
        run(&step.node, &step.work, kept, &many.collect::<Result<Vec<_>>>()?, result)
    }
}

fn lost(step: &Step, region: &Region) -> Error {
    Error::Device {
        doing: step.node.clone(),
        message: format!("{region:?} is not in the host's memory"),
        remedy: crate::error::BUG.to_owned(),
    }
}

/// Converts bytes to elements; what no machine word counts lies outside of any buffer.
fn range(region: &Region) -> std::ops::Range<usize> {
    let element = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
    element(region.offset_bytes)..element(region.offset_bytes.saturating_add(region.bytes))
}
