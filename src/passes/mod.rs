//! Passes: from a graph to an equal one that takes fewer steps or less memory.
//!
//! Pure functions, one file each, that report what they did. They run when a graph is planned,
//! unless [`PlanOptions`](crate::plan::PlanOptions) says otherwise; [`optimize`] runs them alone. The last one,
//! `concat_in_place`, changes no graph but where a plan's values lie, so it is a part of planning.
//!
//! Inputs, outputs and their names stay, and so do their values, up to rounding. A node that a
//! name still finds in the new graph has the value it had before; some names are gone, as the
//! values they stood for are no longer made. Symbols belong to the graph that made them, so those
//! of the old graph are refused by the new one: ask it for [`Graph::symbol`].

mod affine;
mod axes;
mod dead_code;
mod evaluate;
mod fold_batch_norm;
mod fold_constants;
mod fold_padding;
mod fuse;
mod report;
mod rewrite;
mod transposes;
mod values;

pub use dead_code::remove_dead_code;
pub use fold_batch_norm::fold_batch_norm;
pub use fold_constants::{MOST_ADDED_BYTES, MOST_ADDED_IN_ALL, fold_constants};
pub use fold_padding::fold_padding;
pub use fuse::fuse_epilogues;
pub use report::{PassReport, Report};
pub use transposes::move_transposes;

use crate::error::{Error, Result};
use crate::graph::{Graph, Parts};

/// The name of what planning does about concatenations, which is chosen as passes are.
pub(crate) const CONCAT_IN_PLACE: &str = "concat_in_place";

/// One pass: a pure function over a graph taken apart.
type Pass = fn(Parts) -> Result<(Parts, PassReport)>;

/// The passes over graphs, in the order they run.
const ORDER: [(&str, Pass); 6] = [
    (dead_code::NAME, dead_code::apply),
    (fold_constants::NAME, fold_constants::apply),
    (transposes::NAME, transposes::apply),
    (fold_padding::NAME, fold_padding::apply),
    (fold_batch_norm::NAME, fold_batch_norm::apply),
    (fuse::NAME, fuse::apply),
];

/// Chooses passes by name; all of them by default.
///
/// ```
/// use longshore::{Passes};
///
/// # fn main() -> longshore::Result<()> {
/// let passes = Passes::all().without("move_transposes")?;
/// assert!(!passes.has("move_transposes") && passes.has("fuse_epilogues"));
/// assert!(Passes::none().with("no such pass").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passes {
    enabled: Vec<&'static str>,
}

impl Default for Passes {
    fn default() -> Self {
        Passes::all()
    }
}

impl Passes {
    /// Chooses all passes.
    #[must_use]
    pub fn all() -> Self {
        Passes { enabled: Passes::names() }
    }

    /// Chooses none: a plan then has a step for every node as it was written.
    #[must_use]
    pub fn none() -> Self {
        Passes { enabled: Vec::new() }
    }

    /// Returns the names of all passes, in the order they first run.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        let mut names = Vec::new();
        for name in ORDER.into_iter().map(|(name, _)| name).chain([CONCAT_IN_PLACE]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Adds a pass; it runs at its place, whatever the order of these calls.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] that lists the passes there are.
    pub fn with(mut self, name: &str) -> Result<Self> {
        let name = find(name)?;
        if !self.enabled.contains(&name) {
            self.enabled.push(name);
        }
        Ok(self)
    }

    /// Leaves a pass out.
    ///
    /// # Errors
    ///
    /// As [`Passes::with`].
    pub fn without(mut self, name: &str) -> Result<Self> {
        let name = find(name)?;
        self.enabled.retain(|&enabled| enabled != name);
        Ok(self)
    }

    /// Tells whether a pass is chosen.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.enabled.contains(&name)
    }

    /// Runs the chosen passes that go over graphs: all but `concat_in_place`.
    ///
    /// # Errors
    ///
    /// What [`Graph::check`] reports.
    pub fn run(&self, graph: &Graph) -> Result<(Graph, Report)> {
        graph.check()?;
        let mut report =
            Report { nodes_before: graph.nodes().len(), nodes_after: 0, passes: Vec::new() };
        // Checked once, and taken apart once for all of them.
        let mut parts = graph.parts();
        for (_, pass) in ORDER.into_iter().filter(|(name, _)| self.has(name)) {
            let (next, did) = pass(parts)?;
            report.passes.push(did);
            parts = next;
        }
        report.nodes_after = parts.nodes.len();
        Ok((Graph::from_parts(parts), report))
    }
}

/// Runs one pass over a graph.
fn alone(graph: &Graph, pass: Pass) -> Result<(Graph, PassReport)> {
    graph.check()?;
    let (parts, report) = pass(graph.parts())?;
    Ok((Graph::from_parts(parts), report))
}

/// Runs all passes that go over graphs.
///
/// # Errors
///
/// What [`Graph::check`] reports.
pub fn optimize(graph: &Graph) -> Result<(Graph, Report)> {
    Passes::all().run(graph)
}

fn find(name: &str) -> Result<&'static str> {
    let known = Passes::names();
    known.iter().copied().find(|&known| known == name).ok_or_else(|| Error::Name {
        node: "passes".to_owned(),
        problem: "there is no pass named".to_owned(),
        name: name.to_owned(),
        known: known.join(", "),
        remedy: "use one of these names".to_owned(),
    })
}
