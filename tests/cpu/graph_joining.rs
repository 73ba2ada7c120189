//! What joining, picking, viewing otherwise and constants are refused for, word for word.

use longshore::ops::Reshape;
use longshore::{Graph, LayerWeights, Symbol};
use ndarray::{ArrayD, arr0, arr1};

use crate::graph::{batch_of, host};
use crate::graph_errors::{limit, operand, start};

const MAX: usize = usize::MAX;
const X: &str = "(x [batch, 5, 4, 3])";

#[test]
fn a_constant_without_a_name_takes_that_of_its_node() {
    let mut g = Graph::new();
    let plain = g.constant("threshold", host(&[2])).unwrap();
    let named = g.constant("other", host(&[3]).with_name("in the file")).unwrap();
    g.output("plain", plain);
    g.output("named", named);
    let plan = g.plan(1).unwrap();
    let labels: Vec<&str> = plan.weights().iter().map(longshore::graph::Weight::label).collect();
    assert_eq!(labels, ["threshold", "in the file"]);
    // Those of a layer take the names that the layer has for them.
    let layer = LayerWeights::new(host(&[2, 3])).bias(host(&[3]).with_name("shift"));
    let labels: Vec<(&str, &str)> =
        layer.iter().map(|(name, weight)| (name, weight.label())).collect();
    assert_eq!(labels, [("bias", "shift"), ("kernel", "kernel")]);
    let again = g.constant("threshold", host(&[2])).unwrap_err().to_string();
    assert!(again.contains("\"threshold\""), "{again}");
}

#[test]
fn gathering() {
    let (mut g, x) = start();
    let refused = |result: longshore::Result<Symbol>, text: &str| {
        operand(result, &format!("gather \"gather\": {text}"));
    };
    let one = arr0(0).into_dyn();
    for axis in [4, -5] {
        let remedy = "use an axis from -rank to rank - 1";
        refused(
            g.gather(x, &one, axis),
            &format!("axis is {axis} but \"x\" has 4 axes\n  {X}; {remedy}"),
        );
    }
    for axis in [0, -4] {
        let text = "\"x\" has the batch on axis 0 but it cannot be picked from";
        refused(g.gather(x, &one, axis), &format!("{text}\n  {X}; use fixed dimensions"));
    }
    let remedy = "use indices from -length to length - 1";
    for (axis, length, index) in
        [(1, 5, 5), (1, 5, -6), (-1, 3, 3), (2, 4, i64::MIN), (2, 4, i64::MAX)]
    {
        let place = if axis < 0 { axis + 4 } else { axis };
        let text =
            format!("indices hold {index} but axis {place} has {length} entries\n  {X}; {remedy}");
        refused(g.gather(x, &arr1(&[0, -1, index]).into_dyn(), axis), &text);
    }
    let none = ArrayD::from_shape_vec(vec![2, 0], Vec::new()).unwrap();
    let y = g.gather(x, &none, 1).unwrap();
    assert_eq!(g.shape(y).unwrap().to_string(), "[batch, 2, 0, 4, 3]");
    let y = g.gather(x, &arr1(&[4, -5]).into_dyn(), -3).unwrap();
    assert_eq!(g.shape(y).unwrap().to_string(), "[batch, 2, 4, 3]");
}

#[test]
fn joining() {
    let (mut g, x) = start();
    let refused = |result: longshore::Result<Symbol>, kind: &str, text: &str| {
        operand(result, &format!("{kind} \"{kind}\": {text}"));
    };
    let none = "values are empty but at least one is needed\n  (); name a value";
    refused(g.concat(&[], 1), "concat", none);
    refused(g.concatenate(&[]), "concatenate", none);
    for axis in [4, -5] {
        let text = format!(
            "axis is {axis} but \"x\" has 4 axes\n  (x [batch, 5, 4, 3], x [batch, 5, 4, 3]); use an axis \
             from -rank to rank - 1"
        );
        refused(g.concat(&[x, x], axis), "concat", &text);
    }
    for axis in [0, -4] {
        let text = "\"x\" has the batch on axis 0 but the batch cannot be joined\n  (x [batch, 5, 4, 3], \
                    x [batch, 5, 4, 3]); use fixed dimensions";
        refused(g.concat(&[x, x], axis), "concat", text);
    }
    let other = |g: &mut Graph, shape: &[usize]| g.input(format!("of {shape:?}"), batch_of(shape));
    let remedy = "slice, pad or reshape one of them";
    for (shape, axis) in
        [(&[5, 4][..], 1), (&[5, 4, 3, 1], 1), (&[5, 4, 2], 1), (&[6, 4, 3], 3), (&[5, 3, 3], -1)]
    {
        let y = other(&mut g, shape);
        let name = format!("of {shape:?}");
        let shown = g.shape(y).unwrap().to_string();
        let place = if axis < 0 { axis + 4 } else { axis };
        let text = format!(
            "\"{name}\" has shape {shown} but it must be \"x\"'s [batch, 5, 4, 3] but for axis {place}\n  \
             (x [batch, 5, 4, 3], {name} {shown}); {remedy}"
        );
        refused(g.concat(&[x, y], axis), "concat", &text);
    }
    // A batch and a fixed length are no same length, whatever the batch is.
    let fixed = g.input("fixed", [1, 5, 4, 3]);
    let text = format!(
        "\"fixed\" has shape [1, 5, 4, 3] but it must be \"x\"'s [batch, 5, 4, 3] but for axis 3\n  \
         (x [batch, 5, 4, 3], fixed [1, 5, 4, 3]); {remedy}"
    );
    refused(g.concatenate(&[x, fixed]), "concatenate", &text);
    let long = g.input("long", [MAX, 0]);
    let text = format!(
        "axis is 0 but the lengths along it add up to more than a machine word counts\n  (long [{MAX}, 0], \
         long [{MAX}, 0]); join fewer values"
    );
    refused(g.concat(&[long, long], 0), "concat", &text);
    let half = g.input("half", [1 << 61, 4]);
    limit(
        g.concat(&[half, half], 0),
        "concat \"concat\": shape [4611686018427387904, 4] needs more than 2^64 bytes but the largest size is \
         2^64 - 1 bytes; make the shape smaller",
    );
    let y = g.concat(&[x, x, x], -3).unwrap();
    assert_eq!(g.shape(y).unwrap().to_string(), "[batch, 15, 4, 3]");
}

#[test]
fn reshaping() {
    let (mut g, x) = start();
    let fixed = g.input("f", [2, 0, 3]);
    let refused = |result: longshore::Result<Symbol>, text: &str| {
        operand(result, &format!("reshape \"reshape\": {text}"));
    };
    let product = "use lengths with the same product; one may be -1";
    // Of fixed lengths the product must fit, and one length at most is inferred.
    for shape in [&[5][..], &[-1, -1], &[4, 0, -2], &[0, 0, 4, -1]] {
        let y = g.input(format!("y {shape:?}"), [2, 3]);
        let target = Reshape::new(shape.to_vec()).allow_zero();
        let name = format!("y {shape:?}");
        let text = format!(
            "shape is {shape:?} but \"{name}\" has shape [2, 3]\n  ({name} [2, 3]); {product}"
        );
        refused(g.reshape_to(y, target), &text);
    }
    // A length of 0 that is meant leaves nothing to infer from.
    let text =
        format!("shape is [0, -1] but \"f\" has shape [2, 0, 3]\n  (f [2, 0, 3]); {product}");
    refused(g.reshape_to(fixed, Reshape::new([0, -1]).allow_zero()), &text);
    let text = "shape is [2, 0, 3, 0] but \"f\" has 3 dimensions to keep\n  (f [2, 0, 3]); use 0 where it \
                has a length, or Reshape::allow_zero";
    refused(g.reshape_to(fixed, Reshape::new([2, 0, 3, 0])), text);
    // The batch is kept by 0 or inferred by -1, and what is behind it is one item's.
    let batch = format!(
        "\"x\" has the batch on axis 0 but its items stay whole\n  {X}; use fixed dimensions"
    );
    for shape in [&[1, 60][..], &[-1, 30], &[0, 7, -1], &[60, -1], &[-1, -1, -1]] {
        refused(g.reshape_to(x, Reshape::new(shape.to_vec())), &batch);
    }
    refused(g.reshape_to(x, Reshape::new([0, 60]).allow_zero()), &batch);
    let text = format!("shape is [] but \"x\" has shape [batch, 5, 4, 3]\n  {X}; {product}");
    refused(g.reshape_to(x, Reshape::new([])), &text);
    for (shape, expected) in [
        (&[0, -1][..], "[batch, 60]"),
        (&[-1, 3, 4, 5], "[batch, 3, 4, 5]"),
        (&[0, 0, -1], "[batch, 5, 12]"),
    ] {
        let y = g.reshape_to(x, Reshape::new(shape.to_vec())).unwrap();
        assert_eq!(g.shape(y).unwrap().to_string(), expected);
    }
    let y = g.reshape_to(fixed, Reshape::new([0, 7]).allow_zero()).unwrap();
    assert_eq!(g.shape(y).unwrap().to_string(), "[0, 7]");
}
