//! Lengths by scales: those of an f32 product, or what a model declares one beside them.

use longshore::import::onnx::{ImportOptions, OnnxModel};

use super::{field, floats, node_with, number, outcome, port};

/// A model of a resampling of `x` (1, 1, 7, 2) by 13 / 7 along its third axis, and what it declares for the
/// result: as an output, or inside.
fn model(op: &str, set: u64, declared: Option<&[u64]>, is_inside: bool) -> Vec<u8> {
    let scales = floats("s", &[1.0, 1.0, 13.0 / 7.0, 1.0]);
    let inputs: &[&str] = if op == "Resize" && set > 10 { &["x", "", "s"] } else { &["x", "s"] };
    let resized = node_with(op, inputs, &["r"], &[]);
    let nodes = [field(1, &resized), field(1, &node_with("Relu", &["r"], &["y"], &[]))].concat();
    let info = declared.map(|dims| port("r", dims)).unwrap_or_default();
    let info = match (declared, is_inside) {
        (None, _) => Vec::new(),
        (_, true) => field(13, &info),
        (_, false) => field(12, &info),
    };
    let ports = [field(11, &port("x", &[1, 1, 7, 2])), field(12, &port("y", &[1, 1, 13, 2]))];
    let graph = [nodes, field(5, &scales), ports.concat(), info].concat();
    [number(1, 8), field(7, &graph), field(8, &number(2, set))].concat()
}

fn height(bytes: &[u8]) -> usize {
    let model = OnnxModel::from_bytes("m.onnx", bytes).unwrap();
    let graph = model.import(ImportOptions::new()).unwrap().graph;
    graph.shape(graph.symbol("y").unwrap()).unwrap().resolve(1)[2]
}

#[test]
fn a_product_of_length_and_scale_is_rounded_to_f32() {
    for (op, set) in [("Resize", 10), ("Upsample", 9), ("Resize", 13), ("Resize", 18)] {
        assert_eq!(height(&model(op, set, None, true)), 13, "{op}-{set}");
    }
}

#[test]
fn a_declared_length_next_to_the_product_is_taken() {
    for (length, made) in [(12, 12), (13, 13), (14, 14), (0, 13), (u64::MAX, 13)] {
        for is_inside in [false, true] {
            let declared = model("Resize", 18, Some(&[1, 1, length, 2]), is_inside);
            assert_eq!(height(&declared), made, "{length}");
        }
    }
    assert_eq!(height(&model("Upsample", 9, Some(&[1, 1, 12, 2]), true)), 12);
    // No lengths of this value, and an axis whose scale is 1.
    assert_eq!(height(&model("Resize", 18, Some(&[1, 1, 20]), true)), 13);
    assert_eq!(height(&model("Resize", 18, Some(&[4, 1, 13, 2]), true)), 13);
}

#[test]
fn another_declared_length_is_refused() {
    for length in [11, 15, 1 << 40] {
        let text = format!(
            "m.onnx: Resize \"r\": resize \"resize\": scales make 13 of the 7 elements of axis 2 but \
             {length} are declared\n  (x [1, 1, 7, 2], scales [1.0, 1.0, 1.8571428, 1.0]); bind the \
             lengths that the model was made for, or correct what it declares"
        );
        let declared = model("Resize", 18, Some(&[1, 1, length, 2]), true);
        assert_eq!(outcome(&declared), Err(text));
    }
}
