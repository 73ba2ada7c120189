//! What other runtimes take and ONNX's text does not ask for, where nothing has to be guessed.

use longshore::import::onnx::{ImportOptions, Imported, OnnxDim, OnnxModel};
use longshore::{HostArray, Runtime};
use ndarray::ArrayD;

use super::{field, floats, int, node, node_with, number, numbers, port, tensor, text};

/// A length as a file writes it.
#[derive(Clone, Copy)]
enum Length {
    Number(i64),
    Name(&'static str),
    Nothing,
}

use Length::{Name, Nothing, Number};

/// An input of f32.
fn input(name: &str, lengths: &[Length]) -> Vec<u8> {
    let dims = lengths.iter().flat_map(|length| match length {
        Number(length) => field(1, &number(1, *length as u64)),
        Name(name) => field(1, &field(2, name.as_bytes())),
        Nothing => field(1, &[]),
    });
    let dims: Vec<u8> = dims.collect();
    let tensor = [number(1, 1), field(2, &dims)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn array(values: [f32; 3]) -> ArrayD<f32> {
    ndarray::arr1(&values).into_dyn()
}

/// A model of a version of the format, with any inputs and outputs.
fn file(
    ir: u64,
    nodes: &[Vec<u8>],
    initializers: &[Vec<u8>],
    inputs: &[Vec<u8>],
    outputs: &[&str],
) -> OnnxModel {
    OnnxModel::from_bytes("m.onnx", &bytes(ir, nodes, initializers, inputs, outputs)).unwrap()
}

fn bytes(
    ir: u64,
    nodes: &[Vec<u8>],
    initializers: &[Vec<u8>],
    inputs: &[Vec<u8>],
    outputs: &[&str],
) -> Vec<u8> {
    let list = |number: u8, parts: &[Vec<u8>]| -> Vec<u8> {
        parts.iter().flat_map(|part| field(number, part)).collect()
    };
    let outputs: Vec<Vec<u8>> = outputs.iter().map(|name| port(name, &[])).collect();
    let graph = [list(1, nodes), list(5, initializers), list(11, inputs), list(12, &outputs)];
    [number(1, ir), field(7, &graph.concat()), field(8, &number(2, 13))].concat()
}

#[track_caller]
fn import(model: &OnnxModel, options: ImportOptions) -> Imported {
    model.import(options).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refused(model: &OnnxModel, options: ImportOptions, part: &str) {
    let error = model.import(options).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

/// Runs an import on the host, each input of which is a vector of three.
fn run(imported: &Imported, inputs: &[(&str, [f32; 3])]) -> Vec<ArrayD<f32>> {
    let rt = Runtime::host();
    let session = rt.session(&imported.graph, 1).unwrap();
    let staged: Vec<_> = inputs
        .iter()
        .map(|&(name, values)| (name, rt.stage(name, &HostArray::from(array(values))).unwrap()))
        .collect();
    let run = session.run(staged.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
    imported.outputs.iter().map(|name| run[name.as_str()].read().unwrap()).collect()
}

#[test]
fn nodes_in_any_order_are_one_graph() {
    let nodes =
        [node("Relu", &["x"], "a"), node("Neg", &["a"], "b"), node("Add", &["a", "b"], "y")];
    let text = |order: [usize; 3]| {
        let nodes = order.map(|number| nodes[number].clone());
        let model = file(8, &nodes, &[], &[input("x", &[Number(3)])], &["y"]);
        import(&model, ImportOptions::new()).graph.to_string()
    };
    let sorted = text([0, 1, 2]);
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(text(order), sorted, "{order:?}");
    }
}

#[test]
fn nodes_in_order_stay_as_they_are() {
    // The second needs nothing of the first, and is not moved before it.
    let nodes =
        [node("Relu", &["x"], "a"), node("Neg", &["x"], "b"), node("Add", &["b", "a"], "y")];
    let model = file(8, &nodes, &[], &[input("x", &[Number(3)])], &["y"]);
    let graph = import(&model, ImportOptions::new()).graph;
    let names: Vec<&str> = graph.nodes().iter().map(longshore::graph::Node::name).collect();
    assert_eq!(names, ["x", "a", "b", "y"]);
    // What shapes the network is found through nodes that stand behind it.
    let shape = node("Identity", &["s"], "t");
    let reshape = node("Reshape", &["x", "t"], "y");
    let ports = [input("x", &[Number(3)]), input("s", &[Number(1)])];
    let model = file(8, &[reshape, shape], &[], &ports, &["y"]);
    assert!(model.constant_inputs().contains("s"));
}

#[test]
fn a_cycle_is_named() {
    let cycle = |nodes: &[Vec<u8>]| {
        let bytes = bytes(8, nodes, &[], &[input("x", &[Number(3)])], &["y"]);
        OnnxModel::from_bytes("m.onnx", &bytes).unwrap_err().to_string()
    };
    let two = [node("Relu", &["x"], "y"), node("Add", &["b", "x"], "a"), node("Relu", &["a"], "b")];
    assert_eq!(
        cycle(&two),
        "m.onnx: the graph has a cycle of nodes: a, b but no node takes what is computed of its own \
         result; export the model again"
    );
    assert!(cycle(&[node("Relu", &["y"], "y")]).contains("a cycle of nodes: y but"));
    // An input of the name is made twice, which is another fault.
    let model = file(8, &[node("Relu", &["x"], "x")], &[], &[input("x", &[Number(3)])], &["x"]);
    refused(&model, ImportOptions::new(), "is made twice");
}

#[test]
fn lengths_are_open_however_that_is_written() {
    let relu = [node("Relu", &["x"], "y")];
    for open in [Number(-1), Name("?"), Name(""), Nothing] {
        let model = file(8, &relu, &[], &[input("x", &[open, Number(3), open])], &["y"]);
        let dims = model.inputs().unwrap().remove(0).dims.unwrap();
        assert_eq!(dims, [OnnxDim::Open, OnnxDim::Fixed(3), OnnxDim::Open]);
        // Each is a length of its own.
        let options = ImportOptions::new().shape("x", &[2, 3, 5]);
        assert_eq!(import(&model, options).inputs[0].1, [2, 3, 5]);
        refused(&model, ImportOptions::new(), "has shape [?, 3, ?] but every length must be known");
        refused(&model, ImportOptions::new().dim("?", 2), "no input has a dimension named \"?\"");
    }
    let fixed = file(8, &relu, &[], &[input("x", &[Number(0), Number(3)])], &["y"]);
    assert_eq!(import(&fixed, ImportOptions::new()).inputs[0].1, [0, 3]);
    let negative = file(8, &relu, &[], &[input("x", &[Number(-2)])], &["y"]);
    assert!(negative.inputs().unwrap_err().to_string().contains("has shape [-2]"));
}

#[test]
fn given_shapes_win_over_a_name_that_is_used_for_several_lengths() {
    let join = [node_with("Concat", &["x", "w"], &["y"], &[int("axis", 1)])];
    let ports = [input("x", &[Name("N"), Name("N")]), input("w", &[Name("N"), Number(2)])];
    let model = file(8, &join, &[], &ports, &["y"]);
    let both = ImportOptions::new().shape("x", &[4, 8]).shape("w", &[4, 2]);
    assert_eq!(import(&model, both).graph.plan(1).unwrap().outputs()[0].shape, [4, 10]);
    // A length for what is not given is not chosen among two.
    let one = ImportOptions::new().shape("x", &[4, 8]);
    refused(&model, one.clone(), "input \"w\" has shape [N, 2] but every length must be known");
    refused(&model, one, "bound so far: N = 4 and 8");
    let one = ImportOptions::new().shape("x", &[4, 4]);
    assert_eq!(import(&model, one).inputs[1].1, [4, 2]);
    // What is bound by name holds everywhere.
    let all = ImportOptions::new().dim("N", 3);
    assert_eq!(
        import(&model, all.clone()).inputs,
        [("x".into(), vec![3, 3]), ("w".into(), vec![3, 2])]
    );
    refused(&model, all.shape("x", &[3, 8]), "has N = 8, which is 3 too");
}

#[test]
fn an_initializer_among_the_inputs_is_a_default() {
    let product = [node("Mul", &["x", "w"], "y")];
    let ports = [input("x", &[Number(3)]), input("w", &[Number(3)])];
    let default = [floats("w", &[2.0, 3.0, 4.0])];
    let model = file(4, &product, &default, &ports, &["y"]);
    let names = |ports: Vec<longshore::import::onnx::OnnxPort>| -> Vec<String> {
        ports.into_iter().map(|port| port.name).collect()
    };
    assert_eq!(names(model.inputs().unwrap()), ["x"]);
    assert_eq!(names(model.optional_inputs().unwrap()), ["w"]);
    let (x, w) = (("x", [1.0, 10.0, 100.0]), ("w", [5.0, 6.0, 7.0]));
    let imported = import(&model, ImportOptions::new());
    assert_eq!(imported.inputs.len(), 1);
    assert_eq!(run(&imported, &[x])[0], array([2.0, 30.0, 400.0]));
    // Each run brings it, by its shape or as it is.
    for options in [ImportOptions::new().open("w"), ImportOptions::new().shape("w", &[3])] {
        let imported = import(&model, options);
        assert_eq!(imported.inputs[1], ("w".to_owned(), vec![3]));
        assert_eq!(run(&imported, &[x, w])[0], array([5.0, 60.0, 700.0]));
    }
    let value = HostArray::from(array([5.0, 6.0, 7.0]));
    let imported = import(&model, ImportOptions::new().value("w", value));
    assert_eq!(imported.inputs.len(), 1);
    assert_eq!(run(&imported, &[x])[0], array([5.0, 60.0, 700.0]));
    refused(&model, ImportOptions::new().shape("w", &[4]), "has shape [4] but the model declares");
    refused(&model, ImportOptions::new().open("v"), "there is no open input named \"v\"");
    // Files of version 3 list all of them.
    let old = file(3, &product, &default, &ports, &["y"]);
    assert!(old.optional_inputs().unwrap().is_empty());
    assert_eq!(import(&old, ImportOptions::new()).inputs.len(), 1);
    refused(&old, ImportOptions::new().open("w"), "there is no open input named \"w\"");
}

#[test]
fn defaults_that_shape_the_network_take_another_value() {
    let reshape = [node("Reshape", &["x", "s"], "y")];
    let shape = [numbers("s", &[3, 1])];
    let kind = [number(1, 7), field(2, &field(1, &number(1, 2)))].concat();
    let ports = [input("x", &[Number(3)]), [field(1, b"s"), field(2, &field(1, &kind))].concat()];
    let model = file(8, &reshape, &shape, &ports, &["y"]);
    assert!(model.constant_inputs().contains("s"));
    let shape_of = |options: ImportOptions| {
        import(&model, options).graph.plan(1).unwrap().outputs()[0].shape.clone()
    };
    assert_eq!(shape_of(ImportOptions::new()), [3, 1]);
    let other = HostArray::from(ndarray::arr1(&[1_i64, 3]));
    assert_eq!(shape_of(ImportOptions::new().value("s", other)), [1, 3]);
}

#[test]
fn an_output_that_is_listed_twice_is_one() {
    let relu = [node("Relu", &["x"], "y")];
    let model = file(8, &relu, &[], &[input("x", &[Number(3)])], &["y", "x", "y"]);
    assert_eq!(model.outputs(), ["y", "x"]);
    let imported = import(&model, ImportOptions::new().keep("y"));
    assert_eq!(imported.outputs, ["y", "x"]);
    let results = run(&imported, &[("x", [-1.0, 0.0, 2.0])]);
    assert_eq!(results[0], array([0.0, 0.0, 2.0]));
}

#[test]
fn an_input_and_an_array_of_the_file_are_kept() {
    let add = [node("Add", &["x", "w"], "y")];
    let weights = [floats("w", &[1.0, 2.0, 3.0])];
    let model = file(8, &add, &weights, &[input("x", &[Number(3)])], &["y"]);
    let imported = import(&model, ImportOptions::new().keep("w").keep("x").keep("x"));
    assert_eq!(imported.outputs, ["y", "w", "x"]);
    let results = run(&imported, &[("x", [-1.0, 0.0, 2.0])]);
    assert_eq!(results[1], array([1.0, 2.0, 3.0]));
    assert_eq!(results[2], array([-1.0, 0.0, 2.0]));
    let unknown = ImportOptions::new().keep("v");
    refused(&model, unknown, "keep: there is no node or value named \"v\"; known: w, x, y; use");
}

#[test]
fn the_open_end_of_a_clip_is_infinite_and_no_end_is_nan() {
    let clip = [node("Clip", &["x", "lowest", "highest"], "y")];
    let bounds = |lowest: f32, highest: f32| {
        let scalar = |name: &str, value: f32| tensor(name, 1, &[], &value.to_le_bytes());
        let bounds = [scalar("lowest", lowest), scalar("highest", highest)];
        file(8, &clip, &bounds, &[input("x", &[Number(3)])], &["y"])
    };
    let x = [("x", [-2.0, 0.0, 9.0])];
    let found = |model: &OnnxModel| run(&import(model, ImportOptions::new()), &x).remove(0);
    assert_eq!(found(&bounds(-1.0, f32::INFINITY)), array([-1.0, 0.0, 9.0]));
    assert_eq!(found(&bounds(f32::NEG_INFINITY, 4.0)), array([-2.0, 0.0, 4.0]));
    // Crossed, the maximum counts.
    assert_eq!(found(&bounds(5.0, 4.0)), array([4.0, 4.0, 4.0]));
    for (lowest, highest) in [(f32::NAN, 4.0), (4.0, f32::NAN)] {
        refused(&bounds(lowest, highest), ImportOptions::new(), "NaN");
    }
}

#[test]
fn ceil_mode_stands_beside_auto_pad() {
    let image = [Number(1), Number(1), Number(8), Number(7)];
    for (op, pad, expected) in [
        ("MaxPool", "SAME_UPPER", [1, 1, 4, 4]),
        ("AveragePool", "SAME_LOWER", [1, 1, 4, 4]),
        ("LpPool", "VALID", [1, 1, 4, 3]),
        ("MaxPool", "VALID", [1, 1, 4, 3]),
    ] {
        let sizes = [super::ints("kernel_shape", &[3, 3]), super::ints("strides", &[2, 2])];
        let modes = [text("auto_pad", pad), int("ceil_mode", 1)];
        let pool = node_with(op, &["x"], &["y"], &[&sizes[..], &modes[..]].concat());
        let model = file(8, &[pool], &[], &[input("x", &image)], &["y"]);
        let plan = import(&model, ImportOptions::new()).graph.plan(1).unwrap();
        assert_eq!(plan.outputs()[0].shape, expected, "{op} {pad}");
    }
}
