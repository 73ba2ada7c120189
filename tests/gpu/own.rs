//! Own kernels on the device: directly, as nodes, with guard regions, and in the ledger.

use std::collections::BTreeMap;

use longshore::ledger::{Cause, Direction, Method};
use longshore::plan::Expected;
use longshore::{
    Activation, Dim, Error, Graph, Guard, OwnCall, OwnKernel, Runtime, Shape, UpSampling2d,
};
use ndarray::{ArrayD, IxDyn};

use longshore_testing::compare::compare;
use longshore_testing::executor::gpu::{open, runtime};
use longshore_testing::executor::{Executor, Gpu};
use longshore_testing::executor::{run, stage};
use longshore_testing::oracle::{EPSILON, Expected as Wanted};
use longshore_testing::random::Random;

/// The example's shader.
const SOBEL: &str = include_str!("../../examples/sobel.wgsl");

fn sobel() -> OwnKernel {
    OwnKernel::new("sobel", SOBEL).unwrap().shape(|inputs| Ok(inputs[0].clone()))
}

fn strength(value: f32) -> OwnCall {
    OwnCall::new().param("strength", value)
}

/// The filter in f64 by plain loops.
fn sobel_oracle(image: &ArrayD<f32>, strength: f32) -> Wanted {
    let &[_, height, width, _] = image.shape() else { panic!("no image") };
    let largest = image.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let clamp =
        |at: usize, offset: isize, length: usize| at.saturating_add_signed(offset).min(length - 1);
    let value = ArrayD::from_shape_fn(image.raw_dim(), |index| {
        let pixel = |dy: isize, dx: isize| {
            let (y, x) = (clamp(index[1], dy, height), clamp(index[2], dx, width));
            f64::from(image[[index[0], y, x, index[3]]])
        };
        let gx = pixel(-1, 1) + 2.0 * pixel(0, 1) + pixel(1, 1)
            - (pixel(-1, -1) + 2.0 * pixel(0, -1) + pixel(1, -1));
        let gy = pixel(1, -1) + 2.0 * pixel(1, 0) + pixel(1, 1)
            - (pixel(-1, -1) + 2.0 * pixel(-1, 0) + pixel(-1, 1));
        f64::from(strength) * (gx * gx + gy * gy).sqrt()
    });
    // gx and gy are off by (6 terms + 2) epsilon of 8 pixels each; squares, root (4 ulp) and
    // strength by as much of their size at most.
    let scale = f64::from(strength.abs()) * f64::from(largest) * 8.0;
    let bound = value.mapv(|value| 2.0 * 8.0 * EPSILON * scale + 16.0 * EPSILON * value);
    Wanted { value, bound }
}

/// Awkward sizes: one pixel, primes, a row, a column, several items and channels.
const IMAGES: [[usize; 4]; 6] =
    [[1, 1, 1, 1], [2, 5, 7, 3], [1, 1, 65, 1], [1, 63, 1, 1], [3, 4, 4, 2], [1, 17, 13, 5]];

#[test]
fn a_dispatch_reads_and_writes_its_arrays_alone() {
    let mut random = Random::new(61);
    let mut folded = 0;
    for shape in IMAGES {
        let image = random.uniform(&shape);
        let mut g = Graph::new();
        let x = g.input("image", [Dim::Batch, shape[1].into(), shape[2].into(), shape[3].into()]);
        let y = g.own(&sobel(), [("image", x)], &strength(0.75)).unwrap();
        g.output("edges", y);
        let plan = g.plan(shape[0]).unwrap();
        let work = &plan.steps()[0].work;
        for most in [65_535, 5] {
            folded += usize::from(work.launch("sobel", most).unwrap().workgroups[1] > 1);
            let found = Gpu.dispatch(work, most, &[&image], &shape);
            compare(&found, &sobel_oracle(&image, 0.75)).unwrap();
        }
    }
    assert!(folded > 0, "no dispatch was folded over two dimensions");
}

/// Transposes matrices, by a grid of threads and a workgroup of 8 x 4.
const TRANSPOSE: &str = "
struct P { x_shape: vec3<u32>, y_shape: vec3<u32> }
@group(0) @binding(9) var<uniform> p: P;
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(8, 4)
fn transpose(@builtin(global_invocation_id) id: vec3<u32>) {
    let size = p.y_shape;
    if id.x >= size.z || id.y >= size.y || id.z >= size.x { return; }
    y[(id.z * size.y + id.y) * size.z + id.x] = x[(id.z * p.x_shape.y + id.x) * p.x_shape.z + id.y];
}";

#[test]
fn a_grid_of_threads_covers_the_output() {
    let kernel = OwnKernel::new("transpose", TRANSPOSE)
        .unwrap()
        .shape(|inputs| {
            let [batch, height, width] = inputs[0].dims() else {
                return Err(format!("{} dimensions are not 3", inputs[0].rank()));
            };
            Ok(Shape::new([*batch, *width, *height]))
        })
        .threads(|shape| [shape[2], shape[1], shape[0]]);
    let mut random = Random::new(62);
    for [batch, height, width] in [[1, 1, 1], [3, 5, 7], [2, 8, 4], [2, 9, 33], [1, 4, 8]] {
        let x = random.uniform(&[batch, height, width]);
        let mut g = Graph::new();
        let symbol = g.input("x", [Dim::Batch, height.into(), width.into()]);
        let y = g.own(&kernel, [("x", symbol)], &OwnCall::new()).unwrap();
        g.output("y", y);
        let plan = g.plan(batch).unwrap();
        let wanted =
            ArrayD::from_shape_fn(IxDyn(&[batch, width, height]), |i| x[[i[0], i[2], i[1]]]);
        let found = Gpu.dispatch(&plan.steps()[0].work, 65_535, &[&x], &[batch, width, height]);
        assert_eq!(found, wanted);
        let found = run(runtime(), &g, batch, &[("x", &x)]);
        assert_eq!(found["y"], wanted);
    }
}

/// `y = a * x + b`, four at a time; the bindings are in no order, and `b` has a fixed length.
const MIX: &str = "
struct P { weights: vec2<f32>, times: i32 }
@group(0) @binding(6) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> b: array<f32, 4>;
@group(0) @binding(5) var<uniform> p: P;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(32)
fn mix_them(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 32u + local;
    if i >= arrayLength(&y) { return; }
    let b4 = vec4<f32>(b[0], b[1], b[2], b[3]);
    y[i] = f32(p.times) * (p.weights.x * a[i] + p.weights.y * b4);
}";

fn mix() -> OwnKernel {
    OwnKernel::new("mix", MIX).unwrap().shape(|inputs| Ok(inputs[1].clone()))
}

#[test]
fn inputs_are_bound_by_name_and_parameters_by_type() {
    let rt = runtime();
    let mut random = Random::new(63);
    let call = OwnCall::new().param("weights", [0.5_f32, 2.0]).param("times", -3);
    let b = random.uniform(&[4]);
    for rows in [1, 7, 33] {
        let a = random.uniform(&[rows, 4]);
        let (ta, tb) = (stage(rt, "a", &a), stage(rt, "b", &b));
        let y = rt.run_kernel(&mix(), [("a", &ta), ("b", &tb)], &call).unwrap();
        let turned = rt.run_kernel(&mix(), [("b", &tb), ("a", &ta)], &call).unwrap();
        let exact =
            |i: &[usize]| -3.0 * (0.5 * f64::from(a[[i[0], i[1]]]) + 2.0 * f64::from(b[[i[1]]]));
        let value = ArrayD::from_shape_fn(IxDyn(&[rows, 4]), |i| exact(&[i[0], i[1]]));
        let bound = value.mapv(|_| 4.0 * EPSILON * 7.5);
        let wanted = Wanted { value, bound };
        compare(&y.read().unwrap(), &wanted).unwrap();
        compare(&turned.read().unwrap(), &wanted).unwrap();
    }
}

#[test]
fn a_node_between_others_computes_what_the_loops_do() {
    let mut random = Random::new(64);
    let image = random.uniform(&[3, 3, 5, 2]);
    let mut g = Graph::new();
    let x = g.input("image", [Dim::Batch, 3.into(), 5.into(), 2.into()]);
    let up = g.up_sampling2d(x, UpSampling2d::nearest(2)).unwrap();
    let edges = g.own(&sobel(), [("image", up)], &strength(-2.0)).unwrap();
    let y = g.activation(edges, Activation::Relu).unwrap();
    g.output("edges", edges);
    g.output("y", y);
    let found = run(runtime(), &g, 3, &[("image", &image)]);
    let enlarged =
        ArrayD::from_shape_fn(IxDyn(&[3, 6, 10, 2]), |i| image[[i[0], i[1] / 2, i[2] / 2, i[3]]]);
    compare(&found["edges"], &sobel_oracle(&enlarged, -2.0)).unwrap();
    // Every edge is negative.
    assert!(found["y"].iter().all(|&value| value == 0.0));
}

/// What crossed for a cause, in the form in which plans announce it.
fn crossed(rt: &Runtime, cause: Cause) -> Vec<Expected> {
    let events = rt.ledger().events().into_iter();
    events
        .filter(|event| event.cause == cause && event.direction != Direction::DeviceInternal)
        .map(|event| Expected {
            direction: event.direction,
            label: event.label,
            cause: event.cause,
            payload_bytes: event.payload_bytes,
            padding_bytes: event.padding_bytes,
        })
        .collect()
}

#[test]
fn the_ledger_has_what_the_plan_announces_and_nothing_else() {
    let rt = open();
    let image = stage(&rt, "image", &Random::new(65).uniform(&[2, 4, 5, 1]));
    let shape = [2_usize, 4, 5, 1];
    let session = rt.prepare_kernel(&sobel(), [("image", &shape[..])], &strength(1.0)).unwrap();
    let expected = session.plan().expected_crossings();
    // The struct: a vec4 and an f32, in whole vectors.
    assert_eq!((expected.prepare.len(), expected.prepare[0].payload_bytes), (1, 32));
    let buffers = rt.buffers_created();
    for _ in 0..3 {
        let run = rt.forbid_crossings(|| session.run([("image", &image)])).unwrap();
        drop(run);
    }
    assert_eq!(rt.buffers_created(), buffers, "runs after preparing create nothing");
    let run = session.run([("image", &image)]).unwrap();
    run["edges"].read().unwrap();
    assert_eq!(crossed(&rt, Cause::Prepare), expected.prepare);
    assert_eq!(crossed(&rt, Cause::Run), expected.run);
    assert_eq!(crossed(&rt, Cause::Read), expected.read);
    let mut internal = BTreeMap::new();
    for event in rt.ledger().events() {
        if event.direction == Direction::DeviceInternal && event.cause == Cause::Prepare {
            internal.insert((event.method, event.label), event.payload_bytes);
        }
    }
    let wanted = [
        ((Method::BufferCopy, "parameters".to_owned()), 32),
        ((Method::ZeroFill, "output 0".to_owned()), 160),
    ];
    assert_eq!(internal, BTreeMap::from(wanted));
}

#[test]
fn guards_forbid_what_a_kernel_would_move() {
    let rt = open();
    let image = stage(&rt, "image", &Random::new(66).uniform(&[1, 3, 3, 1]));
    let direct = || rt.run_kernel(&sobel(), [("image", &image)], &strength(1.0));
    let before = rt.ledger().totals();
    let error = rt.forbid_crossings(direct).unwrap_err();
    assert!(matches!(&error, Error::Crossing { label, .. } if label == "parameters"), "{error}");
    let internal = Guard::forbid().direction(Direction::DeviceInternal);
    assert!(matches!(rt.guarded(internal, direct), Err(Error::Crossing { .. })));
    assert_eq!(rt.ledger().totals(), before, "what is refused has not moved");
    direct().unwrap();
    // Without parameters nothing crosses at all.
    let wgsl = "@group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(256) fn negate(@builtin(global_invocation_id) id: vec3<u32>) {
            if id.x < arrayLength(&y) { y[id.x] = -x[id.x]; }
        }";
    let negate = OwnKernel::new("negate", wgsl).unwrap().shape(|inputs| Ok(inputs[0].clone()));
    let x = Random::new(67).uniform(&[300]);
    let tensor = stage(&rt, "x", &x);
    let y =
        rt.forbid_crossings(|| rt.run_kernel(&negate, [("x", &tensor)], &OwnCall::new())).unwrap();
    assert_eq!(y.label(), "y");
    assert_eq!(y.read().unwrap(), x.mapv(|x| -x));
    // A range of rows is bound as the array it is.
    let half = stage(&rt, "x", &Random::new(68).uniform(&[4, 64])).rows(1..3).unwrap();
    let y = rt.run_kernel(&negate, [("x", &half)], &OwnCall::new()).unwrap();
    assert_eq!(y.read().unwrap(), half.read().unwrap().mapv(|x| -x));
}

#[test]
fn a_large_batch_is_split_if_the_kernel_says_that_it_may() {
    let rt = runtime();
    let image = Random::new(69).uniform(&[7, 8, 8, 1]);
    let mut limits = *rt.limits();
    // Two items of 256 bytes at a time.
    limits.max_storage_buffer_binding_size = 600;
    limits.min_storage_buffer_offset_alignment = 256;
    let mut g = Graph::new();
    let x = g.input("image", [Dim::Batch, 8.into(), 8.into(), 1.into()]);
    let y = g.own(&sobel().per_item(), [("image", x)], &strength(1.5)).unwrap();
    g.output("edges", y);
    let plan = g.plan_within(7, &limits).unwrap();
    assert_eq!(plan.steps().len(), 4);
    let session = rt.prepare(&plan).unwrap();
    let found = session.run([("image", &stage(rt, "image", &image))]).unwrap();
    compare(&found["edges"].read().unwrap(), &sobel_oracle(&image, 1.5)).unwrap();
}

#[test]
fn tensors_of_other_shapes_and_names_are_refused() {
    let rt = runtime();
    let flat = stage(rt, "flat", &Random::new(70).uniform(&[9]));
    let error = rt.run_kernel(&sobel(), [("image", &flat)], &strength(1.0)).unwrap_err();
    assert!(error.to_string().contains("parameter \"image_shape\" is vec4<u32>"), "{error}");
    let error = rt.run_kernel(&sobel(), [("picture", &flat)], &strength(1.0)).unwrap_err();
    assert!(error.to_string().contains("there is no input \"picture\"; known: image"), "{error}");
}
