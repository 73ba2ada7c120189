//! What the host executor does with memory: what the ledger shows, splitting, rows, choices.

use longshore::ledger::{Cause, Direction, Method, Totals};
use longshore::plan::{ExpectedCrossings, Limits, Plan};
use longshore::{
    Activation, Dense, Dim, Graph, Guard, HostArray, LayerWeights, Runtime, StagePolicy, Weights,
};
use ndarray::{Array2, ArrayD, array};

use longshore_testing::executor::host::open;
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

/// relu(x . w) of 5 numbers each, whose weights are still on the host.
fn graph() -> Graph {
    let mut random = Random::new(3);
    let weights = LayerWeights::new(HostArray::from(random.uniform(&[5, 7])));
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 5.into()]);
    let y = g.dense(x, Dense::new(7).activation(Activation::Relu), &weights).unwrap();
    g.output("y", y);
    g
}

#[test]
fn the_host_names_itself_and_its_limits_split_nothing_that_memory_holds() {
    let rt = open();
    let adapter = rt.adapter();
    assert_eq!((adapter.backend.as_str(), adapter.device_type.as_str()), ("host", "cpu"));
    let threads = rayon::current_num_threads();
    assert!(adapter.name.starts_with(&format!("host ({threads} thread")), "{adapter}");
    assert!(rt.is_host());
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, (1 << 20).into()]);
    let y = g.activation(x, Activation::Relu).unwrap();
    g.output("y", y);
    // 2 GiB: in many parts within the limits of every device, in one on the host.
    let plan = g.plan_within(512, rt.limits()).unwrap();
    assert_eq!(plan.steps().len(), 1);
    // What elements numbered with 32 bits cannot hold is split, not refused.
    assert_eq!(g.plan_within(8192, rt.limits()).unwrap().steps().len(), 3);
}

#[test]
fn nothing_crosses_and_packing_and_reading_are_recorded() {
    let rt = open();
    let session = rt.prepare(&graph().plan(2).unwrap()).unwrap();
    assert_eq!(session.expected_crossings(), ExpectedCrossings::default());
    let x = stage(&rt, "x", &Random::new(4).uniform(&[2, 5]));
    let run = session.run([("x", &x)]).unwrap();
    run["y"].read().unwrap();
    let mut values = [0.0; 14];
    run["y"].read_into(&mut values).unwrap();
    pollster::block_on(run["y"].read_async()).unwrap();
    let events = rt.ledger().events();
    assert!(events.iter().all(|event| event.direction == Direction::HostInternal));
    let rows: Vec<_> = events
        .iter()
        .map(|event| (event.cause, event.method, event.label.as_str(), event.payload_bytes))
        .collect();
    let read = (Cause::Read, Method::HostCopy, "y", 56);
    let expected = [
        (Cause::Prepare, Method::HostCopy, "weights", 140),
        (Cause::Prepare, Method::ZeroFill, "output 0", 64),
        (Cause::Stage, Method::HostCopy, "x", 40),
        read,
        read,
        read,
    ];
    assert_eq!(rows, expected);
    assert!(events[2].phases_ns.contains_key("pack"));
    assert!(events[3].phases_ns.contains_key("host_copy"));
    let totals = rt.ledger().totals();
    assert_eq!(totals.host_internal.count, 6);
    assert_eq!(Totals { host_internal: totals.host_internal, ..Totals::default() }, totals);
    assert!(rt.ledger().to_json().unwrap().contains("\"host_internal\""));
}

#[test]
fn guards_forbid_nothing_unless_they_are_told_to() {
    let rt = open();
    let array = Random::new(5).uniform(&[2, 5]);
    rt.forbid_crossings(|| stage(&rt, "x", &array).read()).unwrap();
    let strict = Guard::forbid().direction(Direction::HostInternal).name("no packing");
    let x = stage(&rt, "x", &array);
    let before = rt.ledger().totals();
    for error in [
        rt.guarded(strict.clone(), || x.read()).unwrap_err(),
        rt.guarded(strict.clone(), || rt.stage("x", &HostArray::from_view(&array))).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("\"no packing\": host internal of \"x\" ("), "{text}");
    }
    // The first of them is kept, as an async read asks when it is called.
    let refused = rt.guarded(strict, || x.read_async());
    assert!(pollster::block_on(refused).is_err());
    assert_eq!(rt.ledger().totals(), before);
}

#[test]
fn a_steady_state_run_creates_nothing_with_reading_too() {
    let rt = open();
    let session = rt.prepare(&graph().plan(2).unwrap()).unwrap();
    let x = stage(&rt, "x", &Random::new(4).uniform(&[2, 5]));
    let mut values = [0.0; 14];
    let created = rt.buffers_created();
    for _ in 0..5 {
        session.run([("x", &x)]).unwrap()["y"].read_into(&mut values).unwrap();
    }
    assert_eq!(rt.buffers_created(), created);
}

#[test]
fn rows_begin_anywhere_and_are_inputs_as_they_are() {
    let rt = open();
    let array = Random::new(6).uniform(&[7, 5]);
    let x = stage(&rt, "x", &array);
    let session = rt.prepare(&graph().plan(2).unwrap()).unwrap();
    for first in [0, 1, 3, 5] {
        let rows = x.rows(first..first + 2).unwrap();
        let alone = array.slice_axis(ndarray::Axis(0), (first..first + 2).into()).to_owned();
        assert_eq!(rows.read().unwrap(), alone);
        let expected = session.run([("x", &stage(&rt, "x", &alone))]).unwrap()["y"].read();
        let found = session.run([("x", &rows)]).unwrap()["y"].read();
        assert_eq!(found.unwrap(), expected.unwrap());
    }
    assert_eq!(x.rows(3..3).unwrap().read().unwrap().len(), 0);
}

#[test]
fn a_plan_split_for_a_small_device_gives_the_same() {
    let rt = open();
    let mut limits = *rt.limits();
    limits.max_storage_buffer_binding_size = 3 * 7 * 4;
    limits.min_storage_buffer_offset_alignment = 4;
    // A row of the kernel fits, in bindings of 3; in smaller ones nothing does.
    let (dense, five) = (graph(), Random::new(8).uniform(&[8, 5]));
    let parts = dense.plan_within(8, &limits).unwrap();
    assert_eq!(parts.steps().len(), 3 * 2, "{parts}");
    let small = Limits { max_storage_buffer_binding_size: 6 * 4, ..limits };
    let refused = dense.plan_within(8, &small).unwrap_err();
    assert!(refused.to_string().contains("weight"), "{refused}");
    let result = |plan: &Plan, array: &ArrayD<f32>| {
        let (session, x) = (rt.prepare(plan).unwrap(), stage(&rt, "x", array));
        session.run([("x", &x)]).unwrap()["y"].read().unwrap()
    };
    assert_eq!(result(&parts, &five), result(&dense.plan(8).unwrap(), &five));
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 7.into()]);
    let y = g.activation(x, Activation::Tanh).unwrap();
    let y = g.add(y, x).unwrap();
    g.output("y", y);
    let parts = g.plan_within(8, &limits).unwrap();
    // The sum is part of the function's step; 3, 3 and 2 items.
    assert_eq!(parts.steps().len(), 3);
    let array = Random::new(7).uniform(&[8, 7]);
    assert_eq!(result(&parts, &array), result(&g.plan(8).unwrap(), &array));
}

#[test]
fn staging_keeps_its_policies_and_weight_sets_are_one_piece() {
    let rt = open();
    let bad = HostArray::from(array![[0.5, f64::NAN]]);
    let error = rt.stage("bad", &bad).unwrap_err().to_string();
    assert!(error.contains("array \"bad\": 1 NaN"), "{error}");
    assert_eq!(rt.ledger().totals(), Totals::default());
    let (clean, report) =
        rt.stage_with("bad", &bad, StagePolicy::new().replace_non_finite(2.0)).unwrap();
    assert_eq!(clean.read().unwrap(), array![[0.5_f32, 2.0]].into_dyn());
    assert_eq!(report.replaced_count, 1);
    let layer = LayerWeights::new(HostArray::from(Array2::<f32>::ones((3, 5))))
        .bias(HostArray::from(ArrayD::<f64>::zeros(vec![5])));
    let before = rt.ledger().totals().host_internal.count;
    let staged = rt.stage_weights("w", &Weights::new().with("dense", layer)).unwrap();
    assert_eq!(rt.ledger().totals().host_internal.count, before + 1);
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 3.into()]);
    let y = g.dense(x, Dense::new(5), &staged["dense"]).unwrap();
    g.output("y", y);
    let session = rt.prepare(&g.plan(1).unwrap()).unwrap();
    let x = stage(&rt, "x", &ArrayD::ones(vec![1, 3]));
    let y = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    assert!(y.iter().all(|&value| value == 3.0), "{y}");
}

#[test]
fn waiting_is_over_at_once() {
    let rt = open();
    rt.wait().unwrap();
    pollster::block_on(rt.wait_async()).unwrap();
    assert!(Runtime::clone(&rt).is_host());
}

#[test]
fn weights_are_kept_once_in_the_form_that_runs_read() {
    let rt = open();
    let mut random = Random::new(9);
    let (kernel, bias) = (random.uniform(&[64, 64]), random.uniform(&[64]));
    let layer = LayerWeights::new(HostArray::from(kernel.clone())).bias(HostArray::from(bias));
    let staged = rt.stage_weights("w", &Weights::new().with("dense", layer.clone())).unwrap();
    let one_layer = |weights: &LayerWeights, batch| {
        let mut g = Graph::new();
        let x = g.input("x", [Dim::Batch, 64.into()]);
        let y = g.dense(x, Dense::new(64), weights).unwrap();
        g.output("y", y);
        rt.prepare(&g.plan(batch).unwrap()).unwrap()
    };
    let (row, weights) = (64 * 4, 64 * 64 * 4);
    // A kernel, packed for rows that read it more than once or as it is; the bias; the output.
    assert_eq!(one_layer(&layer, 8).host_bytes(), weights + row + 8 * row);
    assert_eq!(one_layer(&layer, 1).host_bytes(), weights + row + row);
    // Tensors are the user's; what is packed of them is the session's.
    assert_eq!(one_layer(&staged["dense"], 8).host_bytes(), weights + 8 * row);
    assert_eq!(one_layer(&staged["dense"], 1).host_bytes(), row);
    // Two layers over one kernel, and the kernel itself as a result.
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 64.into()]);
    let k = g.constant("k", HostArray::from(kernel.clone())).unwrap();
    let y = g.matmul(x, k).unwrap();
    let y = g.matmul(y, k).unwrap();
    g.output("y", y);
    let plan = g.plan(8).unwrap();
    let slots: u64 = plan.slots().iter().sum();
    let session = rt.prepare(&plan).unwrap();
    assert_eq!(session.host_bytes(), weights + slots + 8 * row);
    let array = random.uniform(&[8, 64]);
    let x = stage(&rt, "x", &array);
    let y = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    g.output("k", k);
    let session = rt.prepare(&g.plan(8).unwrap()).unwrap();
    assert_eq!(session.host_bytes(), 2 * weights + slots + 8 * row);
    let run = session.run([("x", &x)]).unwrap();
    assert_eq!((run["y"].read().unwrap(), run["k"].read().unwrap()), (y, kernel));
}
