//! Random small networks: sharing slots changes no value, every layer is right on the values that
//! it was really given, and passes change no output beyond its bound.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use longshore::{Graph, HostArray, Passes, Plan, PlanOptions, Run, Session, StagePolicy};
use ndarray::ArrayD;

use super::golden::{assert_same_bits, trials, widen};
use super::network::Network;
use crate::common::compare::assert_close;
use crate::common::oracle::Expected;
use crate::harness::{runtime, stage};

fn prepare(graph: &Graph, batch: usize, passes: Passes) -> (Plan, Session) {
    let plan = graph.plan_with(batch, &PlanOptions::new().passes(passes)).unwrap();
    let session = runtime().prepare(&plan).unwrap();
    (plan, session)
}

fn run(session: &Session, input: &ArrayD<f32>) -> Run {
    session.run([("x", &stage(runtime(), "x", input))]).unwrap()
}

#[test]
fn sharing_slots_changes_nothing_and_every_layer_is_right() {
    let shared = AtomicUsize::new(0);
    trials(40, |random| {
        let network = Network::draw(random);
        for batch in [1, 3] {
            let shape: Vec<usize> = [batch].into_iter().chain(network.item.clone()).collect();
            let input = random.uniform(&shape);
            let (_, all) = prepare(&network.graph(|_| true), batch, Passes::none());
            let (plan, last) = prepare(&network.graph(|_| false), batch, Passes::none());
            // The last step writes an output, and the others write slots.
            if plan.slots().len() + 1 < plan.steps().len() {
                shared.fetch_add(1, Ordering::Relaxed);
            }
            let (all, last) = (run(&all, &input), run(&last, &input));
            let result = last[&network.last()].read().unwrap();
            let mut values = vec![input];
            let exact = |values: &[ArrayD<f32>]| -> Vec<Expected> {
                values.iter().map(|value| Expected::exact(widen(value))).collect()
            };
            for (number, layer) in network.layers.iter().enumerate() {
                let name = format!("value {}", number + 1);
                let actual = all[&name].read().unwrap();
                let what = format!("{name} of batch {batch}\n{plan}");
                assert_close(&what, &actual, &layer.expected(&exact(&values)));
                values.push(actual);
            }
            assert_same_bits(&plan.to_string(), &result, values.last().unwrap());
        }
    });
    let shared = shared.into_inner();
    assert!(shared > 20, "{shared} of 80 plans share slots");
}

#[test]
fn nothing_of_an_earlier_run_is_left() {
    trials(40, |random| {
        let network = Network::draw(random);
        let graph = network.graph(|_| false);
        let shape: Vec<usize> = [2].into_iter().chain(network.item.clone()).collect();
        let input = random.uniform(&shape);
        let (plan, used) = prepare(&graph, 2, Passes::all());
        let nan = ArrayD::from_elem(input.raw_dim(), f32::NAN);
        let policy = StagePolicy::new().allow_non_finite();
        let (nan, _) = runtime().stage_with("nan", &HostArray::from(nan), &policy).unwrap();
        let poisoned = used.run([("x", &nan)]).unwrap()[&network.last()].read().unwrap();
        assert!(poisoned.iter().any(|value| value.is_nan()), "{plan}");
        let after = run(&used, &input)[&network.last()].read().unwrap();
        let (_, fresh) = prepare(&graph, 2, Passes::all());
        let fresh = run(&fresh, &input)[&network.last()].read().unwrap();
        assert_same_bits(&plan.to_string(), &after, &fresh);
    });
}

/// Both plans' outputs lie within what f32 may be off by in the whole network: each layer's own
/// bound twice, since a pass may round a weight or a value once more, and what it makes of its
/// operands' bounds.
#[test]
fn passes_keep_every_output_and_add_no_step() {
    let (fewer, steps) = (AtomicUsize::new(0), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let peaks = [AtomicU64::new(0), AtomicU64::new(0)];
    trials(60, |random| {
        let network = Network::draw(random);
        let named: Vec<bool> =
            (0..=network.layers.len()).map(|_| random.range(0, 5) == 0).collect();
        let graph = network.graph(|number| named[number]);
        let batch = random.range(1, 4);
        let shape: Vec<usize> = [batch].into_iter().chain(network.item.clone()).collect();
        let input = random.uniform(&shape);
        let plans = [Passes::none(), Passes::all()].map(|passes| prepare(&graph, batch, passes));
        let mut values = vec![Expected::exact(widen(&input))];
        for layer in &network.layers {
            let mut value = layer.expected(&values);
            value.bound *= 2.0;
            values.push(value);
        }
        for ((plan, session), (steps, peak)) in plans.iter().zip(steps.iter().zip(&peaks)) {
            let run = run(session, &input);
            for (name, tensor) in run.outputs() {
                let number: usize = name.strip_prefix("value ").unwrap().parse().unwrap();
                let what = format!("{name} of batch {batch}\n{plan}");
                assert_close(&what, &tensor.read().unwrap(), &values[number]);
            }
            steps.fetch_add(plan.steps().len(), Ordering::Relaxed);
            peak.fetch_add(plan.peak_bytes(), Ordering::Relaxed);
        }
        let [plain, fused] = plans.map(|(plan, _)| plan);
        assert!(fused.steps().len() <= plain.steps().len(), "{plain}\n{fused}");
        fewer.fetch_add((fused.steps().len() < plain.steps().len()).into(), Ordering::Relaxed);
    });
    let [before, after] = steps.map(AtomicUsize::into_inner);
    let [peak, peak_after] = peaks.map(AtomicU64::into_inner);
    eprintln!(
        "60 networks: {before} steps became {after}, {peak} bytes at their peaks {peak_after}"
    );
    let fewer = fewer.into_inner();
    assert!(fewer > 30, "{fewer} of 60 plans have fewer steps");
}
