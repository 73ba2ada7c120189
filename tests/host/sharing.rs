//! One session for many threads at once: its runs go side by side, and none waits for another.
//!
//! A task of rayon's pool that waits for a part of its run may be given another run of the same
//! session to do meanwhile. Whatever a run had locked would then wait for itself.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use longshore::{
    Activation, Conv2d, Dim, Error, Graph, HostArray, LayerWeights, Runtime, RuntimeOptions,
    Session, Tensor,
};
use ndarray::ArrayD;
use rayon::prelude::*;

use longshore_testing::executor::host::open;
use longshore_testing::executor::stage;
use longshore_testing::random::Random;
use longshore_testing::watch::watched;

/// A session with several inputs to run it over, and what each gives.
#[derive(Clone)]
struct Shared {
    session: Arc<Session>,
    inputs: Arc<Vec<(Tensor, ArrayD<f32>)>>,
}

impl Shared {
    /// Two convolutions, with a slot between them; of `size` pixels along each axis.
    fn new(size: usize) -> Self {
        Shared::on(&open(), size)
    }

    fn on(rt: &Runtime, size: usize) -> Self {
        let mut random = Random::new(31);
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
            let x = stage(rt, "x", &random.uniform(&[1, size, size, 16]));
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

/// Opens the host executor with a pool of so many threads: its own, or one that it is given.
fn with_pool(threads: usize, is_given: bool) -> Runtime {
    let options = RuntimeOptions::new();
    let rt = Runtime::host_with(if is_given {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        options.host_pool(Arc::new(pool))
    } else {
        options.host_threads(threads)
    });
    let rt = rt.unwrap();
    let s = if threads == 1 { "" } else { "s" };
    assert_eq!(rt.adapter().name, format!("host ({threads} thread{s})"));
    rt
}

#[test]
fn a_pool_of_the_runtimes_serves_threads_tasks_and_other_pools() {
    watched("a runtime with a pool", || {
        for (threads, is_given) in [(1, false), (3, false), (2, true)] {
            let shared = Shared::on(&with_pool(threads, is_given), 40);
            thread::scope(|scope| {
                for number in 0..4 {
                    let shared = &shared;
                    scope.spawn(move || shared.round(number));
                }
            });
            in_pools(|_| (0..10).into_par_iter().for_each(|number| shared.round(number)));
            split(&shared, 4);
        }
    });
}

#[test]
fn very_many_tasks_of_another_pool_do_not_overflow_its_stack() {
    watched("tasks of another pool", || {
        let shared = Shared::on(&with_pool(2, false), 5);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.scope(|scope| {
            for number in 0..5000 {
                let shared = &shared;
                scope.spawn(move |_| shared.round(number));
            }
        });
    });
}

#[test]
fn a_given_pool_may_be_the_one_that_calls() {
    watched("a run in its own pool", || {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
        let options = RuntimeOptions::new().host_pool(Arc::clone(&pool));
        let shared = Shared::on(&Runtime::host_with(options).unwrap(), 40);
        pool.install(|| (0..40).into_par_iter().for_each(|number| shared.round(number)));
    });
}

#[test]
fn steps_run_on_the_threads_that_were_chosen() {
    use longshore::{OwnCall, OwnKernel};
    let source = "
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(64)
        fn index(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&y) { y[id.x] = x[id.x]; }
        }";
    // The host's twin says which thread of its pool it runs on, and of how many.
    let kernel = OwnKernel::new("index", source)
        .unwrap()
        .shape(|inputs| Ok(inputs[0].clone()))
        .host(|_, result| {
            let index = rayon::current_thread_index().map_or(-1.0, |index| index as f32);
            result.copy_from_slice(&[index, rayon::current_num_threads() as f32]);
        });
    let rt = with_pool(5, false);
    let x = stage(&rt, "x", &ArrayD::zeros(vec![2]));
    let ran = || rt.run_kernel(&kernel, [("x", &x)], &OwnCall::new()).unwrap().read().unwrap();
    let other = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for values in [ran(), other.install(ran)] {
        assert!(values[[0]] >= 0.0 && values[[1]] == 5.0, "{values}");
    }
}

#[test]
fn blocking_tasks_of_tokio_share_a_session() {
    watched("blocking tasks of tokio", || {
        for rt in [open(), with_pool(2, false)] {
            let shared = Shared::on(&rt, 40);
            let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
            tokio.block_on(async {
                let tasks: Vec<_> = (0..64)
                    .map(|number| {
                        let shared = shared.clone();
                        tokio::task::spawn_blocking(move || {
                            shared.round(number);
                            (0..2).into_par_iter().for_each(|next| shared.round(number + next));
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
        }
    });
}

#[test]
fn pools_that_cannot_be_are_refused() {
    let refused = |options: RuntimeOptions| Runtime::host_with(options).unwrap_err().to_string();
    assert_eq!(
        refused(RuntimeOptions::new().host_threads(0)),
        "opening the host executor: host_threads is 0 but a pool has at least one thread\n  \
         (RuntimeOptions); leave it out for the threads of the caller's pool"
    );
    assert_eq!(
        refused(RuntimeOptions::new().require_adapter()),
        "opening the host executor: RuntimeOptions::require_adapter is not supported; leave it out: \
         there is nothing to choose"
    );
}

#[test]
fn a_run_of_the_host_is_held_to_the_time_limit_between_its_steps() {
    let options = RuntimeOptions::new().timeout(Duration::ZERO);
    let rt = Runtime::host_with(options).unwrap();
    let mut g = Graph::new();
    let x = g.input("x", [2_usize]);
    let y = g.activation(x, Activation::Softmax).unwrap();
    g.output("y", y);
    let session = rt.session(&g, 1).unwrap();
    let x = stage(&rt, "x", &ArrayD::zeros(vec![2]));
    let error = session.run([("x", &x)]).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Duration::ZERO, .. }), "{error}");
    assert!(
        error.to_string().starts_with("running a session: what comes before softmax"),
        "{error}"
    );
    // A run that was given up leaves the session whole.
    assert!(session.run([("x", &x)]).is_err());
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
