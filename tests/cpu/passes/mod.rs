//! Passes: graphs before and after, what is left alone, and what the reports say.

mod choosing;
mod concat_in_place;
mod concat_wholes;
mod dead_code;
mod fold_constants;
mod fold_padding;
mod fuse;
mod moved_rows;
mod transposes;
mod turned;

use longshore::passes::PassReport;
use longshore::{Graph, Result};

/// A pass.
pub type Pass = fn(&Graph) -> Result<(Graph, PassReport)>;

/// Applies a pass and returns the nodes it leaves, as the graph prints them, and its report.
pub fn apply(pass: Pass, graph: &Graph) -> (Vec<String>, PassReport) {
    let (after, report) = pass(graph).unwrap();
    after.check().unwrap();
    (after.to_string().lines().map(str::to_owned).collect(), report)
}

/// Checks that a pass leaves a graph as it is.
#[track_caller]
pub fn leaves(pass: Pass, graph: &Graph) {
    let (after, report) = apply(pass, graph);
    let before: Vec<String> = graph.to_string().lines().map(str::to_owned).collect();
    assert_eq!(after, before);
    assert!(!report.changed(), "{report}");
}
