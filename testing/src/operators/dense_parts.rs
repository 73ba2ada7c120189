//! Dense layers whose kernels are larger than a binding: steps that each take some of its rows.

use std::collections::BTreeSet;

use longshore::internals::kernels::{Work, dense};
use longshore::plan::{Limits, Plan};
use longshore::{Dense, Graph};
use ndarray::ArrayD;

use crate::compare::assert_close;
use crate::executor::Executor;
use crate::golden::{ELEMENTWISE, SOFTMAX, assert_same_bits, batched, trials, weights, widen};
use crate::oracle::dense::dense;
use crate::random::Random;

/// Rows of any kernel that begin at a multiple of every alignment that a device may have.
const ALIGNED: usize = 64;

/// Plans for a device whose loops end after some inputs, one or four in an iteration.
fn looped(on: &dyn Executor, graph: &Graph, batch: usize, inputs: u64) -> Plan {
    let limits = Limits { max_loop_iterations: Some(inputs), ..*on.runtime().limits() };
    graph.plan_within(batch, &limits).unwrap()
}

/// Plans for a device that binds no more than some rows of a kernel.
fn plan(on: &dyn Executor, graph: &Graph, batch: usize, rows: usize, units: usize) -> Plan {
    let bytes = 4 * (rows * units) as u64;
    let limits = Limits { max_storage_buffer_binding_size: bytes, ..*on.runtime().limits() };
    graph.plan_within(batch, &limits).unwrap()
}

/// Runs a plan after another input's run: what that leaves in the buffers must not be added to.
fn run(on: &dyn Executor, plan: &Plan, input: &ArrayD<f32>) -> ArrayD<f32> {
    let session = on.runtime().prepare(plan).unwrap();
    let x = on.stage("x", input);
    let first = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    let other = on.stage("x", &input.mapv(|value| 3.0 - value));
    drop(session.run([("x", &other)]).unwrap());
    let again = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    assert_same_bits("a second run", &again, &first);
    first
}

pub fn parts_of_the_inputs_add_up(on: &dyn Executor) {
    let reached = std::sync::Mutex::new(BTreeSet::new());
    trials(60, |random| {
        let batch = *random.pick(&[1, 2, 3, 5, 9, 50]);
        let inputs = *random.pick(&[130, 192, 300, 301, 333]);
        let units = *random.pick(&[65, 128, 132]);
        let twin = match random.range(0, 18) {
            17 => SOFTMAX,
            number => ELEMENTWISE[number],
        };
        let input = random.uniform(&[batch, inputs]);
        let weight = random.uniform(&[inputs, units]);
        let bias = (random.range(0, 2) == 0).then(|| random.uniform(&[units]));
        let layer = Dense::new(units).activation(twin.ours);
        let mut g = Graph::new();
        let x = g.input("x", batched(&[batch, inputs]));
        let y = g.dense(x, layer, &weights(&weight, bias.as_ref())).unwrap();
        g.output("y", y);
        let taken = *random.pick(&[ALIGNED, ALIGNED + 63, 2 * ALIGNED]);
        let plan = match random.range(0, 3) {
            // As many trips as there are inputs, if not a quarter of them.
            0 if inputs % 4 == 0 && units % 4 == 0 => looped(on, &g, batch, taken as u64 / 4),
            0 => looped(on, &g, batch, taken as u64),
            _ => plan(on, &g, batch, taken, units),
        };
        let what =
            format!("{batch} of {inputs} to {units}, bias {}, {twin:?}\n{plan}", bias.is_some());
        let second = plan.steps().get(1).map(|step| &step.work);
        assert!(matches!(second, Some(Work::Dense(g)) if g.part().first > 0), "{what}");
        let products = plan.steps().iter().filter(|step| step.kernel.stem == "dense");
        reached.lock().unwrap().extend(products.map(|step| step.kernel.entry));
        let bias = bias.as_ref().map(widen);
        let expected = twin.apply(dense(&widen(&input), &widen(&weight), bias.as_ref()));
        assert_close(&what, &run(on, &plan, &input), &expected);
    });
    let all: BTreeSet<&str> = dense::SHADER.entries().collect();
    assert_eq!(reached.into_inner().unwrap(), all);
}

/// Parts that are themselves so long that the host takes them in parts.
pub fn long_parts_add_up_too(on: &dyn Executor) {
    let random = &mut Random::new(32);
    let (rows, inputs, units) = (2, 20_000, 64);
    let (input, weight) = (random.uniform(&[rows, inputs]), random.uniform(&[inputs, units]));
    let mut g = Graph::new();
    let x = g.input("x", batched(&[rows, inputs]));
    let y = g.dense(x, Dense::new(units), &weights(&weight, None)).unwrap();
    g.output("y", y);
    let plan = plan(on, &g, rows, 9000, units);
    assert_eq!(plan.steps().len(), 3, "{plan}");
    assert_close(
        "long parts",
        &run(on, &plan, &input),
        &dense(&widen(&input), &widen(&weight), None),
    );
}
