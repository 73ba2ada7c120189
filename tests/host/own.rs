//! Own kernels on the host: the twin runs, in graphs and on tensors; without one preparing fails.

use longshore::{Activation, Dim, Error, Graph, OwnCall, OwnKernel};

use longshore_testing::executor::host::{open, runtime};
use longshore_testing::executor::{run, stage};
use longshore_testing::random::Random;

const SCALE: &str = "
struct P { gain: f32, x_shape: vec2<u32> }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < p.x_shape.x * p.x_shape.y { y[id.x] = p.gain * x[id.x]; }
}";

fn without_twin() -> OwnKernel {
    OwnKernel::new("scale", SCALE).unwrap().shape(|inputs| Ok(inputs[0].clone()))
}

fn scale() -> OwnKernel {
    without_twin().host(|call, result| {
        let gain = call.params.f32("gain").unwrap();
        let [rows, columns, ..] = call.params.u32s("x_shape").unwrap();
        assert_eq!([rows as usize, columns as usize], call.shape);
        for (y, x) in result.iter_mut().zip(call.operands[0].values) {
            *y = gain * x;
        }
    })
}

fn gain() -> OwnCall {
    OwnCall::new().param("gain", -2.5_f32)
}

#[test]
fn the_twin_runs_as_a_node_between_others() {
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 7.into()]);
    let y = g.activation(x, Activation::Relu).unwrap();
    let y = g.own(&scale(), [("x", y)], &gain()).unwrap();
    let y = g.add(y, x).unwrap();
    g.output("y", y);
    let x = Random::new(81).uniform(&[5, 7]);
    let found = run(runtime(), &g, 5, &[("x", &x)]);
    assert_eq!(found["y"], x.mapv(|x| -2.5 * x.max(0.0) + x));
}

#[test]
fn the_twin_runs_on_tensors_and_nothing_crosses() {
    let rt = open();
    let x = Random::new(82).uniform(&[3, 4]);
    let tensor = stage(&rt, "x", &x);
    let y = rt.forbid_crossings(|| rt.run_kernel(&scale(), [("x", &tensor)], &gain())).unwrap();
    assert_eq!((y.label(), y.shape()), ("y", &[3, 4][..]));
    assert_eq!(y.read().unwrap(), x.mapv(|x| -2.5 * x));
    // A range of rows is what the twin gets.
    let y = rt.run_kernel(&scale(), [("x", &tensor.rows(1..3).unwrap())], &gain()).unwrap();
    assert_eq!(y.shape(), [2, 4]);
    assert_eq!(y.read().unwrap()[[0, 0]], -2.5 * x[[1, 0]]);
    let totals = rt.ledger().totals();
    assert_eq!((totals.host_to_device.count, totals.device_to_host.count), (0, 0));
}

#[test]
fn without_a_twin_preparing_fails_and_names_the_kernel() {
    let rt = open();
    let mut g = Graph::new();
    let x = g.input("x", [Dim::Batch, 7.into()]);
    let y = g.own(&without_twin(), [("x", x)], &gain().name("louder")).unwrap();
    g.output("y", y);
    let error = rt.prepare(&g.plan(2).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }));
    assert_eq!(
        error.to_string(),
        "own \"louder\": kernel \"scale\" on the host, which runs no WGSL, is not supported; \
         give it a twin in Rust with OwnKernel::host, or use a device"
    );
    assert_eq!(rt.ledger().events().len(), 0, "it fails before anything is allocated");
}
