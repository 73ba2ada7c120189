//! One runtime, many threads: each gets what it asked for.

use longshore::Activation::Relu;
use longshore::{Dim, Graph, Reduce, ReduceOp};

use longshore_testing::executor::gpu::{open, runtime};
use longshore_testing::executor::stage;
use longshore_testing::golden::assert_same_bits;
use longshore_testing::random::Random;

#[test]
fn threads_stage_and_read_side_by_side() {
    let rt = runtime();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                let random = &mut Random::new(thread);
                for _ in 0..40 {
                    let length = random.range(1, 200);
                    let array = random.uniform(&[length]);
                    let tensor = stage(rt, "x", &array);
                    // Often, so that one thread's poll finds what another waits for.
                    for _ in 0..10 {
                        let back = tensor.read().unwrap();
                        assert_same_bits("what comes back", &back, &array);
                    }
                }
            });
        }
    });
}

#[test]
fn threads_run_one_session_side_by_side() {
    let rt = runtime();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 33.into()]);
    let y = g.add(x, x).unwrap();
    let y = g.activation(y, Relu).unwrap();
    g.output("y", y);
    let session = &rt.prepare(&g.plan(2).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let random = &mut Random::new(100 + thread);
                for _ in 0..50 {
                    let array = random.uniform(&[2, 33]);
                    let tensor = stage(rt, "x", &array);
                    let run = session.run([("x", &tensor)]).unwrap();
                    let expected = array.mapv(|value| (value + value).max(0.0));
                    assert_same_bits("a run", &run["y"].read().unwrap(), &expected);
                }
            });
        }
    });
}

#[test]
fn threads_prepare_one_plan_side_by_side() {
    // A runtime of its own, which has compiled nothing yet.
    let rt = &open();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 6.into(), 5.into()]);
    let y = g.softmax(x, -1).unwrap();
    let y = g.transpose(y, &[0, 2, 1]).unwrap();
    let y = g.reduce(y, Reduce::new(ReduceOp::Sum).axes([1])).unwrap();
    g.output("y", y);
    let plan = &g.plan(2).unwrap();
    let array = &Random::new(7).uniform(&[2, 6, 5]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                let session = rt.prepare(plan).unwrap();
                let run = session.run([("x", &stage(rt, "x", array))]).unwrap();
                let sums = run["y"].read().unwrap();
                assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6), "{sums}");
            });
        }
    });
}

#[test]
fn async_reads_finish_side_by_side() {
    let rt = runtime();
    let arrays: Vec<_> = (0..20).map(|seed| Random::new(seed).uniform(&[50])).collect();
    let tensors: Vec<_> = arrays.iter().map(|array| stage(rt, "x", array)).collect();
    let reads: Vec<_> = tensors.iter().map(longshore::Tensor::read_async).collect();
    std::thread::scope(|scope| {
        for (read, array) in reads.into_iter().zip(&arrays) {
            scope.spawn(move || {
                assert_same_bits("an async read", &pollster::block_on(read).unwrap(), array);
            });
        }
    });
}
