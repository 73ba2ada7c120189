//! `longshore inspect`, as text and as JSON.

use serde_json::{Value, json};

use super::models::{self, case, model};
use super::support::{adapter, longshore};

const CONV: &str = "test_conv_with_strides_padding";

fn inspect_json(arguments: &[&str]) -> Value {
    let stdout = longshore(&[&["inspect", "--json"], arguments].concat()).succeeded().stdout;
    serde_json::from_str(&stdout).unwrap()
}

#[track_caller]
fn assert_lines(text: &str, expected: &[&str]) {
    for line in expected {
        assert!(text.lines().any(|found| found == *line), "no line {line:?} in:\n{text}");
    }
}

#[test]
fn the_text_has_model_passes_crossings_and_plan() {
    let weight = format!("W={}", case(CONV, "in.W.npy"));
    let file = case(CONV, "model.onnx");
    let stdout = longshore(&["inspect", &file, "--input", &weight]).succeeded().stdout;
    let model = format!("model      {file}, operator set 22");
    assert_lines(
        &stdout,
        &[
            &model,
            "input      x float32 [1, 1, 7, 5]",
            "input      W float32 [1, 1, 3, 3], its values needed at import",
            "output     y float32 [1, 1, 4, 3]",
            "operator   Conv 1",
            "pass       move_transposes did 2, left 0",
            "pass       fuse_epilogues did 0, left 0",
            "peak       48 bytes of values",
            "weights    36 bytes",
            "crossing   prepare: host to device of \"weights\", 36 bytes and 220 of padding",
            "crossing   read: device to host of \"y\", 48 bytes and 0 of padding",
            "  a run moves nothing; reading an output downloads it once",
        ],
    );
    assert!(stdout.contains("plan for batch 1: 1 steps"), "{stdout}");
    assert!(stdout.contains("by conv2d/general: input 0, weight 0 -> output 0"), "{stdout}");
}

#[test]
fn json_says_the_same() {
    let found = inspect_json(&[&model("layers"), "--input-shape", "x=4x3"]);
    assert_eq!(found["operator_set"], 13);
    let input = json!({
        "name": "x", "dtype": "float32", "dims": ["batch", 3], "needed_at_import": false,
        "has_default": false,
    });
    assert_eq!(found["inputs"], json!([input]));
    let inputs = &inspect_json(&[&model("corners"), "--dim", "n=2"])["inputs"];
    assert_eq!((&inputs[1]["name"], &inputs[1]["has_default"]), (&json!("scale"), &json!(true)));
    assert_eq!(found["outputs"], json!(["out/relu:0", "OUT/relu:0"]));
    assert_eq!(found["operators"], json!({"Add": 1, "MatMul": 1, "Neg": 1, "Relu": 1}));
    let plan = &found["plan"];
    let output = json!({"name": "out/relu:0", "shape": [4, 2], "place": "output 0"});
    assert_eq!(plan["outputs"][0], output);
    assert_eq!(plan["inputs"][0]["shape"], json!([4, 3]));
    assert_eq!(plan["weight_bytes"], 4 * (6 + 2));
    // A product with a constant is a dense layer, and the sum behind it is the layer's bias.
    let weights =
        json!([{"name": "kernel", "shape": [3, 2]}, {"name": "kernel, bias", "shape": [2]}]);
    assert_eq!(plan["weights"], weights);
    let bytes = |key: &str| -> u64 {
        plan[key].as_array().unwrap().iter().map(|bytes| bytes.as_u64().unwrap()).sum()
    };
    assert_eq!(plan["peak_bytes"], bytes("slot_bytes") + bytes("output_bytes"));
    let passes = plan["passes"]["passes"].as_array().unwrap();
    let names: Vec<&str> = passes.iter().map(|pass| pass["pass"].as_str().unwrap()).collect();
    assert_eq!(names, longshore::Passes::names());
    let crossings = &plan["expected_crossings"];
    assert_eq!(crossings["run"], json!([]));
    let weights = json!({
        "direction": "host_to_device", "label": "weights", "cause": "prepare",
        "payload_bytes": 32, "padding_bytes": 480,
    });
    assert_eq!(crossings["prepare"][0], weights);
    assert_eq!(crossings["read"].as_array().unwrap().len(), 2);
    assert_eq!(crossings["read"][1]["label"], "OUT/relu:0");

    let text = longshore(&["inspect", &model("layers"), "--dim", "batch=4"]).succeeded().stdout;
    for step in plan["steps"].as_array().unwrap() {
        let (node, kernel) = (step["node"].as_str().unwrap(), step["kernel"].as_str().unwrap());
        assert!(text.contains(&format!("{node} by {kernel}")), "{node} is not in:\n{text}");
        assert!(step["result_bytes"] == 32, "{step}");
    }
    let last = plan["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["epilogue"].as_array().unwrap().len(), 1, "{last}");
}

#[test]
fn a_length_binds_as_a_shape_does() {
    let by_length = inspect_json(&[&model("layers"), "--dim", "batch=5"]);
    let by_shape = inspect_json(&[&model("layers"), "--input-shape", "x=5x3"]);
    assert_eq!(by_length, by_shape);
    assert_eq!(by_shape["plan"]["outputs"][0]["shape"], json!([5, 2]));
}

#[test]
fn a_model_that_cannot_be_planned_is_described_all_the_same() {
    let file = model("foreign");
    let finished = longshore(&["inspect", &file]);
    let line = finished.failed();
    assert!(line.contains("1 node: example.com.Swirl (unknown)"), "{line}");
    let lines = ["input      x float32 [2]", "output     z", "operator   Swirl 1"];
    assert_lines(&finished.stdout, &lines);
    assert!(!finished.stdout.contains("plan"), "{}", finished.stdout);

    let finished = longshore(&["inspect", &file, "--json"]);
    finished.failed();
    let found: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(found["plan"], Value::Null);
    assert_eq!(found["operators"], json!({"Relu": 1, "Swirl": 1}));
}

#[test]
fn what_is_not_known_is_asked_for() {
    let refused = |arguments: &[&str], expected: &str| {
        let finished = longshore(&[&["inspect"], arguments].concat());
        let line = finished.failed();
        assert!(line.contains(expected), "{line}");
    };
    let (layers, conv) = (model("layers"), case(CONV, "model.onnx"));
    let unbound = "input \"x\" has shape [batch, 3] but every length must be known to plan";
    refused(&[&layers], unbound);
    let missing = "input \"W\" is missing, and the import needs the values of shapes, axes and a \
                   layer's weights; the model takes x float32 [1, 1, 7, 5], W float32 [1, 1, 3, 3]; \
                   give them with --input NAME=FILE.npy";
    refused(&[&conv], missing);
    let unknown = "there is no input \"q\"; the model takes x float32 [batch, 3]";
    refused(&[&layers, "--input-shape", "q=1"], unknown);
    let twice = "input \"x\" is given twice; the model takes x float32 [batch, 3]; give it once";
    refused(&[&layers, "--input-shape", "x=1x3", "--input-shape", "x=1x3"], twice);
    let x = models::array("inspect-x", &[1, 3], &[0.0; 3]);
    let input = format!("x={}", x.path());
    refused(&[&layers, "--input", &input, "--input-shape", "x=1x3"], twice);
    let rank = "input \"x\" has 3 dimensions but the model declares [batch, 3]";
    refused(&[&layers, "--input-shape", "x=1x3x1"], rank);
}

/// A value of 160 MiB: more than every WebGPU device can bind, and nothing for the host.
#[test]
fn a_plan_keeps_to_the_adapters_limits() {
    let wide = ["--input-shape", "x=20971520x3"];
    let model = model("layers");
    let refused = longshore(&[&["inspect", &model], &wide[..]].concat());
    assert!(refused.failed().contains("max_storage_buffer_binding_size"), "{}", refused.stderr);
    assert!(!refused.stdout.contains("limits"), "{}", refused.stdout);
    let host = [&[&*model], &wide[..], &["--adapter", "host"]].concat();
    let found = inspect_json(&host);
    let limits = &found["plan"]["limits"];
    assert!(limits["adapter"].as_str().unwrap().starts_with("host"), "{limits}");
    assert!(limits["max_storage_buffer_binding_size"].as_u64().unwrap() > 1 << 28, "{limits}");
    let stdout = longshore(&[&["inspect"], &host[..]].concat()).succeeded().stdout;
    let line = format!("limits     those of {}", limits["adapter"].as_str().unwrap());
    assert_lines(&stdout, &[&line]);

    let small = [&*model, "--dim", "batch=4"];
    assert_eq!(inspect_json(&small)["plan"]["limits"]["adapter"], Value::Null);
    let name = adapter();
    let found = inspect_json(&[&small[..], &["--adapter", &name]].concat());
    assert_eq!(found["plan"]["limits"]["adapter"], Value::from(name));
    let nobody = longshore(&[&["inspect"], &small[..], &["--adapter", "no such adapter"]].concat());
    assert!(nobody.failed().contains("no such adapter"), "{}", nobody.stderr);
    assert!(nobody.stdout.contains("operator   MatMul 1"), "{}", nobody.stdout);
}

#[test]
fn a_shape_that_is_none_is_wrong_usage() {
    let finished = longshore(&["inspect", &model("layers"), "--input-shape", "x=1,3"]);
    assert_eq!(finished.status, Some(2));
    assert!(finished.stderr.contains("\"1,3\" is no length for \"x\""), "{}", finished.stderr);
}
