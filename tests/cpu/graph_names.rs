//! What weights, names and symbols are refused for: the variant, then the exact text.

use longshore::{
    Activation, Conv2d, Dense, Error, Graph, LayerWeights, Resize2d, SeparableConv2d, Weights,
};

use crate::graph::{batch_of, host, kernel};
use crate::graph_errors::{operand, start};

#[track_caller]
fn name<T: std::fmt::Debug>(result: longshore::Result<T>, text: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Name { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

#[test]
fn weights_by_name() {
    let (mut g, x) = start();
    let conv = || Conv2d::new(2, 1);
    name(
        g.conv2d(x, conv(), &kernel(&[1, 1, 3, 2]).with("gamma", host(&[2]))),
        "conv2d \"conv2d\": the layer takes no weight named \"gamma\"; known: kernel, bias; \
         rename it or leave it out",
    );
    name(
        g.dense(x, Dense::new(2), &LayerWeights::default().bias(host(&[2]))),
        "dense \"dense\": the layer's weights have no \"kernel\"; known: bias; add it",
    );
    let separable = || SeparableConv2d::new(2, 1);
    name(
        g.separable_conv2d(x, separable(), &kernel(&[1, 1, 3, 2])),
        "separable_conv2d \"separable_conv2d\": the layer takes no weight named \"kernel\"; known: \
         depthwise_kernel, pointwise_kernel, bias; rename it or leave it out",
    );
    let half = LayerWeights::default().with("depthwise_kernel", host(&[1, 1, 3, 1]));
    name(
        g.separable_conv2d(x, separable(), &half),
        "separable_conv2d \"separable_conv2d\": the layer's weights have no \"pointwise_kernel\"; known: \
         depthwise_kernel; add it",
    );
    let network = Weights::new().with("conv", kernel(&[1]));
    name(
        network.layer("dense").map(|_| ()),
        "weights: there is no layer named \"dense\"; known: conv; use one of these names",
    );
    let error = Weights::from_arrays("w.npz", [("kernel".to_owned(), host(&[1]))]).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "w.npz: member \"kernel\" has no layer in its name but members are named LAYER/ARRAY, as in \
         conv/kernel; rename it"
    );
}

#[test]
fn names_used_twice() {
    let (mut g, x) = start();
    let layer = || Conv2d::new(2, 1).name("edges");
    let y = g.conv2d(x, layer(), &kernel(&[1, 1, 3, 2])).unwrap();
    let text =
        "there is already a node named \"edges\"; known: x, edges; choose one name for one thing";
    name(g.conv2d(x, layer(), &kernel(&[1, 1, 3, 2])), &format!("conv2d: {text}"));
    name(g.rename(x, "edges"), &format!("rename: {text}"));
    g.rename(y, "edges").unwrap();
    g.output("y", y);
    g.check().unwrap();
    g.output("y", x);
    name(
        g.check(),
        "graph: two outputs are named \"y\"; known: x, edges; choose one name for one thing",
    );
    let (mut g, x) = start();
    g.input("x", [1]);
    g.output("y", x);
    name(
        g.check(),
        "graph: two inputs are named \"x\"; known: x, x; choose one name for one thing",
    );
    name(
        g.plan(1),
        "graph: two inputs are named \"x\"; known: x, x; choose one name for one thing",
    );
}

#[test]
fn outputs_that_are_missing_or_foreign() {
    let (g, x) = start();
    let error = g.check().unwrap_err();
    assert!(matches!(error, Error::Operand { .. }));
    assert_eq!(
        error.to_string(),
        "graph: outputs are empty but a graph needs at least one\n  (1 nodes); name a \
         symbol with Graph::output"
    );
    let (mut other, _) = start();
    other.output("y", x);
    name(
        other.check(),
        "graph: another graph made the symbol of output \"y\"; known: x; choose one name for one thing",
    );
}

#[test]
fn symbols_of_another_graph() {
    let (_, foreign) = start();
    let (mut g, x) = start();
    let text = |node: &str, operand: &str| {
        format!(
            "{node}: {operand} is a symbol of another graph but a node takes symbols of its own graph\n  \
             (this graph has 1 nodes); build both nodes in one graph"
        )
    };
    let twice = |kind: &str| format!("{kind} \"{kind}\"");
    let conv = Conv2d::new(2, 1);
    operand(g.conv2d(foreign, conv, &kernel(&[1, 1, 3, 2])), &text(&twice("conv2d"), "x"));
    operand(g.dense(foreign, Dense::new(2), &kernel(&[3, 2])), &text(&twice("dense"), "x"));
    operand(g.activation(foreign, Activation::Relu), &text(&twice("relu"), "x"));
    operand(g.softmax(foreign, 0), &text(&twice("softmax"), "x"));
    operand(g.flatten(foreign), &text(&twice("flatten"), "x"));
    operand(g.reshape(foreign, [60]), &text(&twice("reshape"), "x"));
    operand(g.resize2d(foreign, Resize2d::new(1)), &text(&twice("resize2d"), "x"));
    operand(g.add(foreign, x), &text(&twice("add"), "left"));
    operand(g.multiply(x, foreign), &text(&twice("multiply"), "right"));
    operand(g.rename(foreign, "z"), &text("rename", "symbol"));
    assert_eq!(g.shape(foreign), None);
    assert_eq!(g.nodes().len(), 1);
}

#[test]
fn a_renamed_layer_of_two_nodes_leaves_room_for_another() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 2]));
    let layer = longshore::LayerNormalization::new().scale(false).center(false);
    let y = g.layer_normalization(x, layer.clone(), &LayerWeights::default()).unwrap();
    let y = g.rename(y, "first").unwrap();
    let y = g.layer_normalization(y, layer, &LayerWeights::default()).unwrap();
    g.output("y", y);
    let names: Vec<&str> = g.nodes().iter().map(longshore::graph::Node::name).collect();
    let expected = [
        "x",
        "layer_normalization/moments",
        "first",
        "layer_normalization_1/moments",
        "layer_normalization_1",
    ];
    assert_eq!(names, expected);
}
