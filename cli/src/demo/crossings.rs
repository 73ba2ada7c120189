//! The demo's claim, checked: the ledger shows the expected crossings and no other.

use anyhow::{Result, ensure};
use longshore::ledger::{Cause, Direction, Event, Ledger, Totals};
use longshore::plan::{Expected, ExpectedCrossings};

/// One staging that the demo does.
pub struct Staged {
    pub label: &'static str,
    pub payload_bytes: u64,
}

/// Fails unless each array crossed once, each run moved nothing and each read downloaded
/// its output.
pub fn check(
    ledger: &Ledger,
    staged: &[Staged],
    plan: &ExpectedCrossings,
    runs: usize,
) -> Result<()> {
    let events = ledger.events();
    let crossed: Vec<&Event> =
        events.iter().filter(|event| event.direction.is_crossing()).collect();
    let of = |cause: Cause| crossed.iter().copied().filter(move |event| event.cause == cause);

    let moved_by_runs = of(Cause::Run).count();
    ensure!(moved_by_runs == 0, "runs moved data between host and device {moved_by_runs} times");
    ensure!(plan.run.is_empty(), "the plan expects runs to move data");

    let stagings: Vec<&Event> = of(Cause::Stage).collect();
    ensure!(
        stagings.len() == staged.len(),
        "{} stagings are in the ledger but there were {}",
        stagings.len(),
        staged.len()
    );
    for (event, staged) in stagings.iter().zip(staged) {
        ensure!(
            event.direction == Direction::HostToDevice
                && event.label == staged.label
                && event.payload_bytes == staged.payload_bytes,
            "staging \"{}\" of {} bytes is in the ledger as \"{}\" of {} bytes",
            staged.label,
            staged.payload_bytes,
            event.label,
            event.payload_bytes
        );
    }
    compare("preparing", of(Cause::Prepare), plan.prepare.iter())?;
    let reads = (0..runs).flat_map(|_| &plan.read);
    compare("reading", of(Cause::Read), reads)?;
    ensure!(sum(&events) == ledger.totals(), "the ledger's totals are not its events' sums");
    Ok(())
}

fn compare<'a>(
    doing: &str,
    events: impl Iterator<Item = &'a Event>,
    expected: impl Iterator<Item = &'a Expected>,
) -> Result<()> {
    let found: Vec<Expected> = events.map(as_expected).collect();
    let expected: Vec<Expected> = expected.cloned().collect();
    ensure!(
        found == expected,
        "{doing} moved other bytes than planned: {found:?} but the plan expects {expected:?}"
    );
    Ok(())
}

fn as_expected(event: &Event) -> Expected {
    Expected {
        direction: event.direction,
        label: event.label.clone(),
        cause: event.cause,
        payload_bytes: event.payload_bytes,
        padding_bytes: event.padding_bytes,
    }
}

fn sum(events: &[Event]) -> Totals {
    let mut totals = Totals::default();
    for event in events {
        let total = match event.direction {
            Direction::HostToDevice => &mut totals.host_to_device,
            Direction::DeviceToHost => &mut totals.device_to_host,
            Direction::DeviceInternal => &mut totals.device_internal,
            Direction::HostInternal => &mut totals.host_internal,
        };
        total.count += 1;
        total.payload_bytes += event.payload_bytes;
        total.padding_bytes += event.padding_bytes;
    }
    totals
}

#[cfg(test)]
mod tests {
    use longshore::{Activation, Graph, HostArray, Runtime, RuntimeOptions, Shape};
    use ndarray::Array2;

    use super::*;

    const IMAGES: &str = "images";

    /// Stages one array, runs it twice and reads both results.
    fn two_runs(rt: Runtime) -> (Runtime, ExpectedCrossings) {
        let images = rt.stage(IMAGES, &HostArray::from(Array2::<f64>::ones((3, 5)))).unwrap();
        let mut g = Graph::new();
        let x = g.input("image", Shape::batch([5]));
        let y = g.activation(x, Activation::Relu).unwrap();
        g.output("y", y);
        let plan = g.plan(3).unwrap();
        let session = rt.prepare(&plan).unwrap();
        for _ in 0..2 {
            session.run([("image", &images)]).unwrap()["y"].read().unwrap();
        }
        (rt, session.expected_crossings())
    }

    #[test]
    fn only_the_promised_crossings_pass() {
        let adapter = RuntimeOptions::new().require_adapter();
        let (rt, plan) = two_runs(Runtime::open_with(adapter).unwrap());
        let staged = |label, payload_bytes| [Staged { label, payload_bytes }];
        check(rt.ledger(), &staged(IMAGES, 60), &plan, 2).unwrap();

        let failing = |staged: &[Staged], plan: &ExpectedCrossings, runs| {
            assert!(check(rt.ledger(), staged, plan, runs).is_err());
        };
        failing(&staged("other", 60), &plan, 2);
        failing(&staged(IMAGES, 64), &plan, 2);
        failing(&[], &plan, 2);
        failing(&staged(IMAGES, 60), &plan, 3);
        failing(&staged(IMAGES, 60), &plan, 1);
        let fewer = ExpectedCrossings { prepare: Vec::new(), ..plan.clone() };
        failing(&staged(IMAGES, 60), &fewer, 2);
        let in_runs = ExpectedCrossings { run: plan.read.clone(), ..plan.clone() };
        failing(&staged(IMAGES, 60), &in_runs, 2);

        rt.stage(IMAGES, &HostArray::from(Array2::<f64>::ones((3, 5)))).unwrap();
        failing(&staged(IMAGES, 60), &plan, 2);
    }

    #[test]
    fn on_the_host_nothing_crosses_and_nothing_else_passes() {
        let (rt, expected) = two_runs(Runtime::host());
        assert_eq!(expected, ExpectedCrossings::default());
        check(rt.ledger(), &[], &expected, 2).unwrap();
        let staged = [Staged { label: IMAGES, payload_bytes: 60 }];
        assert!(check(rt.ledger(), &staged, &expected, 2).is_err());
    }
}
