//! One session for many threads at once: its runs go side by side, and none waits for another.
//!
//! A task of rayon's pool that waits for a part of its run may be given another run of the same
//! session to do meanwhile. Whatever a run had locked would then wait for itself.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use longshore::{Activation, Conv2d, Dim, Graph, HostArray, LayerWeights, Session, Tensor};
use ndarray::ArrayD;
use rayon::prelude::*;

use longshore_testing::executor::host::open;
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

/// Runs a body on a thread of its own, and fails when it takes too long.
fn watched(name: &str, body: impl FnOnce() + Send + 'static) {
    let (sender, receiver) = channel();
    let worker = thread::spawn(move || {
        body();
        sender.send(()).unwrap();
    });
    match receiver.recv_timeout(Duration::from_secs(120)) {
        Ok(()) => worker.join().unwrap(),
        // The body is over, or stuck; then so is its thread, which ends with the process.
        Err(error) => {
            panic!("{name} hangs or has failed: {error}, finished = {}", worker.is_finished())
        }
    }
}

/// A session with several inputs to run it over, and what each gives.
#[derive(Clone)]
struct Shared {
    session: Arc<Session>,
    inputs: Arc<Vec<(Tensor, ArrayD<f32>)>>,
}

impl Shared {
    /// Two convolutions, with a slot between them; of `size` pixels along each axis.
    fn new(size: usize) -> Self {
        let (rt, mut random) = (open(), Random::new(31));
        let mut g = Graph::new();
        let x = g.input("x", [Dim::Batch, size.into(), size.into(), 16.into()]);
        let mut layer = |g: &mut Graph, x| {
            let kernel = LayerWeights::new(HostArray::from(random.uniform(&[3, 3, 16, 16])));
            g.conv2d(x, Conv2d::new(16, (3, 3)).activation(Activation::Relu), &kernel).unwrap()
        };
        let y = layer(&mut g, x);
        let y = layer(&mut g, y);
        g.output("y", y);
        let session = rt.prepare(&g.plan(1).unwrap()).unwrap();
        assert!(!session.plan().slots().is_empty());
        let inputs = (0..5).map(|_| {
            let x = stage(&rt, "x", &random.uniform(&[1, size, size, 16]));
            let y = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
            (x, y)
        });
        let inputs = Arc::new(inputs.collect());
        Shared { session: Arc::new(session), inputs }
    }

    fn round(&self, number: usize) {
        let (x, expected) = &self.inputs[number % self.inputs.len()];
        let run = self.session.run([("x", x)]).unwrap();
        assert_eq!(run["y"].read().unwrap(), *expected);
    }
}

/// Runs a body in a pool of each number of threads.
fn in_pools(body: impl Fn(usize) + Sync) {
    for threads in [1, 2, 3, 4, 8, 16] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| body(threads));
    }
}

/// Rounds of runs that are large enough to be split over threads.
fn split(shared: &Shared, rounds: usize) {
    in_pools(|_| (0..rounds).into_par_iter().for_each(|number| shared.round(number)));
    in_pools(|_| {
        for number in 0..rounds / 4 {
            let (one, other) = (number, number + 1);
            rayon::join(
                || rayon::join(|| shared.round(one), || shared.round(other)),
                || rayon::join(|| shared.round(other), || shared.round(one)),
            );
        }
    });
    in_pools(|_| {
        rayon::scope(|scope| {
            for number in 0..rounds {
                scope.spawn(move |_| shared.round(number));
            }
        });
    });
}

#[test]
fn tasks_of_a_pool_share_a_session() {
    watched("a session in tasks", || split(&Shared::new(40), 40));
}

#[test]
fn ten_thousand_rounds_over_one_to_sixteen_threads() {
    watched("a session in very many tasks", || {
        let shared = Shared::new(5);
        in_pools(|_| (0..1000).into_par_iter().for_each(|number| shared.round(number)));
        in_pools(|threads| {
            thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..1000 / threads).for_each(|number| shared.round(number)));
                }
            });
        });
    });
}

#[test]
fn a_run_that_panics_leaves_the_session_usable() {
    use longshore::{OwnCall, OwnKernel};
    let source = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn negate(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&y) { y[id.x] = -x[id.x]; }
        }";
    let kernel = OwnKernel::new("negate", source)
        .unwrap()
        .shape(|inputs| Ok(inputs[0].clone()))
        .host(|call, result| {
            let values = call.operands[0].values;
            assert!(values[0] >= 0.0, "a bad input");
            result.iter_mut().zip(values).for_each(|(to, from)| *to = -from);
        });
    let rt = open();
    let session = rt.prepare_kernel(&kernel, [("x", &[2][..])], &OwnCall::new()).unwrap();
    let run = |values: Vec<f32>| {
        let x = stage(&rt, "x", &ArrayD::from_shape_vec(vec![2], values).unwrap());
        session.run([("x", &x)]).unwrap()["y"].read().unwrap().into_raw_vec_and_offset().0
    };
    assert_eq!(run(vec![1.0, 2.0]), [-1.0, -2.0]);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(vec![-1.0, 0.0])));
    assert!(panicked.is_err());
    assert_eq!(run(vec![3.0, 4.0]), [-3.0, -4.0]);
}
