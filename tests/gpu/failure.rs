//! Failures of the device: errors that can be handled, and a new runtime afterwards.

use longshore::{Activation, Dim, Error, Graph, HostArray};

use std::process::Command;

use longshore_testing::executor::gpu::open;
use longshore_testing::executor::stage;
use longshore_testing::random::Random;

fn graph() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 6.into()]);
    let y = g.activation(x, Activation::Tanh).unwrap();
    g.output("y", y);
    g
}

#[test]
fn a_lost_device_is_an_error_everywhere_and_a_new_runtime_works() {
    let rt = open();
    let session = rt.prepare(&graph().plan(1).unwrap()).unwrap();
    let array = Random::new(41).uniform(&[1, 6]);
    let x = stage(&rt, "x", &array);
    let y = session.run([("x", &x)]).unwrap()["y"].clone();
    // A destroyed device counts as lost once the work it still has is done.
    rt.wait().unwrap();
    rt.device().unwrap().destroy();
    let lost = |what: &str, error: Error| {
        assert!(matches!(error, Error::DeviceLost { .. }), "{what}: {error}");
        assert!(error.to_string().contains("open a new Runtime"), "{what}: {error}");
    };
    lost("stage", rt.stage("x", &HostArray::from_view(&array)).unwrap_err());
    lost("run", session.run([("x", &x)]).unwrap_err());
    lost("read", y.read().unwrap_err());
    lost("read_async", pollster::block_on(y.read_async()).unwrap_err());
    lost("prepare", rt.prepare(&graph().plan(2).unwrap()).unwrap_err());
    lost("wait", rt.wait().unwrap_err());
    lost("wait_async", pollster::block_on(rt.wait_async()).unwrap_err());

    let new = open();
    let session = new.prepare(&graph().plan(1).unwrap()).unwrap();
    let run = session.run([("x", &stage(&new, "x", &array))]).unwrap();
    let difference = (run["y"].read().unwrap() - array.mapv(f32::tanh)).mapv(f32::abs);
    assert!(difference.iter().all(|&d| d < 1e-6), "{difference}");
}

#[test]
fn a_plan_for_larger_limits_is_refused_by_name() {
    let rt = open();
    let mut limits = *rt.limits();
    limits.max_buffer_size += 1;
    let error = rt.prepare(&graph().plan_within(1, &limits).unwrap()).unwrap_err();
    assert!(error.to_string().contains("the plan's max_buffer_size"), "{error}");
    assert!(error.to_string().contains("Runtime::session"), "{error}");
}

#[test]
fn an_adapter_that_is_not_there_is_refused_with_those_that_are() {
    let options = longshore::RuntimeOptions::new().adapter("no such adapter");
    let error = longshore::Runtime::open_with(options).unwrap_err();
    assert!(matches!(error, Error::NoAdapter { .. }));
    let there = longshore::adapters().into_iter().map(|adapter| adapter.summary);
    for name in there.filter(|summary| summary.backend != "host").map(|summary| summary.name) {
        assert!(error.to_string().contains(&name), "{error} lacks {name}");
    }
}

/// Set in the process that is to run out of memory.
const CHILD: &str = "LONGSHORE_OUT_OF_MEMORY_CHILD";

/// Memory runs out for real: the test runs itself again with little address space.
///
/// A software adapter's device memory is the process's own, so the limit reaches it; a
/// GPU's is not, and there the conversion is tested in `device::fault` alone.
#[cfg(target_os = "linux")]
#[test]
fn out_of_memory_is_an_error_and_the_runtime_goes_on() {
    if std::env::var_os(CHILD).is_some() {
        return exhaust();
    }
    if open().adapter().device_type != "cpu" {
        println!("not a software adapter: its memory cannot be limited from here");
        return;
    }
    let output = Command::new("sh")
        .arg("-c")
        .arg("ulimit -v 6000000 && exec \"$0\" \"$@\"")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "failure::out_of_memory_is_an_error_and_the_runtime_goes_on"])
        .args(["--nocapture", "--test-threads", "1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("out of device memory"), "{text}\n{errors}");
}

/// Prepares sessions with large buffers until there is no memory, then goes on.
fn exhaust() {
    let rt = open();
    let array = Random::new(42).uniform(&[1, 6]);
    let small = rt.prepare(&graph().plan(1).unwrap()).unwrap();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 1024.into(), 1024.into()]);
    let y = g.activation(x, Activation::Relu).unwrap();
    g.output("y", y);
    let large = g.plan_within(120, rt.limits()).unwrap();
    let mut held = Vec::new();
    let error = loop {
        assert!(held.len() < 100, "48 GiB fit into 6");
        match rt.prepare(&large) {
            Ok(session) => held.push(session),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
    println!("{error}");
    let run = small.run([("x", &stage(&rt, "x", &array))]).unwrap();
    assert!(run["y"].read().unwrap().iter().all(|value| value.is_finite()));
    drop(held);
}
