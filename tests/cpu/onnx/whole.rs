//! Whole numbers that a network computes with: what rounds them is refused, the rest is exact.

use std::slice::from_ref;

use super::{field, float, int, model_of, model_over, node_with, number, outcome, says, text};

/// A model over a whole-number `x` (2, 3) and these nodes.
fn whole(nodes: &[Vec<u8>]) -> Vec<u8> {
    // ONNX's number of int32.
    model_of(&port_of(6), 13, nodes, &[])
}

fn port_of(kind: u64) -> Vec<u8> {
    let dims: Vec<u8> = [2, 3].iter().flat_map(|&dim| field(1, &number(1, dim))).collect();
    let tensor = [number(1, kind), field(2, &dims)].concat();
    [field(1, b"x"), field(2, &field(1, &tensor))].concat()
}

fn node(op: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    node_with(op, inputs, &[output], &[])
}

const TEXT: &str = "a result in whole numbers is not supported";

#[test]
fn quotients_and_means_of_whole_numbers_are_refused() {
    for op in ["ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"] {
        says(&whole(&[node(op, &["x"], "y")]), TEXT);
    }
    says(&whole(&[node("Div", &["x", "x"], "y")]), TEXT);
    for op in ["ReduceSum", "ReduceMax", "Neg", "Relu"] {
        assert_eq!(outcome(&whole(&[node(op, &["x"], "y")])), Ok(()), "{op}");
    }
}

#[test]
fn results_of_whole_numbers_are_whole_until_they_are_cast() {
    let doubled = node("Add", &["x", "x"], "d");
    says(&whole(&[doubled.clone(), node("ReduceMean", &["d"], "y")]), TEXT);
    let cast = node_with("Cast", &["d"], &["f"], &[int("to", 1)]);
    let mean = node("ReduceMean", &["f"], "y");
    assert_eq!(outcome(&whole(&[doubled, cast, mean])), Ok(()));
}

#[test]
fn positions_and_comparisons_of_floats_are_whole() {
    for made in [node("ArgMax", &["x"], "p"), node("Greater", &["x", "x"], "p")] {
        let floats = model_over(&[2, 3], 13, &[made.clone(), node("Div", &["p", "p"], "y")], &[]);
        says(&floats, TEXT);
        let product = model_over(&[2, 3], 13, &[made, node("Mul", &["p", "p"], "y")], &[]);
        assert_eq!(outcome(&product), Ok(()));
    }
}

#[test]
fn the_quotient_by_a_whole_constant_is_one() {
    let six = super::tensor("six", 6, &[1], &6i32.to_le_bytes());
    let nodes = [node("ArgMax", &["x"], "p"), node("Div", &["p", "six"], "y")];
    says(&model_over(&[2, 3], 13, &nodes, &[six]), TEXT);
}

#[test]
fn only_nearest_resizing_keeps_whole_numbers() {
    let scales = super::tensor("s", 1, &[2], bytemuck::cast_slice(&[1.0f32, 2.0]));
    let resize = |mode: &str| {
        let resized = node_with("Resize", &["x", "", "s"], &["r"], &[text("mode", mode)]);
        model_of(&port_of(6), 13, &[resized, node("Relu", &["r"], "y")], from_ref(&scales))
    };
    assert_eq!(outcome(&resize("nearest")), Ok(()));
    says(&resize("linear"), TEXT);
}

#[test]
fn a_dropout_that_trains_is_refused_and_its_mask_is_of_ones() {
    let with_mask = node_with("Dropout", &["x"], &["d", "m"], &[]);
    let use_of_both = node("Mul", &["d", "m"], "y");
    assert_eq!(outcome(&model_over(&[2, 3], 13, &[with_mask, use_of_both], &[])), Ok(()));
    let training = super::tensor("t", 9, &[], &[1]);
    let ratio = |value: f32| super::tensor("r", 1, &[], &value.to_le_bytes());
    let node = node_with("Dropout", &["x", "r", "t"], &["y"], &[]);
    let model = |value| model_over(&[2, 3], 13, from_ref(&node), &[ratio(value), training.clone()]);
    assert_eq!(outcome(&model(0.0)), Ok(()));
    says(&model(0.25), "training_mode with the ratio 0.25 is not supported");
    let old = node_with("Dropout", &["x"], &["y"], &[float("ratio", 0.5)]);
    assert_eq!(outcome(&model_over(&[2, 3], 7, &[old], &[])), Ok(()));
}

#[test]
fn an_error_names_its_node_once() {
    let text = outcome(&whole(&[node("ReduceMean", &["x"], "y")])).unwrap_err();
    assert_eq!(
        text,
        "m.onnx: ReduceMean \"y\": a result in whole numbers is not supported; \
         export the model without it"
    );
}

#[test]
fn indices_of_the_largest_elements_are_whole_and_their_values_are_not() {
    let k = super::tensor("k", 7, &[1], &2i64.to_le_bytes());
    let find = node_with("TopK", &["x", "k"], &["v", "i"], &[]);
    let quotient = |of: &str| {
        let nodes = [find.clone(), node("Div", &[of, of], "y")];
        model_over(&[2, 3], 13, &nodes, from_ref(&k))
    };
    says(&quotient("i"), TEXT);
    assert_eq!(outcome(&quotient("v")), Ok(()));
    let nodes = [find.clone(), node("Div", &["v", "v"], "y")];
    says(&model_of(&port_of(6), 13, &nodes, from_ref(&k)), TEXT);
}
