//! Arithmetic on shapes while importing: numbers too many, too few or of the wrong type are named.

use super::{
    floats, int, ints, model, model_over, node, node_with, numbers, outcome, says, tensor,
    tensor_attribute,
};

/// Four numbers that nodes compute with, and `x` reshaped by what comes of them.
fn computed(op: &[u8], initializers: &[Vec<u8>]) -> Vec<u8> {
    computed_in(13, op, initializers)
}

fn computed_in(set: u64, op: &[u8], initializers: &[Vec<u8>]) -> Vec<u8> {
    let numbers = [vec![numbers("n", &[1, 2, 3, 1])], initializers.to_vec()].concat();
    model_over(&[2, 3], set, &[op.to_vec(), node("Reshape", &["x", "s"], "y")], &numbers)
}

#[test]
fn numbers_that_fit_are_computed_with() {
    let slice = node("Slice", &["n", "a", "b"], "s");
    outcome(&computed(&slice, &[numbers("a", &[1]), numbers("b", &[3])])).unwrap();
    let steps = node("Slice", &["n", "a", "b", "c", "d"], "s");
    let [a, b] = [numbers("a", &[2]), numbers("b", &[0])];
    outcome(&computed(&steps, &[a, b, numbers("c", &[-1]), numbers("d", &[-1])])).unwrap();
    let old = [ints("starts", &[1]), ints("ends", &[3]), ints("axes", &[0])];
    outcome(&computed_in(9, &node_with("Slice", &["n"], &["s"], &old), &[])).unwrap();
}

#[test]
fn a_slice_has_as_many_of_each() {
    let slice = |count: usize| node("Slice", &["n", "a", "b", "c", "d"][..=count], "s");
    let [one, two] = [|name| numbers(name, &[0]), |name| numbers(name, &[0, 1])];
    let more_ends = computed(&slice(2), &[one("a"), two("b")]);
    says(&more_ends, "ends are 2 but there are 1 starts");
    let more_starts = computed(&slice(2), &[two("a"), one("b")]);
    says(&more_starts, "ends are 1 but there are 2 starts");
    let more_axes = computed(&slice(3), &[one("a"), one("b"), two("c")]);
    says(&more_axes, "axes are 2 but there are 1 starts");
    let fewer_axes = computed(&slice(3), &[two("a"), two("b"), one("c")]);
    says(&fewer_axes, "axes are 1 but there are 2 starts");
    let more_steps = computed(&slice(4), &[one("a"), one("b"), one("c"), two("d")]);
    says(&more_steps, "steps are 2 but there are 1 starts");
    let none = computed(&slice(4), &[one("a"), one("b"), one("c"), numbers("d", &[0])]);
    says(&none, "steps has 0");
    let twice = computed(&slice(3), &[two("a"), two("b"), numbers("c", &[0, -1])]);
    says(&twice, "axes names axis 0 twice");
    let beyond = computed(&slice(3), &[one("a"), one("b"), numbers("c", &[1])]);
    says(&beyond, "the value has 1 axes");
    says(&computed(&node("Slice", &["n"], "s"), &[]), "starts is left out but Slice needs it");
    let old = [ints("starts", &[1, 0]), ints("ends", &[3])];
    let old = computed_in(9, &node_with("Slice", &["n"], &["s"], &old), &[]);
    says(&old, "ends are 1 but there are 2 starts");
}

#[test]
fn axes_stand_once_and_are_there() {
    for (op, given, part) in [
        ("Squeeze", &[0, 0][..], "names axis 0 twice"),
        ("Squeeze", &[0, -1], "names axis 0 twice"),
        ("Squeeze", &[1], "the value has 1 axes"),
        ("Squeeze", &[0], "a squeezed axis has length 1"),
        ("Unsqueeze", &[0, 0], "names axis 0 twice"),
        ("Unsqueeze", &[2], "the value has 2 axes"),
        ("Unsqueeze", &[-3], "the value has 2 axes"),
        ("ReduceSum", &[0, 0], "names axis 0 twice"),
        ("ReduceSum", &[1], "the value has 1 axes"),
    ] {
        says(&computed(&node(op, &["n", "axes"], "s"), &[numbers("axes", given)]), part);
    }
    says(&computed(&node("Unsqueeze", &["n"], "s"), &[]), "axes is left out");
    let concat = node("Concat", &["n", "n"], "s");
    says(&computed(&concat, &[]), "axis is left out but Concat needs it");
    let concat = node_with("Concat", &["n", "n"], &["s"], &[int("axis", 1)]);
    says(&computed(&concat, &[]), "the value has 1 axes");
    let joined = node_with("Concat", &["x", "x"], &["y"], &[]);
    says(&model(&[joined], &[]), "axis is left out but Concat needs it");
    let cast = node("Cast", &["n"], "s");
    says(&computed(&cast, &[]), "to is left out but Cast needs it");
}

#[test]
fn numbers_of_another_type_are_refused() {
    let [half, whole] = [floats("f", &[2.5]), numbers("w", &[2])];
    for op in ["Add", "Mul", "Div", "Mod", "Min", "Equal"] {
        let mixed = computed(&node(op, &["n", "f"], "s"), std::slice::from_ref(&half));
        says(&mixed, "are [Int, Float] but all are of one type");
    }
    let concat = node_with("Concat", &["w", "f"], &["s"], &[int("axis", 0)]);
    says(&computed(&concat, &[half.clone(), whole.clone()]), "all are of one type");
    let choose = node("Where", &["w", "w", "f"], "s");
    says(&computed(&choose, &[half.clone(), whole.clone()]), "all are of one type");
    let range = node("Range", &["w", "f", "w"], "s");
    says(&computed(&range, &[half.clone(), whole.clone()]), "all are of one type");
    // Otherwise 2.5 would be 2.
    for op in ["Reshape", "Expand", "Gather", "Squeeze", "Unsqueeze", "ReduceSum"] {
        let shaped = computed(&node(op, &["n", "f"], "s"), std::slice::from_ref(&half));
        says(&shaped, "holds numbers of type Float but it holds whole numbers");
    }
    for op in ["Reshape", "Expand", "Tile", "Gather"] {
        let shaped = model(&[node(op, &["x", "f"], "y")], &[floats("f", &[2.5, 3.0])]);
        says(&shaped, "holds numbers of type Float but it holds whole numbers");
    }
    let long = floats("f", &vec![1.0; 4097]);
    says(&model(&[node("Tile", &["x", "f"], "y")], &[long]), "has shape [4097] but floats that");
    let bools = tensor("b", 9, &[2], &[1, 1]);
    says(&model(&[node("Reshape", &["x", "b"], "y")], &[bools]), "holds numbers of type Bool");
}

#[test]
fn a_division_by_0_has_no_whole_number() {
    let zero = numbers("z", &[0]);
    for op in ["Div", "Mod"] {
        let divided = computed(&node(op, &["n", "z"], "s"), std::slice::from_ref(&zero));
        says(&divided, "the result has none but it must be a whole number");
    }
}

#[test]
fn a_range_is_of_three_numbers_and_bounded() {
    let range = |start: &[i64], limit: &[i64], step: &[i64]| {
        let numbers = [numbers("a", start), numbers("b", limit), numbers("c", step)];
        computed(&node("Range", &["a", "b", "c"], "s"), &numbers)
    };
    outcome(&range(&[2], &[4], &[1])).unwrap();
    says(&range(&[2, 9], &[4], &[1]), "inputs have 2 but one number each");
    says(&range(&[2], &[4], &[]), "inputs have 0 but one number each");
    says(&range(&[0], &[1 << 62], &[1]), "a result of this size");
    says(&range(&[0], &[3], &[0]), "a result of this size");
}

#[test]
fn a_split_is_into_its_outputs() {
    let split = |set, attributes: &[Vec<u8>], inputs: &[&str]| {
        let split = node_with("Split", inputs, &["s", "t", "u"], attributes);
        let join = node_with("Concat", &["s", "t", "u"], &["v"], &[int("axis", 0)]);
        let made = numbers("n", &[1, 2, 3, 1]);
        let given = numbers("given", &[2, 1, 1]);
        let ends = node("Reshape", &["x", "s"], "y");
        model_over(&[1, 2], set, &[split, join, ends], &[made, given])
    };
    outcome(&split(13, &[], &["n", "given"])).unwrap();
    says(&split(13, &[], &["n"]), "asks for 3 equal parts");
    // 2, 2 and none: version 18 has the last part shorter.
    outcome(&split(18, &[int("num_outputs", 3)], &["n"])).unwrap();
    says(&split(18, &[int("num_outputs", 3)], &["n", "given"]), "beside num_outputs 3");
    says(&split(18, &[int("num_outputs", 2)], &["n"]), "asks for 2 outputs");
}

#[test]
fn what_an_operator_needs_is_not_made_up() {
    for (op, part) in [
        ("Reshape", "shape is left out but Reshape needs it"),
        ("Expand", "shape is left out"),
        ("Tile", "repeats is left out"),
        ("Slice", "starts is left out"),
        ("Pad", "pads is left out"),
        ("Unsqueeze", "axes is left out"),
    ] {
        says(&model(&[node(op, &["x"], "y")], &[]), part);
    }
    says(&model(&[node("ConstantOfShape", &[], "y")], &[]), "input 0 is left out");
}

#[test]
fn one_input_too_many_is_named() {
    for (op, inputs, most) in [
        ("Relu", &["x", "x"][..], 1),
        ("Add", &["x", "x", "x"], 2),
        ("Clip", &["x", "", "", "x"], 3),
        ("ReduceSum", &["x", "", "x"], 2),
        ("Conv", &["x", "x", "x", "x"], 3),
        ("Constant", &["x"], 0),
    ] {
        let part = format!("input \"x\" is one too many but {op} has at most {most} inputs");
        says(&model(&[node(op, inputs, "y")], &[]), &part);
    }
    // The same over known numbers, which are computed here.
    let sum = computed(&node("Add", &["n", "n", "n"], "s"), &[]);
    says(&sum, "is one too many but Add has at most 2 inputs");
    // One that is left out is none, and some take any number.
    outcome(&model(&[node("Relu", &["x", ""], "y")], &[])).unwrap();
    outcome(&model(&[node("Sum", &["x"; 9], "y")], &[])).unwrap();
    says(&model_over(&[2, 3], 10, &[node("Clip", &["x", "x"], "y")], &[]), "at most 1 inputs");
}

#[test]
fn a_filled_shape_is_filled_by_one_number() {
    let filled = |fill: &[f32]| {
        let value = tensor_attribute("value", &floats("", fill));
        let constant = node_with("ConstantOfShape", &["n"], &["c"], &[value]);
        model(&[constant, node("Mul", &["x", "c"], "y")], &[numbers("n", &[2, 3])])
    };
    outcome(&filled(&[0.5])).unwrap();
    says(&filled(&[]), "value has shape [0] but one number fills the shape");
    says(&filled(&[0.5, 1.0]), "value has shape [2]");
}

#[test]
fn the_axis_of_a_running_sum_is_one_constant_number() {
    let sum = |inputs: &[&str]| node("CumSum", inputs, "y");
    let axis = |values: &[i64]| model(&[sum(&["x", "a"])], &[numbers("a", values)]);
    outcome(&axis(&[-1])).unwrap();
    outcome(&model(&[sum(&["x", "a"])], &[tensor("a", 7, &[], &0i64.to_le_bytes())])).unwrap();
    says(&axis(&[2]), "axis is 2 but \"x\" has 2 axes");
    says(&axis(&[0, 1]), "input 1 holds 2 numbers but one number is needed");
    says(&axis(&[]), "input 1 holds 0 numbers");
    says(&model(&[sum(&["x", "a"])], &[floats("a", &[1.0])]), "input 1 holds numbers of type");
    says(&model(&[sum(&["x", "x"])], &[]), "input \"x\" is computed when the network runs");
    says(&model(&[sum(&["x"])], &[]), "input 1 is left out but CumSum needs it");
    says(&model(&[sum(&["x", "a", "a"])], &[numbers("a", &[0])]), "is one too many");
    let twice = node_with("CumSum", &["x", "a"], &["y"], &[int("reverse", 2)]);
    says(&model(&[twice], &[numbers("a", &[0])]), "reverse is 2 but 0 or 1 is");
}

#[test]
fn the_k_of_the_largest_elements_is_one_constant_number() {
    let find = |inputs: &[&str]| node_with("TopK", inputs, &["v", "y"], &[]);
    let k = |values: &[i64]| model(&[find(&["x", "k"])], &[numbers("k", values)]);
    outcome(&k(&[3])).unwrap();
    says(&k(&[4]), "k is 4 but axis 1 of \"x\" has 3 elements");
    says(&k(&[0]), "k is 0 but axis 1");
    says(&k(&[-1]), "k is -1 but it is 1 or more");
    says(&k(&[1, 1]), "input 1 holds 2 numbers but one number is needed");
    says(&model(&[find(&["x", "x"])], &[]), "input \"x\" is computed when the network runs");
    says(&model(&[find(&["x"])], &[]), "input 1 is left out but TopK needs it");
    // Until version 10 an attribute.
    let old = |k: i64| {
        let attributes = [int("k", k), int("axis", 0)];
        model_over(&[2, 3], 9, &[node_with("TopK", &["x"], &["y", "i"], &attributes)], &[])
    };
    outcome(&old(2)).unwrap();
    says(&old(3), "k is 3 but axis 0 of \"x\" has 2 elements");
    let any_order = [int("sorted", 0), int("largest", 0), int("axis", -2)];
    let any_order = node_with("TopK", &["x", "k"], &["y", ""], &any_order);
    outcome(&model(&[any_order], &[numbers("k", &[2])])).unwrap();
}
