//! A network on an executor: from host arrays to a session and its staged inputs.

use anyhow::Result;
use longshore::{Graph, HostArray, PlanOptions, Run, Runtime, Session, StagePolicy, Tensor};

use crate::feed::Arrays;

/// A session and the inputs of its runs, on the device.
pub struct Network {
    session: Session,
    inputs: Vec<(String, Tensor)>,
}

impl Network {
    /// Plans, prepares and stages.
    pub fn new(
        rt: &Runtime,
        graph: &Graph,
        options: PlanOptions,
        (arrays, batch): (&Arrays, usize),
        policy: &StagePolicy,
    ) -> Result<Self> {
        let plan = graph.plan_with(batch, options.limits(*rt.limits()))?;
        let session = rt.prepare_with(&plan, *policy)?;
        let stage = |(name, array): (&String, &HostArray<'static>)| -> Result<(String, Tensor)> {
            graph.check_input(name, array)?;
            Ok((name.clone(), rt.stage_with(name.as_str(), array, *policy)?.0))
        };
        let inputs = arrays.iter().map(stage).collect::<Result<_>>()?;
        Ok(Network { session, inputs })
    }

    /// Runs once, and waits until it is done; nothing crosses.
    pub fn run(&self) -> Result<Run> {
        let rt = self.session.runtime();
        let inputs = self.inputs.iter().map(|(name, tensor)| (name.as_str(), tensor));
        let run = rt.forbid_crossings(|| self.session.run(inputs))?;
        rt.wait()?;
        Ok(run)
    }
}
