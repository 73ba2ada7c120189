//! Reductions: one number for each row that the reduced axes span.

use super::Step;
use super::rows::{LANES, for_each_group};
use crate::error::Result;
use crate::kernels::reduce::{Finish, Geometry, Recipe};
use crate::kernels::rows::{Kind, rows};

/// Operations that a term counts as.
const COST: usize = 2;

/// Reduces each row as the geometry's recipe says.
pub(super) fn execute(step: &Step<'_>, geometry: &Geometry, result: &mut [f32]) -> Result<()> {
    let rows = rows(step.node, &geometry.input, &geometry.reduced)?;
    step.check_length("the output", &[rows.results as usize], result.len())?;
    let [input] = step.operands([("input", &geometry.input)])?;
    let Recipe { before, kind, identity, finish } = Recipe::of(geometry.operation, rows.terms == 0);
    for_each_group(&rows, input, result, (1, COST), |group, run| {
        let mut m = [0.0; LANES];
        let m = &mut m[..run.len()];
        if let Some((before, identity)) = before {
            let none = [0.0; LANES];
            group.merge(before, identity, &none[..m.len()], m);
        }
        if kind == Kind::SumExponentials {
            // An infinite maximum is left in, where exp and log bring it back.
            m.iter_mut().filter(|m| !m.is_finite()).for_each(|m| *m = 0.0);
        }
        group.merge(kind, identity, m, run);
        run.iter_mut()
            .zip(m)
            .for_each(|(value, m)| *value = finished(*value, finish, rows.terms, *m));
    });
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^24 is near enough")]
fn finished(value: f32, finish: Finish, terms: u32, m: f32) -> f32 {
    match finish {
        Finish::Nothing => value,
        Finish::Divide => value / terms.max(1) as f32,
        Finish::Root => value.sqrt(),
        Finish::Log => value.ln() + m,
    }
}
