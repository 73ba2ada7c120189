//! Whole numbers that a network computes with: what is not exact is refused, by name.

use std::slice::from_ref;

use longshore::import::onnx::{ImportOptions, OnnxModel};
use longshore::{Graph, HostArray};
use ndarray::array;

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
fn means_of_whole_numbers_are_refused() {
    for op in ["ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"] {
        says(&whole(&[node(op, &["x"], "y")]), TEXT);
    }
    for op in ["Sqrt", "Softmax", "Tanh", "Mean", "GlobalAveragePool"] {
        says(&whole(&[node(op, &["x"], "y")]), TEXT);
    }
    for op in ["ReduceSum", "ReduceMax", "Neg", "Relu", "Abs", "Sign", "ReduceSumSquare"] {
        assert_eq!(outcome(&whole(&[node(op, &["x"], "y")])), Ok(()), "{op}");
    }
    for op in ["Div", "Mod", "Add", "Mul"] {
        assert_eq!(outcome(&whole(&[node(op, &["x", "x"], "y")])), Ok(()), "{op}");
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
        let floats = model_over(&[2, 3], 13, &[made.clone(), node("Exp", &["p"], "y")], &[]);
        says(&floats, TEXT);
        let product = model_over(&[2, 3], 13, &[made, node("Mul", &["p", "p"], "y")], &[]);
        assert_eq!(outcome(&product), Ok(()));
    }
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
    let exponential = |of: &str| {
        let nodes = [find.clone(), node("Exp", &[of], "y")];
        model_over(&[2, 3], 13, &nodes, from_ref(&k))
    };
    says(&exponential("i"), TEXT);
    assert_eq!(outcome(&exponential("v")), Ok(()));
    let nodes = [find.clone(), node("Exp", &["v"], "y")];
    says(&model_of(&port_of(6), 13, &nodes, from_ref(&k)), TEXT);
}

/// ONNX's numbers of types.
const INT8: u64 = 3;
const INT32: u64 = 6;
const INT64: u64 = 7;
const BOOL: u64 = 9;
const FLOAT16: u64 = 10;
const UINT32: u64 = 12;

fn imported(kind: u64, nodes: &[Vec<u8>], initializers: &[Vec<u8>]) -> Graph {
    let bytes = model_of(&port_of(kind), 13, nodes, initializers);
    let model = OnnxModel::from_bytes("m.onnx", &bytes).unwrap();
    model.import(ImportOptions::new()).unwrap().graph
}

#[test]
fn inputs_take_the_numbers_that_their_types_have() {
    let relu = [node("Relu", &["x"], "y")];
    let ranges = [(2, 0..=255), (3, -128..=127), (4, 0..=65535), (5, -32768..=32767)];
    for (kind, range) in
        ranges.into_iter().chain([(UINT32, 0..=1 << 24), (INT64, -(1 << 24)..=1 << 24)])
    {
        assert_eq!(imported(kind, &relu, &[]).whole_range("x"), Some(range), "{kind}");
    }
    for kind in [1, FLOAT16, 11] {
        assert_eq!(imported(kind, &relu, &[]).whole_range("x"), None);
    }
    let graph = imported(2, &relu, &[]);
    let check = |array: HostArray<'static>| {
        graph.check_input("x", &array).map_err(|error| error.to_string())
    };
    assert_eq!(check(HostArray::from(array![[255.0, 0.0]])), Ok(()));
    assert_eq!(check(HostArray::from(array![[255i64, 0]])), Ok(()));
    let text = "input \"x\": element [0, 1] is 2.5 but it takes whole numbers from 0 to 255\n  (float64 \
                [1, 2]); bring numbers of that range, in any dtype";
    assert_eq!(check(HostArray::from(array![[1.0, 2.5]])), Err(text.to_owned()));
    for bad in [-1.0, 256.0, f64::NAN, f64::INFINITY] {
        assert!(check(HostArray::from(array![bad])).is_err(), "{bad}");
    }
    assert!(check(HostArray::from(array![256i64])).is_err());
    assert!(graph.check_input("other", &HostArray::from(array![0.5])).is_ok());
}

#[test]
fn wide_inputs_take_what_their_arithmetic_is_exact_for() {
    let taken = |nodes: &[Vec<u8>]| *imported(INT32, nodes, &[]).whole_range("x").unwrap().end();
    assert_eq!(taken(&[node("Neg", &["x"], "y")]), 1 << 24);
    assert_eq!(taken(&[node("Add", &["x", "x"], "y")]), 1 << 23);
    assert_eq!(taken(&[node("Mul", &["x", "x"], "y")]), 1 << 12);
    let cube = [node("Mul", &["x", "x"], "s"), node("Mul", &["s", "x"], "y")];
    assert_eq!(taken(&cube), 1 << 8);
    let power = [cube[0].clone(), node("Mul", &["s", "s"], "y")];
    let text = "m.onnx: Mul \"y\": the result of int32 may be anything from";
    says(&model_of(&port_of(INT32), 13, &power, &[]), text);
    // Types that wrap are exact whatever comes.
    assert_eq!(outcome(&model_of(&port_of(INT8), 13, &power, &[])), Ok(()));
}

#[test]
fn what_wraps_beyond_f32_is_refused() {
    let difference = node("Sub", &["x", "x"], "y");
    says(
        &model_of(&port_of(UINT32), 13, &[difference], &[]),
        "what wraps below 0 is not exact here",
    );
}

#[test]
fn constants_that_f32_does_not_hold_are_refused_with_their_value() {
    for (kind, value) in [(INT32, 16_777_217i64), (INT64, -16_777_217), (INT64, 1 << 30 | 1)] {
        let raw = value.to_le_bytes();
        let raw = if kind == INT32 { &raw[..4] } else { &raw[..] };
        let constant = super::tensor("k", kind, &[1], raw);
        let model = model_of(&port_of(kind), 13, &[node("Max", &["x", "k"], "y")], &[constant]);
        let value = value as f64;
        says(
            &model,
            &format!("constant \"k\": element [0] is {value} but the device computes in f32"),
        );
    }
}

#[test]
fn casts_that_runtimes_disagree_on_are_refused() {
    let to = |kind: i64| node_with("Cast", &["x"], &["y"], &[int("to", kind)]);
    says(
        &model_over(&[2, 3], 13, &[to(2)], &[]),
        "input 0 may be anything from -inf to inf but uint8 takes floats from 0 to 255, as runtimes differ beyond",
    );
    says(&model_over(&[2, 3], 13, &[to(16)], &[]), "a cast to BFLOAT16 is not supported");
    assert_eq!(outcome(&model_over(&[2, 3], 13, &[to(BOOL as i64)], &[])), Ok(()));
    assert_eq!(outcome(&model_over(&[2, 3], 13, &[to(10)], &[])), Ok(()));
}

#[test]
fn powers_of_whole_numbers_have_one_whole_exponent() {
    let power = |exponent: f32| {
        let k = super::tensor("k", 1, &[], &exponent.to_le_bytes());
        outcome(&model_of(&port_of(INT8), 13, &[node("Pow", &["x", "k"], "y")], &[k]))
    };
    assert_eq!([power(2.0), power(-3.0), power(0.0)], [Ok(()), Ok(()), Ok(())]);
    for exponent in [0.5, 33.0, f32::NAN] {
        let error = power(exponent).unwrap_err();
        assert!(error.contains("other than one whole exponent from -32 to 32"), "{error}");
    }
    let computed = whole(&[node("Pow", &["x", "x"], "y")]);
    says(&computed, "a computed exponent of whole numbers");
}

#[test]
fn arithmetic_on_shapes_is_exact_up_to_2_to_the_53() {
    let known = |a: i64, op: &str, b: i64| {
        let numbers = [super::numbers("a", &[a]), super::numbers("b", &[b])];
        let nodes = [node(op, &["a", "b"], "s"), node("Expand", &["x", "s"], "y")];
        outcome(&model_over(&[2, 3], 13, &nodes, &numbers))
    };
    assert_eq!(known(-7, "Add", 10), Ok(()));
    for (a, op, b) in [(i64::MAX, "Sub", i64::MAX), (i64::MAX, "Mod", 5), (1 << 40, "Mul", 1 << 40)]
    {
        let error = known(a, op, b).unwrap_err();
        assert!(error.contains("int64 is computed with up to 2^53 while importing"), "{error}");
    }
}
