//! ONNX files that are cut, damaged or lie: an error in words, and never a panic, a hang or a large
//! allocation.

use longshore::import::onnx::{ImportOptions, OnnxModel};

use super::{
    field, floats, int, ints, model, model_over, node, node_with, numbers, outcome, says, tensor,
};
use longshore_testing::conformance;
use longshore_testing::random::Random;

fn models() -> impl Iterator<Item = Vec<u8>> {
    conformance::load().into_iter().map(|case| case.model)
}

#[test]
fn files_cut_at_any_byte_are_errors_or_smaller_models() {
    let mut refused = 0usize;
    for bytes in models().step_by(12) {
        for length in 0..bytes.len() {
            refused += usize::from(outcome(&bytes[..length]).is_err());
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn flipped_bytes_never_panic() {
    let mut random = Random::new(2026);
    let (mut refused, mut taken) = (0usize, 0usize);
    for bytes in models() {
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..random.range(1, 4) {
                let place = random.range(0, damaged.len());
                damaged[place] = match random.range(0, 3) {
                    0 => damaged[place] ^ (1 << random.range(0, 8)),
                    // Long varints and lengths.
                    1 => 0xff,
                    _ => random.range(0, 256) as u8,
                };
            }
            if outcome(&damaged).is_err() { refused += 1 } else { taken += 1 }
        }
    }
    assert!(refused > 1000 && taken > 100, "{refused} refused, {taken} taken");
}

#[test]
fn models_made_by_hand_are_read() {
    outcome(&model(&[node("Relu", &["x"], "y")], &[])).unwrap();
}

#[test]
fn attributes_left_out_have_onnxs_defaults() {
    for (op, expected) in [
        ("ReduceMean", [1, 1]),
        ("ArgMax", [1, 3]),
        ("Transpose", [3, 2]),
        ("Flatten", [2, 3]),
        ("Softmax", [2, 3]),
    ] {
        let bytes = model(&[node(op, &["x"], "y")], &[]);
        let model = OnnxModel::from_bytes("m.onnx", &bytes).unwrap();
        let graph = model.import(ImportOptions::new()).unwrap().graph;
        assert_eq!(graph.plan(1).unwrap().outputs()[0].shape, expected, "{op}");
    }
}

#[test]
fn cycles_missing_values_and_values_made_twice_are_named() {
    let cycle = [node("Relu", &["a"], "b"), node("Relu", &["b"], "a"), node("Relu", &["x"], "y")];
    says(&model(&cycle, &[]), "has a cycle of nodes: b, a but");
    says(&model(&[node("Add", &["x", "w"], "y")], &[]), "input \"w\" is made by no node");
    says(&model(&[node("Relu", &["x"], "z")], &[]), "no node makes the output");
    let twice = [node("Relu", &["x"], "y"), node("Abs", &["x"], "y")];
    says(&model(&twice, &[]), "is made twice");
    says(&model(&[], &[]), "no node makes the output");
}

#[test]
fn everything_unsupported_is_listed_once() {
    let nodes = [
        node("LSTM", &["x"], "a"),
        node("LSTM", &["a"], "b"),
        node("Einsum", &["b"], "c"),
        node("Relu", &["c"], "y"),
    ];
    says(&model(&nodes, &[]), "3 nodes: Einsum (c), LSTM (a, b): which is not supported");
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    let add = [node("Add", &["x", "w"], "y")];
    for dims in [&[1 << 62][..], &[1 << 40, 1 << 40], &[u64::MAX], &[3, 1 << 31], &[4]] {
        let error = outcome(&model(&add, &[tensor("w", 1, dims, &[0; 12])])).unwrap_err();
        assert!(error.contains("\"w\"") || error.contains("tensor"), "{error}");
    }
    outcome(&model(&add, &[tensor("w", 1, &[3], &[0; 12])])).unwrap();
    // A shape of 2^62, as a value of the network.
    let shape: Vec<u8> = [1_i64 << 62, 4].iter().flat_map(|length| length.to_le_bytes()).collect();
    for op in ["Reshape", "Expand", "Tile"] {
        let nodes = [node(op, &["x", "s"], "y")];
        assert!(outcome(&model(&nodes, &[tensor("s", 7, &[2], &shape)])).is_err(), "{op}");
    }
    let nodes = [node("ConstantOfShape", &["s"], "y")];
    says(&model(&nodes, &[tensor("s", 7, &[2], &shape)]), "");
    // Beside a length of 0 others count too, and half of 2^64 is too much for an array.
    for lengths in [[0, 1 << 62, 2], [1 << 62, 0, 2], [1 << 62, 4, 0]] {
        says(&model(&nodes, &[numbers("s", &lengths)]), "the product must fit");
    }
}

#[test]
fn lengths_beside_a_length_of_0_are_checked_too() {
    let long = 1 << 40;
    for op in ["Flatten", "Softmax"] {
        let bytes = model_over(&[0, long, long], 11, &[node(op, &["x"], "y")], &[]);
        says(&bytes, "the product must fit");
    }
}

/// Constants are computed with while importing, and those without elements may have long axes.
#[test]
fn constants_of_nothing_are_not_walked_over() {
    let nothing = |dims: &[u64]| tensor("c", 1, dims, &[]);
    for op in ["ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin"] {
        for dims in [
            &[1 << 62, 0][..],
            &[0, 1 << 40],
            &[4096, 4096, 4096, 0],
            &[1 << 20, 1 << 20, 0, 1 << 20],
        ] {
            for axes in [&[0][..], &[-1], &[0, 1]] {
                // What is left of [2^62, 0] without its last axis cannot be held.
                let nodes = [node_with(op, &["c"], &["y"], &[ints("axes", axes)])];
                let _ = outcome(&model_over(&[2, 3], 11, &nodes, &[nothing(dims)]));
            }
        }
    }
    // The axis stays, with length 1.
    let nodes = [
        node_with("ReduceSum", &["c"], &["r"], &[ints("axes", &[1])]),
        node_with("Concat", &["r", "b"], &["j"], &[int("axis", 1)]),
        node("Add", &["x", "j"], "y"),
    ];
    let constants = [nothing(&[2, 0, 3]), tensor("b", 1, &[2, 1, 3], &[0; 24])];
    outcome(&model_over(&[2, 3], 11, &nodes, &constants)).unwrap();
    // All of a long axis, element by element, would be as many places.
    let all = [("s", 0), ("e", i64::MAX), ("a", 1)].map(|(name, value)| numbers(name, &[value]));
    let constants = [vec![nothing(&[0, 1 << 40])], all.to_vec()].concat();
    let nodes = [node("Slice", &["c", "s", "e", "a"], "t"), node("Relu", &["t"], "y")];
    let _ = outcome(&model(&nodes, &constants));
}

#[test]
fn constants_of_other_ranks_are_not_joined() {
    let constants = [floats("a", &[1.0, 2.0]), tensor("b", 1, &[1, 2], &[0; 8])];
    for (inputs, text) in [(["b", "a"], "have 2 axes and 1"), (["a", "b"], "have 1 axes and 2")] {
        let nodes = [node_with("Concat", &inputs, &["y"], &[int("axis", -1)])];
        says(&model(&nodes, &constants), text);
    }
}

#[test]
fn wrong_types_are_named() {
    let add = [node("Add", &["x", "w"], "y")];
    says(&model(&add, &[tensor("w", 16, &[3], &[0; 6])]), "BFLOAT16");
    says(&model(&add, &[tensor("w", 8, &[3], &[])]), "STRING");
    says(&model(&add, &[tensor("w", 99, &[3], &[0; 6])]), "number 99");
}

/// Messages within messages, as deep as a file can say.
#[test]
fn recursion_is_bounded() {
    let mut deep = Vec::new();
    for _ in 0..20_000 {
        // An attribute's graph (6) of a node (1) with an attribute (5).
        deep = field(5, &field(6, &field(1, &deep)));
    }
    says(&field(7, &field(1, &deep)), "m.onnx");
}
