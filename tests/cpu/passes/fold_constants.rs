//! Constant folding: values, what is too large, what cannot be read.

use longshore::Activation::Relu;
use longshore::passes::{fold_constants, remove_dead_code};
use longshore::{Graph, HostArray, Passes, PlanOptions};
use ndarray::{ArrayD, arr1};

use super::{apply, leaves};
use crate::graph::batch_of;

fn numbers(values: &[f32]) -> HostArray<'static> {
    HostArray::from(arr1(values).into_dyn())
}

#[test]
fn a_chain_of_constants_becomes_one_constant() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let one = g.constant("one", numbers(&[1.0, -2.0, 3.0])).unwrap();
    let two = g.constant("two", numbers(&[10.0, 20.0, -30.0])).unwrap();
    let sum = g.add(one, two).unwrap();
    let sum = g.activation(sum, Relu).unwrap();
    let y = g.multiply(x, sum).unwrap();
    g.output("y", y);
    let (after, report) = apply(fold_constants, &g);
    let expected = [
        "input \"x\": [batch, 3]",
        "constant \"relu\", weights \"relu\": [3]",
        "multiply \"multiply\" of \"x\", \"relu\": [batch, 3]",
        "output \"y\" is \"multiply\"",
    ];
    assert_eq!(after, expected);
    assert_eq!(report.done(), ["add \"add\"", "relu \"relu\""]);
}

/// A file of a few bytes for each node must not make gigabytes of weights.
#[test]
fn all_that_is_folded_together_is_bounded() {
    let mut g = Graph::new();
    let one = g.constant("one", numbers(&[2.0])).unwrap();
    for number in 0..1026 {
        let y = g.expand(one, [16_384]).unwrap();
        g.output(format!("y{number}"), y);
    }
    let (_, report) = apply(fold_constants, &g);
    assert_eq!(report.done().len(), 1024);
    let left = "expand \"expand_1024\", as folding has made the weights larger by 64 MiB already";
    assert_eq!(report.left()[0], left);
    assert_eq!(report.left().len(), 2);
}

#[test]
fn what_would_grow_the_weights_stays() {
    // 16385 numbers are 64 KiB and one number more than the one that they replace.
    for (length, folds) in [(16_385, true), (16_386, false)] {
        let mut g = Graph::new();
        let one = g.constant("one", numbers(&[2.0])).unwrap();
        let y = g.expand(one, [length]).unwrap();
        g.output("y", y);
        let (_, report) = apply(fold_constants, &g);
        assert_eq!(report.changed(), folds, "{length}");
        if !folds {
            let left = "expand \"expand\", which would make the weights larger by more than 64 KiB";
            assert_eq!(report.left(), [left]);
        }
    }
}

#[test]
fn a_result_that_is_not_finite_stays_and_says_so() {
    let mut g = Graph::new();
    let x = g.constant("x", numbers(&[3e38])).unwrap();
    let y = g.add(x, x).unwrap();
    g.output("y", y);
    let (_, report) = apply(fold_constants, &g);
    assert_eq!(report.left(), ["add \"add\", whose result is not finite"]);
    assert!(!report.changed());
}

#[test]
fn values_of_a_run_are_left_alone_and_dead_nodes_are_another_pass() {
    let mut g = Graph::new();
    let x = g.input("x", [3]);
    g.activation(x, Relu).unwrap();
    let y = g.add(x, x).unwrap();
    g.output("y", y);
    leaves(fold_constants, &g);
    assert!(apply(remove_dead_code, &g).1.changed());
}

#[test]
fn a_folded_plan_gives_the_same_bits() {
    let mut g = Graph::new();
    let values: Vec<f32> = (0..24).map(|value| value as f32 / 7.0).collect();
    let values = ArrayD::from_shape_vec(vec![2, 3, 4], values).unwrap();
    let x = g.constant("x", HostArray::from(values)).unwrap();
    let turned = g.transpose(x, &[2, 0, 1]).unwrap();
    let flat = g.reshape_to(turned, longshore::Reshape::new([4, 6])).unwrap();
    let y = g.concat(&[flat, flat], 1).unwrap();
    let y = g.softmax(y, 0).unwrap();
    g.output("y", y);
    let plans = [Passes::none(), Passes::none().with("fold_constants").unwrap()]
        .map(|passes| g.plan_with(1, PlanOptions::new().passes(passes)).unwrap());
    let rt = longshore::Runtime::host();
    let [plain, folded] = plans.map(|plan| {
        let steps = plan.steps().len();
        let run = rt.prepare(&plan).unwrap().run([]).unwrap();
        (steps, run["y"].read().unwrap())
    });
    assert_eq!((plain.0, folded.0), (4, 0));
    assert_eq!(plain.1, folded.1);
}
