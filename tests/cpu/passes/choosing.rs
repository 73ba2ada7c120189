//! Choosing passes, their reports, and what a plan says of them.

use longshore::Activation::{Relu, Tanh};
use longshore::passes::{PassReport, fuse_epilogues, optimize, remove_dead_code};
use longshore::plan::Limits;
use longshore::plan::PlanOptions;
use longshore::{Graph, Passes};

use crate::graph::batch_of;

/// A chain of three activations with a dead one beside it.
fn graph() -> Graph {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4]));
    g.activation(x, Tanh).unwrap();
    let mut y = x;
    for _ in 0..3 {
        y = g.activation(y, Relu).unwrap();
    }
    g.output("y", y);
    g
}

fn steps(passes: Passes) -> usize {
    graph().plan_with(1, PlanOptions::new().passes(passes)).unwrap().steps().len()
}

#[test]
fn passes_are_chosen_by_name() {
    assert_eq!(Passes::default(), Passes::all());
    assert!(Passes::names().iter().all(|name| Passes::all().has(name)));
    assert!(!Passes::names().iter().any(|name| Passes::none().has(name)));
    assert_eq!(steps(Passes::all()), 1);
    assert_eq!(steps(Passes::none()), 3);
    assert_eq!(steps(Passes::none().with("fuse_epilogues").unwrap()), 1);
    assert_eq!(steps(Passes::all().without("fuse_epilogues").unwrap()), 3);
    let (nodes, _) = Passes::all().without("remove_dead_code").unwrap().run(&graph()).unwrap();
    assert_eq!(nodes.nodes().len(), 3);
}

#[test]
fn a_name_without_a_pass_is_refused() {
    let error = Passes::all().without("fuse").unwrap_err().to_string();
    let known = Passes::names().join(", ");
    assert_eq!(
        error,
        format!("passes: there is no pass named \"fuse\"; known: {known}; use one of these names")
    );
    assert!(Passes::none().with("").is_err());
}

#[test]
fn a_graph_that_does_not_check_is_refused_by_every_pass() {
    let g = Graph::new();
    for pass in [remove_dead_code, fuse_epilogues] {
        assert!(pass(&g).unwrap_err().to_string().contains("a graph needs at least one"));
    }
    assert!(optimize(&g).is_err());
    let mut other = Graph::new();
    let foreign = other.input("x", [1]);
    let mut g = graph();
    g.output("foreign", foreign);
    assert!(optimize(&g).unwrap_err().to_string().contains("another graph"));
}

#[test]
fn reports_print_and_serialise() {
    let (_, report) = optimize(&graph()).unwrap();
    let expected = r#"passes: 5 nodes became 2
  remove_dead_code: tanh "tanh", which no output needs
  fuse_epilogues: relu "relu_1" into relu "relu"
  fuse_epilogues: relu "relu_2" into relu "relu_1"
"#;
    assert_eq!(report.to_string(), expected);
    assert_eq!(report.nodes(), (5, 2));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["nodes_after"], 2);
    let passes = json["passes"].as_array().unwrap();
    assert!(passes.iter().any(|pass| pass["pass"] == "fuse_epilogues"
        && pass["done"][0] == "relu \"relu_1\" into relu \"relu\""));
    // A graph that has been through them has nothing left to do, and says nothing.
    let (_, again) = optimize(&optimize(&graph()).unwrap().0).unwrap();
    assert!(!again.changed());
    assert_eq!(again.to_string(), "");
}

#[test]
fn a_plan_carries_and_prints_the_report() {
    let plan = graph().plan(1).unwrap();
    let names: Vec<&str> = plan.report().passes().iter().map(PassReport::pass).collect();
    assert_eq!(names, Passes::names());
    // What goes over graphs alone reports the same; the last one is a part of planning.
    let (last, others) = plan.report().passes().split_last().unwrap();
    assert_eq!(others, optimize(&graph()).unwrap().1.passes());
    assert_eq!((last.pass(), last.changed()), ("concat_in_place", false));
    assert!(plan.to_string().ends_with(&plan.report().to_string()), "{plan}");
    let plain = PlanOptions::new().passes(Passes::none());
    let plan = graph().plan_with(1, plain).unwrap();
    assert!(!plan.to_string().contains("passes"), "{plan}");
}

#[test]
fn peak_bytes_are_slots_and_outputs() {
    let plain = PlanOptions::new().passes(Passes::none());
    let plan = graph().plan_with(3, plain).unwrap();
    // Two slots and one output of 3 * 4 numbers each.
    assert_eq!((plan.slots().len(), plan.peak_bytes()), (2, 144));
    assert_eq!(graph().plan(3).unwrap().peak_bytes(), 48);
    assert!(plan.to_string().contains("values take 144 bytes at their peak, weights 0 bytes"));
}

#[test]
fn options_hold_limits_and_passes() {
    let limits = Limits { max_buffer_size: 16, ..Limits::default() };
    let options = PlanOptions::new().limits(limits);
    assert!(graph().plan_with(2, options.clone()).is_err());
    assert_eq!(graph().plan_with(1, options).unwrap().limits(), &limits);
}

#[test]
fn names_that_survive_still_mean_the_same_value() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4]));
    let a = g.activation(x, Tanh).unwrap();
    let b = g.activation(a, Relu).unwrap();
    let (a, b) = (g.rename(a, "a").unwrap(), g.rename(b, "b").unwrap());
    g.output("y", b);
    let (after, _) = optimize(&g).unwrap();
    let symbol = after.symbol("b").unwrap();
    assert_eq!(after.shape(symbol), g.shape(b));
    assert_eq!(after.symbol("a"), None);
    // Symbols of the old graph are another graph's.
    assert_eq!((after.shape(a), after.shape(b)), (None, None));
}
