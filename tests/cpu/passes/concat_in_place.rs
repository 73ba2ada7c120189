//! Which pieces of a concatenation are written in place: where they then lie, and why others are copied.

use longshore::Activation::{Relu, Sigmoid, Tanh};
use longshore::ops::Reshape;
use longshore::plan::{Limits, Place, Region};
use longshore::{Graph, Passes, Plan, PlanOptions, Symbol};

use crate::graph::{batch_of, host};

pub const NAME: &str = "concat_in_place";

pub fn options(passes: Passes) -> PlanOptions {
    PlanOptions::new().passes(passes)
}

/// Plans for one item without passes, and with this one alone, and checks what holds for every plan.
#[track_caller]
pub fn both(g: &Graph) -> [Plan; 2] {
    let chosen = Passes::none().with(NAME).unwrap();
    let [copied, placed] =
        [Passes::none(), chosen].map(|passes| g.plan_with(1, options(passes)).unwrap());
    check(&placed);
    assert!(placed.steps().len() <= copied.steps().len(), "{placed}");
    assert!(placed.peak_bytes() <= copied.peak_bytes(), "{placed}\n{copied}");
    assert!(copied.report().passes().is_empty(), "{copied}");
    [copied, placed]
}

/// No step reads and writes one buffer, everything can be bound, and lies within its buffer.
#[track_caller]
pub fn check(plan: &Plan) {
    let alignment = u64::from(plan.limits().min_storage_buffer_offset_alignment);
    for step in plan.steps() {
        for region in step.operands.iter().chain([&step.result]) {
            assert!(region.offset_bytes.is_multiple_of(alignment), "{plan}");
            let end = region.offset_bytes + region.bytes;
            match region.place {
                Place::Slot(number) => assert!(end <= plan.slots()[number], "{plan}"),
                Place::Output(number) => assert!(end <= plan.output_buffers()[number], "{plan}"),
                Place::Input(_) | Place::Weight(_) => assert_eq!(region.offset_bytes, 0, "{plan}"),
            }
        }
        let reads_own = step.operands.iter().any(|region| region.place == step.result.place);
        assert!(!reads_own, "{plan}");
    }
}

/// What the pass did and left, line by line.
pub fn lines(plan: &Plan) -> [Vec<String>; 2] {
    let report = plan.report().passes().last().unwrap();
    assert_eq!(report.pass(), NAME);
    [report.done().to_vec(), report.left().to_vec()]
}

/// Expects how many of the pieces of "concat" are in place, and why others are not.
#[track_caller]
pub fn placed(g: &Graph, done: Option<(usize, usize)>, left: &[&str]) -> [Plan; 2] {
    let plans = both(g);
    let line = |(some, all)| format!("concat \"concat\": {some} of {all} pieces written in place");
    let left: Vec<String> = left.iter().map(|why| format!("concat \"concat\": {why}")).collect();
    assert_eq!(lines(&plans[1]), [done.map(line).into_iter().collect(), left], "{}", plans[1]);
    let fewer = plans[0].steps().len() - plans[1].steps().len();
    assert_eq!(fewer, done.map_or(0, |(some, _)| some), "{}", plans[1]);
    plans
}

pub fn results(plan: &Plan) -> Vec<Region> {
    plan.steps().iter().map(|step| step.result).collect()
}

pub fn region(place: Place, offset_bytes: u64, bytes: u64) -> Region {
    Region { place, offset_bytes, bytes }
}

/// A graph with the input "x" of rows of 64 numbers, so of 256 bytes.
pub fn start(rows: usize) -> (Graph, Symbol) {
    let mut g = Graph::new();
    let x = g.input("x", [rows, 64]);
    (g, x)
}

/// Joins along the first axis, and uses the result.
pub fn join(g: &mut Graph, pieces: &[Symbol]) -> Symbol {
    let joined = g.concat(pieces, 0).unwrap();
    let y = g.negative(joined).unwrap();
    g.output(format!("y {}", g.nodes().len()), y);
    joined
}

#[test]
fn pieces_lie_behind_one_another_and_nothing_copies_them() {
    let (mut g, x) = start(3);
    let a = g.activation(x, Relu).unwrap();
    let b = g.slice(x, longshore::Slice::new([0], [2])).unwrap();
    let c = g.activation(x, Tanh).unwrap();
    // In another order than they are made.
    join(&mut g, &[c, a, b]);
    let [copied, plan] = placed(&g, Some((3, 3)), &[]);
    let slot = Place::Slot(0);
    let expected = [
        region(slot, 768, 768),
        region(slot, 1536, 512),
        region(slot, 0, 768),
        region(Place::Output(0), 0, 2048),
    ];
    assert_eq!(results(&plan), expected);
    assert_eq!(plan.steps()[3].operands, [region(slot, 0, 2048)]);
    assert_eq!(plan.slots(), [2048]);
    // The pieces, then the whole beside them; with the output of 2048 bytes.
    assert_eq!((copied.peak_bytes(), plan.peak_bytes()), (6144, 4096));
    let text = plan.to_string();
    assert!(text.contains("input 0 -> slot 0+768 (768 bytes"), "{text}");
    let line = "  concat_in_place: concat \"concat\": 3 of 3 pieces written in place\n";
    assert!(text.ends_with(line), "{text}");
}

#[test]
fn it_is_one_of_the_passes_and_can_be_left_out() {
    let (mut g, x) = start(1);
    let pieces = [Relu, Tanh].map(|kind| g.activation(x, kind).unwrap());
    join(&mut g, &pieces);
    assert_eq!(Passes::names().last(), Some(&NAME));
    let steps = |passes| g.plan_with(1, options(passes)).unwrap().steps().len();
    assert_eq!((steps(Passes::all()), steps(Passes::none())), (3, 5));
    assert_eq!(steps(Passes::all().without(NAME).unwrap()), 5);
    assert_eq!(steps(Passes::none().with(NAME).unwrap()), 3);
    assert_eq!(g.plan(1).unwrap().steps().len(), 3);
    let without = g.plan_with(1, options(Passes::all().without(NAME).unwrap())).unwrap();
    assert!(without.report().passes().iter().all(|pass| pass.pass() != NAME));
    // It goes over no graph.
    let (_, report) = Passes::none().with(NAME).unwrap().run(&g).unwrap();
    assert!(report.passes().is_empty());
}

#[test]
fn a_batch_of_one_is_a_single_run() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 64]));
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    let joined = g.concat(&[a, b], 1).unwrap();
    g.output("y", joined);
    let [_, plan] = placed(&g, Some((2, 2)), &[]);
    // What is joined is an output: the pieces lie in its buffer.
    let place = Place::Output(0);
    assert_eq!(results(&plan), [region(place, 0, 768), region(place, 768, 768)]);
    assert_eq!((plan.slots(), plan.output_buffers()), (&[][..], &[1536][..]));
    let plan = g.plan(2).unwrap();
    let why = "concat \"concat\": axis 1 cuts each piece into 2 runs".to_owned();
    assert_eq!(lines(&plan), [vec![], vec![why]]);
    assert_eq!(plan.steps().len(), 4);
}

#[test]
fn channels_of_images_are_copied_as_they_lie_in_many_runs() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 4, 64]));
    let pieces = [Relu, Tanh].map(|kind| g.activation(x, kind).unwrap());
    let joined = g.concat(&pieces, -1).unwrap();
    g.output("y", joined);
    placed(&g, None, &["axis 3 cuts each piece into 20 runs"]);
    let pixel = g.input("pixel", batch_of(&[1, 1, 64]));
    let pieces = [Relu, Tanh].map(|kind| g.activation(pixel, kind).unwrap());
    let joined = g.concatenate(&pieces).unwrap();
    g.output("z", joined);
    let [_, plan] = both(&g);
    assert_eq!(lines(&plan)[0], ["concat \"concatenate\": 2 of 2 pieces written in place"]);
}

#[test]
fn what_no_step_makes_is_copied() {
    let (mut g, x) = start(1);
    let constant = g.constant("c", host(&[1, 64])).unwrap();
    let view = g.reshape_to(constant, Reshape::new([1, 64])).unwrap();
    let a = g.activation(x, Relu).unwrap();
    join(&mut g, &[x, a, view]);
    let left = ["piece 0, input \"x\": is an input", "piece 2, reshape \"reshape\": is a constant"];
    let [_, plan] = placed(&g, Some((1, 3)), &left);
    let slot = Place::Slot(0);
    let expected = [
        region(slot, 256, 256),
        region(slot, 0, 768),
        region(slot, 0, 768),
        region(Place::Output(0), 0, 768),
    ];
    assert_eq!(results(&plan), expected);
}

#[test]
fn an_output_stays_in_its_own_buffer() {
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    let view = g.reshape_to(b, Reshape::new([64])).unwrap();
    g.output("view", view);
    join(&mut g, &[a, b]);
    let [_, plan] = placed(&g, Some((1, 2)), &["piece 1, tanh \"tanh\": is an output"]);
    assert_eq!(plan.outputs()[0].place, Place::Output(0));
    assert_eq!(plan.output_buffers(), [256, 512]);
}

#[test]
fn a_piece_that_stands_there_twice_is_copied() {
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    join(&mut g, &[a, b, a]);
    let why =
        [0, 2].map(|number| format!("piece {number}, relu \"relu\": is there more than once"));
    placed(&g, Some((1, 3)), &[&why[0], &why[1]]);
}

#[test]
fn a_piece_belongs_to_one_concatenation() {
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(x, Tanh).unwrap();
    let c = g.activation(x, Sigmoid).unwrap();
    join(&mut g, &[a, b]);
    join(&mut g, &[b, c]);
    let [_, plan] = both(&g);
    let done = [
        "concat \"concat\": 2 of 2 pieces written in place",
        "concat \"concat_1\": 1 of 2 pieces written in place",
    ];
    assert_eq!(lines(&plan)[0], done);
    let why = "concat \"concat_1\": piece 0, tanh \"tanh\": is written into concat \"concat\"";
    assert_eq!(lines(&plan)[1], [why]);
    let copy = plan.steps().iter().find(|step| step.node == "concat \"concat_1\"").unwrap();
    assert_ne!(copy.operands[0].place, copy.result.place);
    assert_eq!((copy.operands[0].offset_bytes, copy.operands[0].bytes), (256, 256));
}

#[test]
fn pieces_begin_where_the_device_can_bind() {
    let mut g = Graph::new();
    let x = g.input("x", [63]);
    let pieces = [Relu, Tanh, Sigmoid].map(|kind| g.activation(x, kind).unwrap());
    join(&mut g, &pieces);
    let left = [
        "piece 1, tanh \"tanh\": begins at byte 252, which is no multiple of 256",
        "piece 2, sigmoid \"sigmoid\": begins at byte 504, which is no multiple of 256",
    ];
    placed(&g, Some((1, 3)), &left);
    // As on the host.
    let fine = Limits { min_storage_buffer_offset_alignment: 4, ..Limits::default() };
    let plan = g.plan_within(1, &fine).unwrap();
    check(&plan);
    assert_eq!(lines(&plan)[0], ["concat \"concat\": 3 of 3 pieces written in place"]);
    let begins: Vec<u64> = results(&plan).iter().map(|region| region.offset_bytes).collect();
    assert_eq!(begins, [0, 252, 504, 0]);
}

#[test]
fn no_step_reads_one_piece_and_writes_another() {
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let b = g.activation(a, Tanh).unwrap();
    join(&mut g, &[a, b]);
    let why = "piece 1, tanh \"tanh\": tanh \"tanh\" would read and write one buffer";
    placed(&g, Some((1, 2)), &[why]);
    // Through a value between them there is no such step.
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let between = g.activation(a, Sigmoid).unwrap();
    let b = g.activation(between, Tanh).unwrap();
    join(&mut g, &[b, a]);
    placed(&g, Some((2, 2)), &[]);
}

#[test]
fn others_may_use_pieces_before_and_behind() {
    let (mut g, x) = start(1);
    let a = g.activation(x, Relu).unwrap();
    let square = g.multiply(a, a).unwrap();
    let b = g.activation(square, Tanh).unwrap();
    let joined = join(&mut g, &[a, b]);
    let top = g.slice(joined, longshore::Slice::new([0], [1])).unwrap();
    let sum = g.add(a, b).unwrap();
    let all = g.add(sum, top).unwrap();
    g.output("all", all);
    let [_, plan] = placed(&g, Some((2, 2)), &[]);
    // The buffer lives to the sum, which is behind the last use of the whole.
    let sum = plan.steps().iter().find(|step| step.node == "add \"add\"").unwrap();
    let [one, two] = [sum.operands[0], sum.operands[1]];
    assert_eq!((one.place, one.offset_bytes, two.offset_bytes), (two.place, 0, 256));
    for step in plan.steps().iter().filter(|step| step.node.starts_with("slice")) {
        assert_ne!(step.result.place, one.place, "{plan}");
    }
}
