//! What is refused as a whole: the exact text of each refusal.

use longshore::{Graph, Runtime, Saved};

use super::{changed, counted, network, prepared, refusal};

fn saved() -> Saved {
    Saved::new(&network()).unwrap()
}

/// A change of the description, and the whole message.
#[track_caller]
fn assert_refused(from: &str, to: &str, expected: &str) {
    assert_eq!(refusal(&changed(&saved(), from, to)), format!("graph.json: {expected}"));
}

#[test]
fn other_formats_and_versions_are_named() {
    assert_refused(
        "\"longshore graph\"",
        "\"onnx\"",
        "format is \"onnx\" but it is \"longshore graph\"; save the graph again",
    );
    assert_refused(
        "\"version\": 1",
        "\"version\": 2",
        "version is 2 but version 1 is read; use the version of longshore that wrote it",
    );
    // A later version may have members that this one does not know: its number is said first.
    assert_refused(
        "\"version\": 1,",
        "\"version\": 7, \"device\": {},",
        "version is 7 but version 1 is read; use the version of longshore that wrote it",
    );
    let is_json = "it is the JSON of a longshore graph of version 1; save the graph again";
    for (text, got) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "invalid length 0, expected struct Head with 2 elements at line 1 column 2"),
        ("{}", "missing field `format` at line 1 column 2"),
        ("{\"format\": \"longshore graph\"}", "missing field `version` at line 1 column 29"),
    ] {
        let saved = Saved { description: text.to_owned(), weights: Vec::new() };
        let expected = format!("graph.json: description cannot be read ({got}) but {is_json}");
        assert_eq!(refusal(&saved), expected);
    }
    let text = refusal(&changed(&saved(), "\"version\": 1,", "\"version\": 1, \"device\": {},"));
    let expected = "description cannot be read (unknown field `device`, expected one of `format`, \
                    `version`, `weights`, `arrays`, `nodes`, `outputs`, `whole` at line";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn files_of_other_folders_are_not_opened() {
    let plain = "it is the plain name of a file beside the description; save the graph again";
    let names = ["../x.npz", "/etc/passwd", "a/b", "..", ".", "", "C:x", "a\\\\b", "a\\u0000"];
    for name in names {
        let saved = changed(&saved(), "\"graph.weights.npz\"", &format!("\"{name}\""));
        let text = refusal(&saved);
        assert!(text.starts_with("graph.json: weights is \"") && text.contains(plain), "{text}");
    }
    assert_refused(
        "\"graph.weights.npz\"",
        "null",
        "weights lists 4 arrays and names no file but arrays lie in a file beside it; save the \
         graph again",
    );
}

#[test]
fn arrays_must_be_those_of_the_file() {
    assert_refused(
        "\"label\": \"edges/kernel\", \"dtype\": \"float32\"",
        "\"label\": \"edges/kernel\", \"dtype\": \"float64\"",
        "array 0 \"edges/kernel\" is float32 [3, 3, 1, 2] in the file of weights but the \
         description says float64 [3, 3, 1, 2]; save the graph again",
    );
    assert_refused(
        "\"shape\": [3, 3, 1, 2]",
        "\"shape\": [9, 1, 2]",
        "array 0 \"edges/kernel\" is float32 [3, 3, 1, 2] in the file of weights but the \
         description says float32 [9, 1, 2]; save the graph again",
    );
    assert_refused(
        "\"array\": 1,",
        "\"array\": 2,",
        "array 1 \"edges/bias\" has the number 2 but it is 1; save the graph again",
    );
    assert_refused(
        "\"member\": \"edges/bias\"",
        "\"member\": \"edges/kernel\"",
        "array 1 \"edges/kernel\" is listed twice but shared weights are listed once; save the \
         graph again",
    );
    let text = refusal(&changed(&saved(), "\"member\": \"edges/bias\"", "\"member\": \"b\""));
    let known = "classes/bias, classes/kernel, edges/bias, edges/kernel";
    let expected = format!("no array named \"b\"; known: {known}; ask for one of these");
    assert_eq!(text, format!("graph.weights.npz: {expected}"));
}

#[test]
fn numbers_changed_in_the_weights_are_found_out() {
    let mut lied = saved();
    let value = 1.875_f32.to_le_bytes();
    let at = lied.weights.windows(4).rposition(|bytes| bytes == value).unwrap();
    lied.weights[at] ^= 1;
    // The archive has a checksum of its own.
    assert!(refusal(&lied).contains("cannot be decompressed"), "{}", refusal(&lied));
    // Weights of another save are whole, and of the same shapes.
    let mut g = network();
    let again = g.constant("more", longshore::HostArray::from(counted(&[2])).with_name("more"));
    g.output("more", again.unwrap());
    let one = Saved::new(&g).unwrap();
    let mut g = network();
    let other = counted(&[2]) + 1.0;
    let again = g.constant("more", longshore::HostArray::from(other).with_name("more"));
    g.output("more", again.unwrap());
    let two = Saved::new(&g).unwrap();
    let mixture = Saved { description: one.description.clone(), weights: two.weights };
    let text = refusal(&mixture);
    let (begin, rest) = text.split_once(" has the checksum ").unwrap();
    assert_eq!(begin, "graph.json: array 4 \"more\"");
    let (_, rest) = rest.split_once(" in the file of weights but the description says ").unwrap();
    let (sum, rest) = rest.split_once(": ").unwrap();
    assert!(one.description.contains(&format!("\"crc32\": \"{sum}\"")), "{text}");
    assert_eq!(rest, "both are of one save; save the graph again");
}

#[test]
fn arrays_that_nothing_lists_or_uses_are_refused() {
    let mut g = network();
    let more = longshore::HostArray::from(counted(&[2])).with_name("more");
    let y = g.constant("more", more).unwrap();
    g.output("more", y);
    let larger = Saved::new(&g).unwrap();
    let extra = Saved { description: saved().description, weights: larger.weights.clone() };
    assert_eq!(
        refusal(&extra),
        "graph.json: file of weights has an array \"more\" but the description lists no such \
         array; save the graph again"
    );
    let text = &larger.description;
    let node = text.lines().find(|line| line.contains("\"op\": \"constant\"")).unwrap();
    let output =
        text.lines().find(|line| line.contains("\"name\": \"more\", \"node\": 4}")).unwrap();
    let description = text.replace(&format!(",\n{node}"), "").replace(&format!(",\n{output}"), "");
    let unused = Saved { description, weights: larger.weights.clone() };
    assert_eq!(
        refusal(&unused),
        "graph.json: array 4 is used by no node but what is listed is used; save the graph again"
    );
}

#[test]
fn numbers_of_nodes_and_arrays_are_within_bounds() {
    let classes = "\"operands\": [2], \"weights\": [2, 3]";
    assert_refused(
        classes,
        "\"operands\": [3], \"weights\": [2, 3]",
        "node 3 \"classes\" takes node 3 but operands stand before it; save the graph again",
    );
    assert_refused(
        classes,
        "\"operands\": [4000000000], \"weights\": [2, 3]",
        "node 3 \"classes\" takes node 4000000000 but operands stand before it; save the graph again",
    );
    assert_refused(
        classes,
        "\"operands\": [2], \"weights\": [2, 4]",
        "node 3 \"classes\" takes array 4 but 4 arrays are listed; save the graph again",
    );
    assert_refused(
        "\"node\": 2, \"name\": \"flatten\"",
        "\"node\": 1, \"name\": \"flatten\"",
        "node 2 \"flatten\" has the number 1 but it is 2; save the graph again",
    );
    assert_refused(
        "{\"name\": \"flat\", \"node\": 2}",
        "{\"name\": \"flat\", \"node\": 4}",
        "output \"flat\" is node 4 but there are 4 nodes; save the graph again",
    );
    assert_refused(
        "{\"name\": \"flat\", \"node\": 2}",
        "{\"name\": \"again\", \"node\": 2}",
        "outputs and inputs: graph: two outputs are named \"again\"; known: image, edges, \
         flatten, classes; choose one name for one thing",
    );
}

#[test]
fn members_that_a_node_does_not_have_are_refused() {
    let text =
        refusal(&changed(&saved(), "\"name\": \"flatten\",", "\"name\": \"flatten\", \"a\": 1,"));
    let expected = "graph.json: node 2 cannot be read (unknown field `a`, expected one of `node`, \
                    `name`, `op`, `operands`, `weights`, `stages`, `shape` at line 1 column";
    assert!(text.starts_with(expected), "{text}");
    let text = refusal(&changed(&saved(), "\"op\": \"reshape\"", "\"op\": \"flatten\""));
    let expected = "graph.json: node 2 \"flatten\": op cannot be read (unknown variant `flatten`, \
                    expected one of `input`, `resize2d`, `conv2d`,";
    assert!(text.starts_with(expected), "{text}");
    // Twice is once too often, and an option of another operator is none of this one.
    for (from, to, expected) in [
        ("\"groups\": 1", "\"groups\": 1, \"groups\": 2", "duplicate field `groups`"),
        ("\"groups\": 1", "\"groups\": 1, \"axis\": 2", "unknown field `axis`"),
        (
            "\"op\": \"reshape\"",
            "\"op\": {\"softmax\": {\"axis\": 1, \"a\": 1}}",
            "unknown field `a`",
        ),
        ("\"op\": \"reshape\"", "\"op\": {\"softmax\": {}}", "missing field `axis`"),
        ("\"op\": \"reshape\"", "\"op\": {\"reshape\": {\"a\": 1}}", "invalid type: map"),
        ("\"op\": \"reshape\"", "\"op\": {\"reshape\": null, \"dense\": null}", "expected value"),
        ("\"op\": \"reshape\"", "\"op\": \"own\"", "unknown variant `own`"),
        ("\"op\": \"reshape\"", "\"op\": {\"own\": {}}", "missing field `kernel`"),
        ("\"op\": \"reshape\"", "\"op\": {\"own\": {}, \"dense\": 1}", "missing field `kernel`"),
    ] {
        let text = refusal(&changed(&saved(), from, to));
        assert!(text.contains(": op cannot be read (") && text.contains(expected), "{to}: {text}");
    }
}

#[test]
fn a_weight_on_a_device_is_named() {
    let rt = Runtime::host();
    let array = longshore::HostArray::from(counted(&[2, 3])).with_name("kernel");
    let staged = rt.stage("staged kernel", &array).unwrap();
    let mut g = Graph::new();
    let x = g.input("x", [1, 2]);
    let weights = longshore::LayerWeights::new(&staged);
    let y = g.dense(x, longshore::Dense::new(3).name("layer"), &weights).unwrap();
    g.output("y", y);
    for graph in [&g, &prepared(&g)] {
        let text = Saved::new(graph).unwrap_err().to_string();
        assert_eq!(
            text,
            "dense \"layer\": saving the weight \"staged kernel\", which lies on a device, is not \
             supported; build the graph with the host array, or read the tensor first"
        );
    }
}

#[test]
fn a_graph_that_cannot_be_planned_cannot_be_saved() {
    let text = Saved::new(&Graph::new()).unwrap_err().to_string();
    assert!(text.contains("a graph needs at least one"), "{text}");
    let mut g = Graph::new();
    let [_, y] = [g.input("x", [1]), g.input("x", [2])];
    g.output("y", y);
    let text = Saved::new(&g).unwrap_err().to_string();
    assert!(text.contains("two inputs are named \"x\""), "{text}");
}
