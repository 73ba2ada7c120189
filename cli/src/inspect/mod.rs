//! `longshore inspect`: what a model takes and computes, and the plan made of it.

mod json;
mod text;

use anyhow::Result;
use longshore::{Plan, StagePolicy};

use crate::choice::Choice;
use crate::feed::{Feed, Shapes};
use crate::model::{Bound, Model};
use crate::progress::Progress;

/// Options of `longshore inspect`.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    feed: Feed,
    #[command(flatten)]
    shapes: Shapes,
    /// Plan within this adapter's limits, not within those that every WebGPU device has
    #[arg(long, value_name = "auto|host|NAME")]
    adapter: Option<Choice>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A plan, and the name of the adapter whose limits it keeps to, if one was asked for.
struct Planned {
    plan: Plan,
    adapter: Option<String>,
}

/// Prints the model, and its plan; where there is none, what the file says and the reason.
pub fn run(options: &Options) -> Result<()> {
    let progress = Progress::new();
    progress.stage("reading the model");
    let model = options.feed.read_model()?;
    let planned = plan(options, &model);
    drop(progress);
    let found = planned.as_ref().ok();
    if options.json {
        crate::print_json(&json::describe(&model, found))?;
    } else {
        crate::print(&text::describe(&model, found)?)?;
    }
    planned.map(|_| ())
}

/// Plans within the adapter's limits, or within those that every WebGPU device has.
fn plan(options: &Options, model: &Model) -> Result<Planned> {
    let arrays = options.feed.arrays(model)?;
    let mut wishes = options.feed.wishes()?;
    options.shapes.wish(model, &arrays, &mut wishes)?;
    model.check_constants_given(&arrays)?;
    // Nothing is uploaded, so nothing is refused for being NaN.
    let policy = StagePolicy::new().allow_non_finite().allow_overflow();
    let Bound { imported, batch, .. } = model.bind(arrays, &wishes, &policy)?;
    let Some(choice) = &options.adapter else {
        return Ok(Planned { plan: imported.graph.plan(batch)?, adapter: None });
    };
    let rt = choice.open()?;
    let plan = imported.graph.plan_within(batch, rt.limits())?;
    Ok(Planned { plan, adapter: Some(rt.adapter().name.clone()) })
}
