//! Long loops of kernels of the user's own: right, refused, or warned of, as the driver is.

use longshore::{Error, OwnCall, OwnKernel, Runtime, RuntimeOptions};
use ndarray::{ArrayD, IxDyn};

use longshore_testing::executor::gpu::{open, runtime};
use longshore_testing::executor::stage;

use crate::timeout::{LIMIT, in_a_child};

/// Threads of a dispatch: more than one workgroup.
const THREADS: usize = 70;

/// A kernel that counts what its loops do.
fn kernel(body: &str) -> OwnKernel {
    let source = format!(
        "struct Params {{ n: u32 }}
        @group(0) @binding(0) var<uniform> params: Params;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(2) var<storage, read_write> y: array<f32>;
        fn sum(n: u32) -> f32 {{
            var s = 0.0;
            for (var i = 0u; i < n; i++) {{ s += 1.0; }}
            return s;
        }}
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            if id.x >= arrayLength(&y) {{ return; }}
            var s = 0.0;
            {body}
            y[id.x] = s;
        }}"
    );
    OwnKernel::new("count", source).unwrap().shape(|inputs| Ok(inputs[0].clone()))
}

fn ends_loops(rt: &Runtime) -> bool {
    rt.limits().max_loop_iterations.is_some()
}

fn call(n: u32) -> OwnCall {
    OwnCall::new().param("n", n)
}

fn counts(rt: &Runtime, body: &str, n: u32) -> longshore::Result<Vec<f32>> {
    let x = stage(rt, "x", &ArrayD::from_elem(IxDyn(&[THREADS]), 1.0));
    let session = rt.prepare_kernel(&kernel(body), [("x", &[THREADS][..])], &call(n))?;
    assert_eq!(session.warnings(), []);
    let found = session.run([("x", &x)])?["y"].read()?;
    Ok(found.into_iter().collect())
}

#[test]
fn counted_loops_are_right_up_to_the_last_iteration_that_the_driver_runs() {
    let rt = runtime();
    let two_ways = "if id.x % 2u == 0u { s += sum(params.n); } else { s += sum(params.n); }";
    for (body, n, sum) in [
        ("for (var i = 0u; i < params.n; i++) { s += 1.0; }", 65_535, 65_535),
        ("s += sum(params.n) + sum(10u);", 65_523, 65_533),
        ("for (var i = 0u; i < params.n; i++) { s += sum(254u); }", 255, 255 * 254),
        (
            "var i = 0u; loop { s += 1.0; continuing { i++; break if i >= params.n; } }",
            65_535,
            65_535,
        ),
        (two_ways, 32_766, 32_766),
    ] {
        let found = counts(rt, body, n).unwrap();
        assert!(found.iter().all(|&value| value == sum as f32), "{body}: {found:?}");
    }
}

#[test]
fn longer_loops_are_right_or_refused() {
    let rt = runtime();
    let two_ways = "if id.x % 2u == 0u { s += sum(params.n); } else { s += sum(params.n); }";
    for (body, n, sum, needed) in [
        ("for (var i = 0u; i < params.n; i++) { s += 1.0; }", 65_536, 65_536, 65_536),
        ("s += sum(params.n) + sum(10u);", 65_530, 65_540, 65_531 + 10),
        ("for (var i = 0u; i < params.n; i++) { s += sum(254u); }", 300, 300 * 254, 300 * 256 + 1),
        (two_ways, 40_000, 40_000, 80_001),
    ] {
        let found = counts(rt, body, n);
        if !ends_loops(rt) {
            assert!(found.unwrap().iter().all(|&value| value == sum as f32), "{body}");
            continue;
        }
        let error = found.unwrap_err();
        assert!(matches!(error, Error::Limit { .. }), "{error:?}");
        let text = error.to_string();
        let line = if body.starts_with("for") { 14 } else { 7 };
        assert_eq!(
            text,
            format!(
                "own \"count\": one thread of kernel \"count\", whose longest loop is at line \
                 {line}, needs {needed} loop iterations but the limit of the driver llvmpipe \
                 before Mesa 25 is 65535 loop iterations; run it on a GPU, with Mesa 25 or newer, \
                 or on the host executor: Runtime::host()"
            ),
            "{body}"
        );
    }
}

#[test]
fn loops_that_nobody_can_count_are_warned_of() {
    let rt = runtime();
    // It ends after 100 iterations, which only a run shows.
    let body = "while s < 100.0 * x[id.x] { s += 1.0; }";
    let x = stage(rt, "x", &ArrayD::from_elem(IxDyn(&[THREADS]), 1.0));
    let session = rt.prepare_kernel(&kernel(body), [("x", &[THREADS][..])], &call(1)).unwrap();
    let found = session.run([("x", &x)]).unwrap()["y"].read().unwrap();
    assert!(found.iter().all(|&value| value == 100.0), "{found}");
    let warnings: Vec<String> = session.warnings().iter().map(ToString::to_string).collect();
    let expected = "own \"count\": kernel \"count\" has loops whose end is not known before they run \
                    (lines 14), and the driver llvmpipe before Mesa 25 ends all loops of a thread \
                    after 65535 iterations without an error; end them by a counter with a known \
                    bound, or run it on a GPU, with Mesa 25 or newer, or on the host executor: \
                    Runtime::host()";
    let expected = if ends_loops(rt) { vec![expected.to_owned()] } else { Vec::new() };
    assert_eq!(warnings, expected);
}

/// A kernel that never ends, of which only its source knows.
const ENDLESS: &str = "loop { s += x[id.x]; if s < 0.0 { break; } }";

/// Ends in the time limit; on drivers that end all loops early in a warning, and a wrong number.
#[test]
fn an_endless_kernel_ends_in_the_time_limit_or_is_warned_of() {
    in_a_child("own_loops::an_endless_kernel_ends_in_the_time_limit_or_is_warned_of", || {
        let name = open().adapter().name.clone();
        let options = RuntimeOptions::new().adapter(name).timeout(LIMIT);
        let rt = Runtime::open_with(options).unwrap();
        let x = stage(&rt, "x", &ArrayD::from_elem(IxDyn(&[THREADS]), 1.0));
        let shapes = [("x", &[THREADS][..])];
        let session = rt.prepare_kernel(&kernel(ENDLESS), shapes, &call(1)).unwrap();
        let read = session.run([("x", &x)]).and_then(|run| run["y"].read());
        if ends_loops(&rt) {
            assert_eq!(session.warnings().len(), 1);
            assert!(read.unwrap().iter().all(|&value| value == 65_535.0));
            return;
        }
        assert_eq!(session.warnings(), []);
        assert!(matches!(read, Err(Error::Timeout { limit: LIMIT, .. })), "{read:?}");
    });
}
