//! How a graph is planned: passes and limits.

use super::{Limits, Plan, lower};
use crate::error::Result;
use crate::graph::Graph;
use crate::passes::{CONCAT_IN_PLACE, Passes};

/// Says how a graph is planned; by default with all passes, within the runtime's limits
/// (`Runtime::session_with`) or those that every WebGPU device has ([`Graph::plan_with`]).
///
/// ```
/// use longshore::{Activation, Graph, Passes, PlanOptions, Runtime, Shape};
///
/// # fn main() -> longshore::Result<()> {
/// let mut g = Graph::new();
/// let x = g.input("x", Shape::batch([10]));
/// let y = g.activation(x, Activation::Relu)?;
/// let y = g.activation(y, Activation::Tanh)?;
/// g.output("y", y);
///
/// let options = PlanOptions::new().passes(Passes::all().without("fuse_epilogues")?);
/// let session = Runtime::host().session_with(&g, 1, options)?;
/// assert_eq!(session.plan().steps().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    limits: Option<Limits>,
    passes: Passes,
}

impl PlanOptions {
    /// Makes the default options.
    #[must_use]
    pub fn new() -> Self {
        PlanOptions::default()
    }

    /// Sets the limits that the plan keeps, as `Runtime::limits` returns them.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Sets the passes that go over the graph first; [`Passes::none`] plans it as it is.
    #[must_use]
    pub fn passes(mut self, passes: Passes) -> Self {
        self.passes = passes;
        self
    }

    /// Sets the limits where none are set.
    pub(crate) fn within(mut self, limits: &Limits) -> Self {
        self.limits = self.limits.or(Some(*limits));
        self
    }
}

impl Graph {
    /// Lowers the graph for one batch size, within the limits every WebGPU device has.
    ///
    /// Nodes that no output needs are left out. Passes go over a copy of the graph first, so
    /// that there are fewer steps than nodes; outputs keep their values up to rounding, and
    /// [`Plan::report`] says what was done. Pieces of a concatenation that lie in one run are
    /// written where they belong, so that no step copies them, unless that would take more
    /// memory. [`Graph::plan_with`] chooses the passes.
    ///
    /// # Errors
    ///
    /// What [`Graph::check`] reports; [`Error::Limit`](crate::Error::Limit) for a tensor
    /// that no device of these limits can bind, and that cannot be split along the batch.
    pub fn plan(&self, batch: usize) -> Result<Plan> {
        self.plan_with(batch, PlanOptions::new())
    }

    /// Lowers the graph for one batch size within given limits, as
    /// `Runtime::limits` returns them.
    ///
    /// # Errors
    ///
    /// As [`Graph::plan`].
    pub fn plan_within(&self, batch: usize, limits: &Limits) -> Result<Plan> {
        self.plan_with(batch, PlanOptions::new().limits(*limits))
    }

    /// Lowers the graph for one batch size with given options.
    ///
    /// # Errors
    ///
    /// As [`Graph::plan`].
    pub fn plan_with(&self, batch: usize, options: PlanOptions) -> Result<Plan> {
        let (graph, report) = options.passes.run(self)?;
        let in_place = options.passes.has(CONCAT_IN_PLACE);
        lower(&graph, report, batch, options.limits.unwrap_or_default(), in_place)
    }
}
