//! A plan as text.

use std::fmt;

use super::{Place, Plan, Region};
use crate::error::escaped;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Input(number) => write!(f, "input {number}"),
            Place::Weight(number) => write!(f, "weight {number}"),
            Place::Slot(number) => write!(f, "slot {number}"),
            Place::Output(number) => write!(f, "output {number}"),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if self.offset_bytes > 0 {
            write!(f, "+{}", self.offset_bytes)?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "plan for batch {}: {} steps, {} slots of {} bytes, {} bytes of parameters",
            self.batch,
            self.steps.len(),
            self.slots.len(),
            self.slots.iter().sum::<u64>(),
            self.block.len()
        )?;
        writeln!(
            f,
            "  values take {} bytes at their peak, weights {} bytes",
            self.peak_bytes(),
            self.weight_bytes()
        )?;
        for port in &self.inputs {
            let name = escaped(&port.name);
            writeln!(f, "  {:<10} \"{name}\" {:?}", port.place.to_string(), port.shape)?;
        }
        for (number, weight) in self.weights.iter().enumerate() {
            let place = Place::Weight(number).to_string();
            writeln!(f, "  {place:<10} \"{}\" {:?}", escaped(weight.label()), weight.shape())?;
        }
        for (number, step) in self.steps.iter().enumerate() {
            let operands: Vec<String> = step.operands.iter().map(ToString::to_string).collect();
            let [x, y, z] = step.workgroups;
            writeln!(
                f,
                "  step {number:<5} {} by {}{}: {} -> {} ({} bytes, {x}x{y}x{z} groups)",
                escaped(&step.node),
                escaped(step.kernel_name()),
                step.work.epilogue().map(ToString::to_string).unwrap_or_default(),
                operands.join(", "),
                step.result,
                step.result.bytes
            )?;
        }
        for port in &self.outputs {
            let name = escaped(&port.name);
            writeln!(f, "  {:<10} \"{name}\" {:?}", port.place.to_string(), port.shape)?;
        }
        for expected in self.expected_crossings().prepare {
            writeln!(
                f,
                "  preparing uploads \"{}\": {} bytes and {} of padding",
                escaped(&expected.label),
                expected.payload_bytes,
                expected.padding_bytes
            )?;
        }
        writeln!(f, "  a run moves nothing; reading an output downloads it once")?;
        self.report.fmt(f)
    }
}
