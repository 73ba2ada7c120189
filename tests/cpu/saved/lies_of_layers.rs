//! Windows, resampling, rows, weights and stages that no layer makes.

use longshore::{Dim, Graph, Saved};

use super::lies::{X, assert_lie, over_x, with_node};
use super::{counted, network, prepared, refusal};

#[test]
fn windows_are_those_that_layers_make() {
    let pool = |mode: &str, rest: &str, shape: &str| {
        let op =
            format!("{{\"pool2d\": {{\"mode\": {mode}, {rest}, \"count_include_pad\": false}}}}");
        over_x(&op, shape)
    };
    let windows = |kernel: &str, strides: &str| {
        let pair = |name: &str, both: &str| {
            let (height, width) = both.split_once(',').unwrap();
            format!("\"{name}\": {{\"height\": {height}, \"width\": {width}}}")
        };
        format!(
            "{}, {}, {}, \"pads\": {{\"top\": 0, \"bottom\": 0, \"left\": 0, \"right\": 0}}",
            pair("kernel_size", kernel),
            pair("strides", strides),
            pair("dilation", "1,1")
        )
    };
    let max = "\"max\"";
    assert!(pool(max, &windows("2,2", "2,2"), "[\"batch\", 2, 2, 6]").graph().is_ok());
    // As many as with ceil_mode, and one more.
    assert!(pool(max, &windows("2,2", "2,2"), "[\"batch\", 2, 3, 6]").graph().is_ok());
    let lies = [
        (max, windows("2,2", "2,2"), "[\"batch\", 2, 4, 6]", "operands give [batch, 2, 2, 6]"),
        (max, windows("0,2", "2,2"), "[\"batch\", 2, 2, 6]", "pool_size is (0, 2)"),
        (max, windows("2,2", "2,0"), "[\"batch\", 2, 2, 6]", "strides is (2, 0)"),
        (max, windows("5,2", "1,1"), "[\"batch\", 1, 4, 6]", "spans 5 pixels"),
        ("{\"lp\": 0}", windows("2,2", "2,2"), "[\"batch\", 2, 2, 6]", "p is 0"),
        (max, windows("9223372036854775807,2", "9223372036854775807,1"), X, "kernel height spans"),
    ];
    for (mode, rest, shape, expected) in lies {
        assert_lie(&pool(mode, &rest, shape), expected);
    }
    let text = refusal(&pool("{\"lp\": 65536}", &windows("2,2", "2,2"), X));
    assert!(text.contains("65536"), "{text}");
}

#[test]
fn resampling_is_what_layers_ask_for() {
    let resize = |axis: &str, rows: &str, sampling: &str, shape: &str| {
        let op = format!(
            "{{\"resize2d\": {{\"axis\": {axis}, \"rows\": {{{rows}}}, \"columns\": null, \
             \"sampling\": {{{sampling}, \"extrapolation_value\": 0}}}}}}"
        );
        over_x(&op, shape)
    };
    let linear = "\"filter\": \"linear\", \"coordinates\": \"half_pixel\", \"antialias\": false, \
                  \"exclude_outside\": false";
    let rows = |length: &str, scale: &str, roi: &str| {
        format!("\"length\": {length}, \"scale\": {scale}, \"roi\": {roi}")
    };
    let ratio = "{\"ratio\": {\"output\": 8, \"input\": 4}}";
    let taller = "[\"batch\", 8, 5, 6]";
    assert!(resize("1", &rows("8", ratio, "[0, 1]"), linear, taller).graph().is_ok());
    // By the scale of another axis.
    let other = "{\"ratio\": {\"output\": 4, \"input\": 2}}";
    assert!(resize("1", &rows("8", other, "[0, 1]"), linear, taller).graph().is_ok());
    let given = "{\"given\": 2.25}";
    assert!(
        resize("1", &rows("9", given, "[0, 1]"), linear, "[\"batch\", 9, 5, 6]").graph().is_ok()
    );
    let mut unsaid = resize("1", &rows("8", ratio, "[0, 1]"), linear, taller);
    unsaid.description = unsaid.description.replace("\"columns\": null, ", "");
    assert!(refusal(&unsaid).contains("missing field `columns`"), "{}", refusal(&unsaid));
    let nearest = linear.replace("\"linear\"", "{\"nearest\": \"ceil\"}");
    let cubic = linear.replace("\"linear\"", "{\"cubic\": \"inf\"}");
    let aligned = linear.replace("half_pixel", "align_corners");
    let aligned = aligned.replace("\"exclude_outside\": false", "\"exclude_outside\": true");
    let smoothed = nearest.replace("\"antialias\": false", "\"antialias\": true");
    let lies = [
        ("1", rows("7", ratio, "[0, 1]"), linear, "length is 7 but the scale makes 8 of 4 pixels"),
        (
            "1",
            rows("8", "{\"ratio\": {\"output\": 8, \"input\": 0}}", "[0, 1]"),
            linear,
            "it is a ratio",
        ),
        ("1", rows("8", "{\"given\": -2}", "[0, 1]"), linear, "scales have -2"),
        ("1", rows("8", "{\"given\": \"inf\"}", "[0, 1]"), linear, "scales have inf"),
        // One beside it is what a model may declare.
        ("1", rows("7", given, "[0, 1]"), linear, "length is 7 but the scale makes 9"),
        ("1", rows("8", ratio, "[0, 2]"), linear, "roi is [0.0, 2.0]"),
        ("1", rows("8", ratio, "[0, \"nan 0x7fc00000\"]"), linear, "roi is [0.0, NaN]"),
        ("0", rows("8", ratio, "[0, 1]"), linear, "the batch keeps its length"),
        ("4", rows("8", ratio, "[0, 1]"), linear, "axis is 4 but \"x\" has 4 axes"),
        ("1", rows("8", ratio, "[0, 1]"), &cubic, "cubic_coeff_a is inf"),
        ("1", rows("8", ratio, "[0, 1]"), &smoothed, "antialias is true"),
        ("1", rows("8", other, "[0, 1]"), &aligned, "exclude_outside is true"),
    ];
    for (axis, rows, sampling, expected) in lies {
        assert_lie(&resize(axis, &rows, sampling, taller), expected);
    }
}

#[test]
fn rows_are_those_that_layers_normalize() {
    let moments = |split: &str, reduced: &str, shape: &str| {
        let op = format!(
            "{{\"moments\": {{\"split\": {split}, \"reduced\": {reduced}, \"is_centered\": true, \
             \"epsilon\": 0.001, \"floor\": 0, \"part\": \"both\"}}}}"
        );
        over_x(&op, shape)
    };
    let rows = "[\"batch\", 4, 5, 2]";
    assert!(moments(X, "[false, false, false, true]", rows).graph().is_ok());
    let groups = "[\"batch\", 4, 5, 2, 3]";
    assert!(
        moments(groups, "[false, true, true, false, true]", "[\"batch\", 2, 2]").graph().is_ok()
    );
    let lies = [
        (X, "[false, false, true]", rows, "reduced has 3 entries"),
        (X, "[false, false, false, true]", "[\"batch\", 4, 5, 1]", "shape is [batch, 4, 5, 1]"),
        ("[\"batch\", 4, 5, 7]", "[false, false, false, true]", rows, "split is [batch, 4, 5, 7]"),
        ("[\"batch\", 4, 5, 2, 4]", "[false, true, true, false, true]", rows, "split is"),
        (groups, "[false, true, false, false, true]", rows, "split is"),
        (groups, "[true, true, true, false, true]", rows, "split is"),
        (groups, "[false, true, true, true, false]", rows, "split is"),
        ("[\"batch\", 4, 5, 0, 3]", "[false, true, true, false, true]", rows, "split is"),
        ("[]", "[]", rows, "split is []"),
    ];
    for (split, reduced, shape, expected) in lies {
        assert_lie(&moments(split, reduced, shape), expected);
    }
    let normalized = |members: &str| {
        let op = format!(
            "{{\"normalization\": {{\"split\": [3, 4], \"reduced\": [false, true], {members}}}}}"
        );
        with_node(&format!("\"op\": {op}, \"operands\": [1, 1], \"shape\": [3, 4]"))
    };
    let none = "\"scale\": null, \"bias\": null";
    assert_lie(&normalized(none), "has shape [3, 4] but the moments of its rows are [3, 2]");
    assert_lie(
        &normalized("\"scale\": [1, 4], \"bias\": null"),
        "weights are 0 but such a node has 1",
    );
}

/// The network's description, one piece replaced in the line of a node.
fn line(graph: &Graph, name: &str, from: &str, to: &str) -> Saved {
    let saved = Saved::new(graph).unwrap();
    let wanted = format!("\"name\": \"{name}\", \"op\"");
    let found = saved.description.lines().find(|line| line.contains(&wanted)).unwrap();
    assert_eq!(found.matches(from).count(), 1, "{from} in {found}");
    let description = saved.description.replace(found, &found.replace(from, to));
    Saved { description, weights: saved.weights }
}

#[test]
fn layers_with_weights_are_checked_too() {
    let g = network();
    let lies = [
        ("edges", "\"groups\": 1", "\"groups\": 0", "groups is 0 but it must divide"),
        ("edges", "\"groups\": 1", "\"groups\": 2", "groups is 2 but it must divide"),
        (
            "edges",
            "\"strides\": {\"height\": 1",
            "\"strides\": {\"height\": 0",
            "strides is (0, 1)",
        ),
        ("edges", "\"top\": 1", "\"top\": 0", "shape is [batch, 4, 4, 2]"),
        (
            "edges",
            "\"kernel_size\": {\"height\": 3",
            "\"kernel_size\": {\"height\": 2",
            "is 3 by 3",
        ),
        ("edges", "\"weights\": [0, 1]", "\"weights\": [1, 0]", "kernel has 1 dimensions"),
        ("edges", "\"weights\": [0, 1]", "\"weights\": [0, 3]", "bias has shape [3]"),
        ("edges", "\"weights\": [0, 1]", "\"weights\": [0, 1, 1]", "weights are 3 but"),
        ("edges", "\"weights\": [0, 1], ", "", "weights are 0 but"),
        ("classes", "\"weights\": [2, 3]", "\"weights\": [0, 3]", "kernel has 4 dimensions"),
        ("classes", "\"operands\": [2]", "\"operands\": [1]", "\"edges\" has 2 on its last axis"),
        ("flatten", "\"operands\": [1]", "\"operands\": [1, 1]", "operands are 2 but"),
        (
            "flatten",
            "\"operands\": [1]",
            "\"operands\": [1], \"weights\": [0]",
            "weights are 1 but",
        ),
    ];
    for (name, from, to, expected) in lies {
        let text = refusal(&line(&g, name, from, to));
        assert!(
            text.contains(expected) && text.contains(&format!(" \"{name}\": ")),
            "{to}: {text}"
        );
    }
}

#[test]
fn stages_are_those_that_kernels_apply() {
    let mut g = network();
    let y = g.symbol("edges").unwrap();
    let bias = g.constant("shift", longshore::HostArray::from(counted(&[4, 2]))).unwrap();
    let y = g.add(y, bias).unwrap();
    g.output("shifted", y);
    let mut other = Graph::new();
    let x = other.input("image", [Dim::Batch, 4.into(), 4.into(), 1.into()]);
    let shift = other.constant("shift", longshore::HostArray::from(counted(&[4, 1]))).unwrap();
    let y = other.activation(x, longshore::Activation::Tanh).unwrap();
    let y = other.add(y, shift).unwrap();
    other.output("y", y);
    let fused = prepared(&other);
    assert_eq!(fused.nodes().len(), 3, "{fused}");
    let stages = "\"stages\": [{\"binary\": {\"operation\": \"add\", \"swapped\": false}}]";
    let unary = |stage: &str, count: usize| {
        format!("\"stages\": [{}]", vec![format!("{{\"unary\": {stage}}}"); count].join(", "))
    };
    let lies = [
        (unary("\"relu\"", 4), "stages are 4 but its kernel applies at most 3"),
        (unary("\"softmax\"", 1), "unknown variant `softmax`"),
        (unary("{\"celu\": -1}", 1), "celu with alpha -1"),
    ];
    for (to, expected) in lies {
        let text = refusal(&line(&fused, "add", stages, &to).clone());
        let unread = to.contains("unary") && text.contains("operands are 2 but such a node has 1");
        let text = if unread {
            // A stage of one operand leaves the extra one to the node.
            let saved = line(&fused, "add", stages, &to);
            let description =
                saved.description.replace("\"operands\": [0, 1]", "\"operands\": [0]");
            let lines = description.lines().filter(|line| !line.contains("\"constant\""));
            let text = lines.collect::<Vec<_>>().join("\n");
            let text = text.replace("\"node\": 2", "\"node\": 1");
            let arrays = text.find("\"arrays\"").unwrap()..text.find("\"nodes\"").unwrap();
            let text = text.replace(&text[arrays], "\"arrays\": [], ");
            let text = text.replace("\"graph.weights.npz\"", "null");
            refusal(&Saved { description: text, weights: Vec::new() })
        } else {
            text
        };
        assert!(text.contains(expected), "{to}: {text}");
    }
    // The extra operand must have the last axes.
    let wrong = line(&fused, "add", "\"operands\": [0, 1]", "\"operands\": [0]");
    assert!(
        refusal(&wrong).contains("operands are 0 but such a node has 1"),
        "{}",
        refusal(&wrong)
    );
    let saved = Saved::new(&g).unwrap();
    let flatten = saved.description.lines().find(|line| line.contains("\"flatten\"")).unwrap();
    let with = flatten.replace("\"shape\"", &format!("{}, \"shape\"", unary("\"relu\"", 1)));
    let lied = Saved { description: saved.description.replace(flatten, &with), ..saved.clone() };
    let text = refusal(&lied);
    assert!(text.contains("stages are 1 but its kernel applies none"), "{text}");
    let add = saved.description.lines().find(|line| line.contains("\"name\": \"add\"")).unwrap();
    let extra = add.replace("\"operands\": [1, 4]", "\"operands\": [1, 4, 0]");
    let extra = extra.replace("\"shape\"", &format!("{stages}, \"shape\""));
    let lied = Saved { description: saved.description.replace(add, &extra), ..saved.clone() };
    let text = refusal(&lied);
    let expected = "stages take an operand of shape [batch, 4, 4, 1] but it must have the last \
                    axes of [batch, 4, 4, 2], or one element";
    assert!(text.contains(expected), "{text}");
}
