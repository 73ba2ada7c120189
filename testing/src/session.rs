//! Sessions: what crosses, what is created, what is refused.

use longshore::Activation::{Relu, Softmax};
use longshore::ledger::Cause;
use longshore::plan::Limits;
use longshore::{
    Conv2d, Dense, Dim, Graph, HostArray, LayerWeights, Passes, PlanOptions, UpSampling2d,
};
use ndarray::ArrayD;

use crate::executor::{Executor, stage};
use crate::random::Random;

fn host(array: ArrayD<f32>) -> HostArray<'static> {
    HostArray::from(array)
}

/// The network of the README, small.
fn network(random: &mut Random) -> Graph {
    let conv =
        LayerWeights::new(host(random.uniform(&[3, 3, 1, 5]))).bias(host(random.uniform(&[5])));
    let dense =
        LayerWeights::new(host(random.uniform(&[5 * 8 * 6, 7]))).bias(host(random.uniform(&[7])));
    let mut g = Graph::new();
    let x = g.input("image", [Dim::Batch, 5.into(), 4.into(), 1.into()]);
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2)).unwrap();
    let x = g.conv2d(x, Conv2d::new(5, (3, 3)).activation(Relu).name("edges"), &conv).unwrap();
    g.output("edges", x);
    let x = g.flatten(x).unwrap();
    let y = g.dense(x, Dense::new(7).activation(Softmax), &dense).unwrap();
    g.output("probabilities", y);
    g
}

pub fn a_run_moves_nothing_and_creates_nothing_after_the_first(on: &dyn Executor) {
    let rt = on.open();
    let mut random = Random::new(1);
    let graph = network(&mut random);
    let plan = graph.plan(3).unwrap();
    println!("{plan}");
    let session = rt.prepare(&plan).unwrap();
    let expected = session.expected_crossings();
    let images = stage(&rt, "image", &random.uniform(&[3, 5, 4, 1]));
    let first = session.run([("image", &images)]).unwrap();
    let probabilities = first["probabilities"].read().unwrap();
    assert_eq!(probabilities.shape(), [3, 7]);
    for row in probabilities.rows() {
        assert!((row.sum() - 1.0).abs() < 1e-5, "{row}");
    }
    drop(first);
    let buffers = rt.buffers_created();
    let before = rt.ledger().totals();
    for _ in 0..5 {
        let run = rt.forbid_crossings(|| session.run([("image", &images)])).unwrap();
        drop(run);
    }
    assert_eq!(rt.buffers_created(), buffers);
    assert_eq!(rt.ledger().totals(), before);
    let crossings: Vec<_> =
        rt.ledger().events().into_iter().filter(|event| event.direction.is_crossing()).collect();
    let prepared: Vec<_> = crossings.iter().filter(|e| e.cause == Cause::Prepare).collect();
    assert_eq!(prepared.len(), expected.prepare.len());
    for (event, expected) in prepared.iter().zip(&expected.prepare) {
        assert_eq!(event.label, expected.label);
        assert_eq!(event.payload_bytes, expected.payload_bytes);
        assert_eq!(event.padding_bytes, expected.padding_bytes);
    }
    assert_eq!(crossings.iter().filter(|e| e.cause == Cause::Run).count(), 0);
    println!("{}", rt.ledger());
}

pub fn held_outputs_keep_their_values_and_dropped_ones_are_reused(on: &dyn Executor) {
    let rt = on.open();
    let mut random = Random::new(2);
    let graph = network(&mut random);
    let session = rt.prepare(&graph.plan(1).unwrap()).unwrap();
    let inputs: Vec<_> =
        (0..3).map(|_| stage(&rt, "image", &random.uniform(&[1, 5, 4, 1]))).collect();
    let created = rt.buffers_created();
    let held: Vec<_> = inputs.iter().map(|x| session.run([("image", x)]).unwrap()).collect();
    // Two outputs for each run; the first run's were made by prepare.
    assert_eq!(rt.buffers_created(), created + 4);
    for (x, held) in inputs.iter().zip(&held) {
        let alone = rt.prepare(&graph.plan(1).unwrap()).unwrap();
        let run = alone.run([("image", x)]).unwrap();
        for name in ["edges", "probabilities"] {
            assert_eq!(held[name].read().unwrap(), run[name].read().unwrap());
        }
    }
    drop(held);
    // Another two to five readback buffers may have been made; runs make none any more.
    let created = rt.buffers_created();
    let again: Vec<_> = inputs.iter().map(|x| session.run([("image", x)]).unwrap()).collect();
    assert_eq!(rt.buffers_created(), created);
    drop(again);
}

pub fn threads_share_a_session_and_each_gets_its_own_results(on: &dyn Executor) {
    let rt = on.open();
    let mut random = Random::new(3);
    let graph = network(&mut random);
    let session = rt.prepare(&graph.plan(2).unwrap()).unwrap();
    let arrays: Vec<_> = (0..4).map(|_| random.uniform(&[2, 5, 4, 1])).collect();
    let expected: Vec<_> = arrays
        .iter()
        .map(|array| {
            let run = session.run([("image", &stage(&rt, "image", array))]).unwrap();
            run["probabilities"].read().unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        for (array, expected) in arrays.iter().zip(&expected) {
            scope.spawn(|| {
                for _ in 0..10 {
                    let image = stage(&rt, "image", array);
                    let run = rt.forbid_crossings(|| session.run([("image", &image)])).unwrap();
                    assert_eq!(run["probabilities"].read().unwrap(), *expected);
                }
            });
        }
    });
}

pub fn inputs_are_matched_by_name_and_shape(on: &dyn Executor) {
    let rt = on.open();
    let mut random = Random::new(4);
    let session = rt.prepare(&network(&mut random).plan(2).unwrap()).unwrap();
    let right = stage(&rt, "right", &random.uniform(&[2, 5, 4, 1]));
    let wrong = stage(&rt, "wrong", &random.uniform(&[3, 5, 4, 1]));
    let message = |inputs: &[(&str, &longshore::Tensor)]| {
        session.run(inputs.iter().copied()).unwrap_err().to_string()
    };
    assert_eq!(
        message(&[("image", &wrong)]),
        "run: input \"image\" has shape [3, 5, 4, 1] but the plan for batch 2 takes [2, 5, 4, 1]\n  \
         (tensor \"wrong\"); plan for this batch, or bring rows of the tensor"
    );
    assert_eq!(
        message(&[]),
        "run: nothing is given for input \"image\"; known: image; give a staged tensor"
    );
    assert_eq!(
        message(&[("picture", &right)]),
        "run: there is no input named \"picture\"; known: image; use one of these names"
    );
    assert_eq!(
        message(&[("image", &right), ("image", &right)]),
        "run: two tensors are given for input \"image\"; known: image; give one"
    );
}

pub fn sessions_are_planned_for_their_runtime_unless_limits_are_given(on: &dyn Executor) {
    let rt = on.open();
    let graph = network(&mut Random::new(2));
    assert_eq!(rt.session(&graph, 2).unwrap().plan().limits(), rt.limits());
    let bare = PlanOptions::new().passes(Passes::none());
    let session = rt.session_with(&graph, 2, bare.clone()).unwrap();
    assert_eq!(session.plan().limits(), rt.limits());
    assert_eq!(session.plan().batch(), 2);
    assert!(session.plan().report().passes().is_empty());
    assert!(!rt.session(&graph, 2).unwrap().plan().report().passes().is_empty());

    let small = Limits { max_buffer_size: rt.limits().max_buffer_size / 2, ..*rt.limits() };
    let session = rt.session_with(&graph, 2, bare.limits(small)).unwrap();
    assert_eq!(session.plan().limits(), &small);
    // What a plan cannot be prepared for is refused as `prepare` refuses it.
    let large = Limits { max_buffer_size: u64::MAX, ..*rt.limits() };
    let outcome = rt.session_with(&graph, 2, PlanOptions::new().limits(large));
    assert!(outcome.is_err() || rt.limits().max_buffer_size == u64::MAX);
}
