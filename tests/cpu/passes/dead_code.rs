//! Dead code: what no output needs, and what changes nothing.

use longshore::Activation::{Linear, Relu, Tanh};
use longshore::passes::remove_dead_code;
use longshore::{Dense, Graph};

use super::{apply, leaves};
use crate::graph::{batch_of, kernel};

#[test]
fn what_no_output_needs_goes_with_its_weights_and_inputs_stay() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    g.input("unused", batch_of(&[7]));
    let y = g.activation(x, Relu).unwrap();
    let dead = g.dense(y, Dense::new(5), &kernel(&[3, 5])).unwrap();
    let dead = g.activation(dead, Tanh).unwrap();
    g.add(dead, dead).unwrap();
    g.output("y", y);
    let (after, report) = apply(remove_dead_code, &g);
    let expected = [
        "input \"x\": [batch, 3]",
        "input \"unused\": [batch, 7]",
        "relu \"relu\" of \"x\": [batch, 3]",
        "output \"y\" is \"relu\"",
    ];
    assert_eq!(after, expected);
    let gone = ["dense \"dense\"", "tanh \"tanh\"", "add \"add\""];
    assert_eq!(report.done(), gone.map(|node| format!("{node}, which no output needs")));
    assert!(remove_dead_code(&g).unwrap().0.plan(1).unwrap().weights().is_empty());
}

#[test]
fn what_changes_nothing_is_skipped_over() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 3]));
    let same = g.reshape(x, [2, 3]).unwrap();
    let same = g.activation(same, Linear).unwrap();
    let y = g.activation(same, Relu).unwrap();
    let flat = g.flatten(y).unwrap();
    let y = g.activation(y, Linear).unwrap();
    g.output("y", y);
    g.output("flat", flat);
    let (after, report) = apply(remove_dead_code, &g);
    let expected = [
        "input \"x\": [batch, 2, 3]",
        "relu \"relu\" of \"x\": [batch, 2, 3]",
        "reshape \"flatten\" of \"relu\": [batch, 6]",
        "output \"y\" is \"relu\"",
        "output \"flat\" is \"flatten\"",
    ];
    assert_eq!(after, expected);
    assert_eq!(
        report.done(),
        [
            "reshape \"reshape\", which gives back input \"x\"",
            "linear \"linear\", which gives back input \"x\"",
            "linear \"linear_1\", which gives back relu \"relu\"",
        ]
    );
}

#[test]
fn an_output_that_copies_an_input_stays_a_copy() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let y = g.activation(x, Linear).unwrap();
    g.output("y", y);
    leaves(remove_dead_code, &g);
}
