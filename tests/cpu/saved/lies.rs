//! Nodes that no layer makes: each is refused by the rule of its layer, with the node's name.

use longshore::Saved;

use super::refusal;

/// A description of nodes and outputs over inputs `x` of (batch, 4, 5, 6) and `z` of (3, 4), with
/// one more node whose members are given.
pub(super) fn with_node(members: &str) -> Saved {
    let description = format!(
        "{{\"format\": \"longshore graph\", \"version\": 1, \"weights\": null, \"arrays\": [], \
         \"nodes\": [\
         {{\"node\": 0, \"name\": \"x\", \"op\": \"input\", \"shape\": [\"batch\", 4, 5, 6]}},\
         {{\"node\": 1, \"name\": \"z\", \"op\": \"input\", \"shape\": [3, 4]}},\
         {{\"node\": 2, \"name\": \"lie\", {members}}}\
         ], \"outputs\": [{{\"name\": \"y\", \"node\": 2}}]}}"
    );
    Saved { description, weights: Vec::new() }
}

/// A node over `x`.
pub(super) fn over_x(op: &str, shape: &str) -> Saved {
    with_node(&format!("\"op\": {op}, \"operands\": [0], \"shape\": {shape}"))
}

#[track_caller]
pub(super) fn assert_lie(saved: &Saved, expected: &str) {
    let text = refusal(saved);
    let start = "graph.json: node 2 \"lie\": ";
    assert!(text.starts_with(start) && text.contains(expected), "{expected}\n{text}");
}

pub(super) const X: &str = "[\"batch\", 4, 5, 6]";

#[test]
fn the_nodes_that_lies_are_made_of_are_true() {
    let truths = [
        ("{\"softmax\": {\"axis\": 3}}", X),
        ("{\"transpose\": {\"perm\": [0, 2, 1, 3]}}", "[\"batch\", 5, 4, 6]"),
        (
            "{\"slice\": {\"starts\": [0, 3, 0, 0], \"steps\": [1, -3, 1, 1]}}",
            "[\"batch\", 2, 5, 6]",
        ),
        ("{\"gather\": {\"axis\": 1, \"indices\": [3, 0]}}", "[\"batch\", 2, 5, 6]"),
        ("{\"tile\": {\"repeats\": [1, 2, 1, 1]}}", "[\"batch\", 8, 5, 6]"),
        ("\"reshape\"", "[\"batch\", 120]"),
        (
            "{\"pad\": {\"pads\": [[0, 0], [1, 0], [0, 0], [0, -2]], \"mode\": \"wrap\"}}",
            "[\"batch\", 5, 5, 4]",
        ),
        (
            "{\"reduce\": {\"operation\": {\"value\": \"sum\"}, \"reduced\": [true, false, false, true]}}",
            "[4, 5]",
        ),
        ("{\"space_to_depth\": {\"block_size\": 1, \"mode\": \"crd\"}}", X),
    ];
    for (op, shape) in truths {
        if let Err(error) = over_x(op, shape).graph() {
            panic!("{op}: {error}");
        }
    }
}

#[test]
fn shapes_are_computed_not_believed() {
    let saved = over_x("{\"softmax\": {\"axis\": 3}}", "[\"batch\", 4, 5, 7]");
    assert_eq!(
        refusal(&saved),
        "graph.json: node 2 \"lie\": softmax \"lie\": shape is [batch, 4, 5, 7] but its operands \
         give [batch, 4, 5, 6]\n  (Softmax(Softmax { axis: 3 }), [batch, 4, 5, 7]); save the graph again"
    );
    let ops = [
        "{\"activation\": \"relu\"}",
        "{\"transpose\": {\"perm\": [0, 1, 3, 2]}}",
        "{\"lrn\": {\"axis\": 3, \"size\": 1, \"alpha\": 1, \"beta\": 1, \"bias\": 1}}",
        "{\"cumsum\": {\"axis\": 3, \"exclusive\": false, \"reverse\": true}}",
        "{\"depth_to_space\": {\"block_size\": 1, \"mode\": \"dcr\"}}",
    ];
    for op in ops {
        assert_lie(&over_x(op, "[\"batch\", 4, 5, 7]"), "shape is [batch, 4, 5, 7] but");
        assert_lie(&over_x(op, "[8, 4, 5, 6]"), "shape is [8, 4, 5, 6] but");
        assert_lie(&over_x(op, "[]"), "shape is [] but");
    }
    assert_lie(&over_x("\"reshape\"", "[\"batch\", 121]"), "shape is [batch, 121] but");
    assert_lie(&over_x("\"reshape\"", "[120, \"batch\"]"), "is [120, batch]");
    assert_lie(&over_x("\"reshape\"", "[120]"), "shape is [120] but");
    assert_lie(&over_x("\"reshape\"", "[4, 5, 6]"), "shape is [4, 5, 6] but");
    assert_lie(&over_x("\"reshape\"", "[\"batch\", \"batch\"]"), "shape is [batch, batch] but");
    let twice = "[\"batch\", \"batch\", 120]";
    assert_lie(&over_x("\"reshape\"", twice), "shape is [batch, batch, 120] but");
    assert_lie(&over_x("\"expand\"", "[\"batch\", 4, 5, 12]"), "must broadcast");
    let z = |op: &str, shape: &str| {
        with_node(&format!("\"op\": {op}, \"operands\": [1], \"shape\": {shape}"))
    };
    assert_lie(&z("\"reshape\"", "[\"batch\", 4]"), "is [batch, 4]");
    assert_lie(&z("\"reshape\"", "[13]"), "is [13]");
    assert!(z("\"reshape\"", "[2, 6]").graph().is_ok());
}

#[test]
fn options_are_those_that_layers_take() {
    let lies = [
        ("{\"softmax\": {\"axis\": 4}}", X, "axis is 4 but \"x\" has 4 axes"),
        ("{\"hardmax\": {\"axis\": 9223372036854775807}}", X, "\"x\" has 4 axes"),
        ("{\"transpose\": {\"perm\": [0, 1, 1, 3]}}", X, "perm is [0, 1, 1, 3]"),
        ("{\"transpose\": {\"perm\": [1, 0, 2, 3]}}", X, "it stays the first axis"),
        ("{\"gather\": {\"axis\": 1, \"indices\": [4]}}", "[\"batch\", 1, 5, 6]", "indices hold 4"),
        (
            "{\"gather\": {\"axis\": 0, \"indices\": [0]}}",
            "[1, 4, 5, 6]",
            "it cannot be picked from",
        ),
        (
            "{\"gather\": {\"axis\": 1, \"indices\": [1, 1]}}",
            "[\"batch\", 3, 5, 6]",
            "indices are 2 for",
        ),
        ("{\"gather\": {\"axis\": 1, \"indices\": []}}", X, "indices are 0 for"),
        ("{\"gather\": {\"axis\": 7, \"indices\": [1]}}", X, "axis is 7 but \"x\" has 4 axes"),
        ("{\"gather\": {\"axis\": 1, \"indices\": [1]}}", "[]", "indices are 1 for"),
    ];
    for (op, shape, expected) in lies {
        assert_lie(&over_x(op, shape), expected);
    }
}

#[test]
fn parts_are_those_that_layers_take() {
    let lies = [
        (
            "{\"slice\": {\"starts\": [0, 0, 0, 0], \"steps\": [1, 0, 1, 1]}}",
            X,
            "steps is 0 for axis 1",
        ),
        (
            "{\"slice\": {\"starts\": [0, 2, 0, 0], \"steps\": [1, 1, 1, 1]}}",
            "[\"batch\", 3, 5, 6]",
            "shape is [batch, 3",
        ),
        (
            "{\"slice\": {\"starts\": [0, 0, 0, 0], \"steps\": [1, -1, 1, 1]}}",
            "[\"batch\", 2, 5, 6]",
            "shape is [batch, 2",
        ),
        (
            "{\"slice\": {\"starts\": [0, 9, 0, 0], \"steps\": [1, 1, 1, 1]}}",
            "[\"batch\", 0, 5, 6]",
            "op is slice but",
        ),
        (
            "{\"slice\": {\"starts\": [0, 0, 0, 0], \"steps\": [1, 1, 1, 1]}}",
            X,
            "op is slice but its layer makes reshape",
        ),
        (
            "{\"slice\": {\"starts\": [0, 0], \"steps\": [1, 1]}}",
            X,
            "starts are 2 but \"x\" has 4 axes",
        ),
        (
            "{\"slice\": {\"starts\": [1, 0, 0, 0], \"steps\": [1, 1, 1, 1]}}",
            X,
            "only be taken whole",
        ),
        (
            "{\"slice\": {\"starts\": [0, 9223372036854775807, 0, 0], \"steps\": [1, 9223372036854775807, 1, 1]}}",
            "[\"batch\", 2, 5, 6]",
            "shape is [batch, 2",
        ),
        ("{\"tile\": {\"repeats\": [2, 1, 1, 1]}}", X, "it cannot be repeated"),
        ("{\"tile\": {\"repeats\": [1, 1, 1, 1]}}", X, "op is tile but its layer makes reshape"),
        (
            "{\"tile\": {\"repeats\": [1, 4611686018427387904, 1, 1]}}",
            X,
            "more than a machine word",
        ),
        (
            "{\"pad\": {\"pads\": [[0, 0], [-3, -2], [0, 0], [0, 0]], \"mode\": \"edge\"}}",
            X,
            "take away",
        ),
        (
            "{\"pad\": {\"pads\": [[0, 0]], \"mode\": \"edge\"}}",
            X,
            "pads are 1 but \"x\" has 4 axes",
        ),
    ];
    for (op, shape, expected) in lies {
        assert_lie(&over_x(op, shape), expected);
    }
}

#[test]
fn options_of_functions_are_those_that_layers_take() {
    let lies = [
        ("{\"depth_to_space\": {\"block_size\": 0, \"mode\": \"dcr\"}}", X, "block_size is 0"),
        ("{\"space_to_depth\": {\"block_size\": 3, \"mode\": \"dcr\"}}", X, "block_size is 3"),
        (
            "{\"lrn\": {\"axis\": 0, \"size\": 1, \"alpha\": 1, \"beta\": 1, \"bias\": 1}}",
            X,
            "is the batch",
        ),
        (
            "{\"lrn\": {\"axis\": 3, \"size\": 0, \"alpha\": 1, \"beta\": 1, \"bias\": 1}}",
            X,
            "size is 0",
        ),
        (
            "{\"lrn\": {\"axis\": 3, \"size\": 1, \"alpha\": -1, \"beta\": 1, \"bias\": 1}}",
            X,
            "alpha is -1",
        ),
        (
            "{\"reduce\": {\"operation\": {\"value\": \"sum\"}, \"reduced\": [true]}}",
            X,
            "reduced are 1 for 4 axes",
        ),
        (
            "{\"reduce\": {\"operation\": {\"position\": {\"largest\": true, \"last\": false}}, \
             \"reduced\": [false, true, true, false]}}",
            "[\"batch\", 1, 1, 6]",
            "axis is not one",
        ),
        (
            "{\"cumsum\": {\"axis\": 4, \"exclusive\": false, \"reverse\": false}}",
            X,
            "axis is 4 but \"x\" has 4 axes",
        ),
        (
            "{\"top_k\": {\"axis\": 4, \"k\": 1, \"largest\": true, \"part\": \"values\"}}",
            X,
            "axis is 4 but \"x\" has 4 axes",
        ),
        (
            "{\"top_k\": {\"axis\": 0, \"k\": 1, \"largest\": true, \"part\": \"values\"}}",
            "[1, 4, 5, 6]",
            "has the batch on axis 0",
        ),
        (
            "{\"top_k\": {\"axis\": 1, \"k\": 5, \"largest\": true, \"part\": \"indices\"}}",
            "[\"batch\", 5, 5, 6]",
            "k is 5 but axis 1 of \"x\" has 4 elements",
        ),
        (
            "{\"top_k\": {\"axis\": 1, \"k\": 2, \"largest\": true, \"part\": \"values\"}}",
            "[\"batch\", 3, 5, 6]",
            "shape is [batch, 3, 5, 6] but",
        ),
        ("{\"activation\": \"softmax\"}", X, "unknown variant `softmax`"),
        ("{\"activation\": {\"celu\": 0}}", X, "celu with alpha 0"),
        (
            "{\"activation\": {\"clip\": {\"min\": 0, \"max\": \"nan 0x7fc00000\"}}}",
            X,
            "clip to between",
        ),
        ("{\"concat\": {\"axis\": 1}}", X, "values are only \"x\" but one value is itself"),
        ("\"dense\"", X, "weights are 0 but such a node has 2"),
        ("\"constant\"", X, "operands are 1 but such a node has 0"),
        ("\"input\"", X, "operands are 1 but such a node has 0"),
        ("{\"binary\": \"add\"}", X, "operands are 1 but such a node has 2"),
        ("\"where\"", X, "operands are 1 but such a node has 3"),
    ];
    for (op, shape, expected) in lies {
        assert_lie(&over_x(op, shape), expected);
    }
}

#[test]
fn lengths_are_bounded() {
    for length in ["9223372036854775808", "18446744073709551615"] {
        let saved = over_x(&format!("{{\"softmax\": {{\"axis\": {length}}}}}"), X);
        assert_lie(&saved, &format!("{length} is longer than any array can be"));
        let text = refusal(&over_x("\"reshape\"", &format!("[\"batch\", {length}]")));
        assert!(text.contains("expected a length up to 9223372036854775807"), "{text}");
    }
    for wrong in ["-1", "1.0", "1e3", "\"4\"", "null", "\"Batch\"", "18446744073709551616"] {
        let text = refusal(&over_x("\"reshape\"", &format!("[\"batch\", {wrong}]")));
        assert!(text.starts_with("graph.json: node 2 cannot be read (invalid"), "{wrong}: {text}");
    }
    // Within the bound, and more than can be counted.
    let huge = "[\"batch\", 4611686018427387904, 4, 5, 6]";
    assert_lie(&over_x("\"expand\"", huge), "it must broadcast");
    let large = with_node(&format!("\"op\": \"input\", \"shape\": {huge}"));
    assert_lie(&large, "needs more than 2^64 bytes");
    let second = with_node("\"op\": \"input\", \"shape\": [3, \"batch\"]");
    assert_lie(&second, "only the first dimension may be the batch");
}
