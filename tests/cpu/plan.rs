//! Plans: what is dispatched, where values lie, what will cross, what does not fit.

use longshore::Activation::{Relu, Softmax, Tanh};
use longshore::ledger::{Cause, Direction};
use longshore::plan::{Expected, Place};
use longshore::{Conv2d, Dense, Dim, Graph, LayerWeights, Passes, Plan, PlanOptions, UpSampling2d};

use crate::graph::{batch_of, host, kernel};

/// The network of the README, small.
fn network() -> Graph {
    let named = |shape: &[usize], name: &'static str| host(shape).with_name(name);
    let conv =
        LayerWeights::new(named(&[3, 3, 1, 4], "conv/kernel")).bias(named(&[4], "conv/bias"));
    let dense = kernel(&[144, 3]);
    let mut g = Graph::new();
    let x = g.input("image", batch_of(&[4, 4, 1]));
    let x = g.up_sampling2d(x, UpSampling2d::nearest(2)).unwrap();
    let x = g.conv2d(x, Conv2d::new(4, 3).activation(Relu).name("edges"), &conv).unwrap();
    let x = g.flatten(x).unwrap();
    let y = g.dense(x, Dense::new(3).activation(Softmax), &dense).unwrap();
    g.output("probabilities", y);
    g
}

#[test]
fn a_plan_prints_itself() {
    // Sizes by hand: 2 * 8 * 8 * 4 = 512 bytes, 2 * 6 * 6 * 4 * 4 = 1152; weights 1728 + 144 + 16, each
    // padded to 256; parameters 36 + 64 (table) + 80 + 28 + 52, the last of which begins at 1024.
    let expected = r#"plan for batch 2: 4 steps, 2 slots of 1664 bytes, 1088 bytes of parameters
  values take 1696 bytes at their peak, weights 1888 bytes
  input 0    "image" [2, 4, 4, 1]
  weight 0   "conv/kernel" [3, 3, 1, 4]
  weight 1   "conv/bias" [4]
  weight 2   "kernel" [144, 3]
  step 0     resize2d "up_sampling2d" by resize2d/nearest: input 0 -> slot 0 (512 bytes, 2x1x1 groups)
  step 1     conv2d "edges" by conv2d/channels4 + relu: slot 0, weight 0, weight 1 -> slot 1 (1152 bytes, 1x1x1 groups)
  step 2     dense "dense/linear" by dense/general: slot 1, weight 2 -> slot 0 (24 bytes, 1x1x1 groups)
  step 3     softmax "dense" by softmax/general: slot 0 -> output 0 (24 bytes, 1x1x1 groups)
  output 0   "probabilities" [2, 3]
  preparing uploads "weights": 1888 bytes and 416 of padding
  preparing uploads "parameters": 420 bytes and 668 of padding
  a run moves nothing; reading an output downloads it once
"#;
    assert_eq!(network().plan(2).unwrap().to_string(), expected);
}

#[test]
fn crossings_are_known_before_they_happen() {
    let plan = network().plan(2).unwrap();
    let expected = plan.expected_crossings();
    let upload = |label: &str, payload_bytes, padding_bytes| Expected {
        direction: Direction::HostToDevice,
        label: label.to_owned(),
        cause: Cause::Prepare,
        payload_bytes,
        padding_bytes,
    };
    assert_eq!(expected.prepare, [upload("weights", 1888, 416), upload("parameters", 420, 668)]);
    assert_eq!(expected.run, []);
    let read = Expected {
        direction: Direction::DeviceToHost,
        label: "probabilities".to_owned(),
        cause: Cause::Read,
        payload_bytes: 24,
        padding_bytes: 0,
    };
    assert_eq!(expected.read, [read]);
    assert_eq!((plan.block().len(), plan.block_payload()), (1088, 420));
    // Parameters, input, weights, slots, and the output in whole 16-byte vectors.
    assert_eq!(plan.device_bytes().unwrap(), 1088 + 128 + 1888 + 1664 + 32);
}

/// A chain of activations over (batch, 60) bytes of 4.
fn chain(length: usize) -> Graph {
    let mut g = Graph::new();
    let mut x = g.input("x", batch_of(&[60]));
    for _ in 0..length {
        x = g.activation(x, Tanh).unwrap();
    }
    g.output("y", x);
    g
}

/// Plans a graph as it is, without passes.
fn plain(graph: &Graph, batch: usize) -> Plan {
    graph.plan_with(batch, PlanOptions::new().passes(Passes::none())).unwrap()
}

/// A kernel cannot read and write one buffer.
fn check_places(plan: &Plan) {
    for step in plan.steps() {
        let reads_own = step.operands.iter().any(|region| region.place == step.result.place);
        assert!(!reads_own, "{plan}");
    }
}

#[test]
fn slots_are_reused_when_their_value_is_done_with() {
    let plan = plain(&chain(7), 3);
    check_places(&plan);
    assert_eq!(plan.slots(), [720, 720]);
    assert_eq!(plan.output_buffers(), [720]);
    let places: Vec<Place> = plan.steps().iter().map(|step| step.result.place).collect();
    let [a, b] = [Place::Slot(0), Place::Slot(1)];
    assert_eq!(places, [a, b, a, b, a, b, Place::Output(0)]);
}

#[test]
fn a_skip_keeps_its_slot_until_it_is_used() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4]));
    let skip = g.activation(x, Relu).unwrap();
    let a = g.activation(skip, Tanh).unwrap();
    let b = g.activation(a, Tanh).unwrap();
    let sum = g.add(b, skip).unwrap();
    let y = g.multiply(sum, b).unwrap();
    g.output("y", y);
    let plan = plain(&g, 1);
    check_places(&plan);
    let places: Vec<Place> = plan.steps().iter().map(|step| step.result.place).collect();
    let slot = Place::Slot;
    // The sum may take the slot of a, which was used by b for the last time.
    assert_eq!(places, [slot(0), slot(1), slot(2), slot(1), Place::Output(0)]);
}

#[test]
fn reshapes_move_nothing_and_hold_their_slot() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 3]));
    let a = g.activation(x, Relu).unwrap();
    let flat = g.flatten(a).unwrap();
    let b = g.activation(a, Tanh).unwrap();
    let c = g.activation(b, Tanh).unwrap();
    let c = g.flatten(c).unwrap();
    let y = g.add(c, flat).unwrap();
    g.output("y", y);
    g.output("flat y", flat);
    let plan = plain(&g, 1);
    check_places(&plan);
    assert_eq!(plan.steps().len(), 4);
    let last = &plan.steps()[3];
    let operands: Vec<Place> = last.operands.iter().map(|region| region.place).collect();
    // What was flattened is an output, so it lies in a buffer of its own.
    assert_eq!(operands, [Place::Slot(1), Place::Output(0)]);
    assert_eq!(plan.outputs()[1].shape, [1, 6]);
}

#[test]
fn what_no_output_needs_is_left_out() {
    let mut g = chain(2);
    let x = g.symbol("x").unwrap();
    let dead = g.dense(x, Dense::new(5), &kernel(&[60, 5])).unwrap();
    g.softmax(dead, -1).unwrap();
    let plan = plain(&g, 1);
    assert_eq!((plan.steps().len(), plan.weights().len()), (2, 0));
    assert_eq!(plan.expected_crossings().prepare.len(), 1, "parameters alone");
}

#[test]
fn what_no_output_needs_may_be_of_any_size() {
    let mut g = chain(1);
    let image = g.input("image", batch_of(&[8, 8, 4]));
    g.up_sampling2d(image, UpSampling2d::nearest(10_000)).unwrap();
    let plan = g.plan(1).unwrap();
    assert_eq!(plan.steps().len(), 1);
}

#[test]
fn a_weight_of_two_layers_is_uploaded_once() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5]));
    let shared = kernel(&[5, 5]);
    let y = g.dense(x, Dense::new(5), &shared).unwrap();
    let y = g.dense(y, Dense::new(5), &shared.clone().bias(host(&[5]))).unwrap();
    g.output("y", y);
    let plan = g.plan(1).unwrap();
    assert_eq!(plan.weights().len(), 2);
    let kernels: Vec<Place> = plan.steps().iter().map(|step| step.operands[1].place).collect();
    assert_eq!(kernels, [Place::Weight(0), Place::Weight(0)]);
    // 25 and 5 numbers, each padded to 256 bytes.
    let uploads = plan.expected_crossings().prepare;
    assert_eq!((uploads[0].payload_bytes, uploads[0].padding_bytes), (120, 392));
}

#[test]
fn an_input_can_be_an_output_and_a_value_can_have_two_names() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5]));
    let y = g.activation(x, Relu).unwrap();
    for (name, symbol) in [("same", x), ("one", y), ("two", y)] {
        g.output(name, symbol);
    }
    let plan = g.plan(4).unwrap();
    let places: Vec<Place> = plan.outputs().iter().map(|port| port.place).collect();
    assert_eq!(places, [Place::Input(0), Place::Output(0), Place::Output(0)]);
    assert_eq!(plan.output_buffers().len(), 1);
    assert_eq!(plan.expected_crossings().read.len(), 3);
}

#[test]
fn values_without_elements_need_no_step() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[0, 3]));
    let y = g.activation(x, Relu).unwrap();
    g.output("y", y);
    let plan = g.plan(2).unwrap();
    assert_eq!((plan.steps().len(), plan.block().len()), (0, 0));
    assert_eq!(plan.expected_crossings().prepare, []);
    assert_eq!(plan.outputs()[0].shape, [2, 0, 3]);
}

#[test]
fn a_plan_is_the_same_each_time() {
    let graph = network();
    let (one, two) = (graph.plan(3).unwrap(), graph.plan(3).unwrap());
    assert_eq!(one.to_string(), two.to_string());
    assert_eq!((one.block(), one.steps()), (two.block(), two.steps()));
    assert_eq!(one.steps()[0].kernel.stem, "resize2d");
}

#[test]
fn fixed_shapes_do_not_follow_the_batch() {
    let mut g = Graph::new();
    let x = g.input("x", [2, 3]);
    let y = g.activation(x, Relu).unwrap();
    g.output("y", y);
    assert_eq!(g.plan(7).unwrap().outputs()[0].shape, [2, 3]);
    let symbol = g.input("z", [Dim::Batch, 1.into()]);
    g.output("z", symbol);
    assert_eq!(g.plan(7).unwrap().outputs()[1].shape, [7, 1]);
}
