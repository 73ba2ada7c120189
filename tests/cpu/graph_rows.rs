//! Reductions, softmax and normalizations: the shapes they give, and what they are refused for.

use longshore::ops::Op;
use longshore::ops::reduction::reduce::Operation;
use longshore::{
    ArgReduce, BatchNormalization, CumSum, Dim, Error, Graph, GroupNormalization,
    InstanceNormalization, LayerNormalization, LayerWeights, Lrn, MeanVarianceNormalization,
    Reduce, ReduceOp, RmsNormalization, Shape, Symbol, TopK,
};

use crate::graph::{batch_of, host};
use crate::graph_errors::{limit, operand, start};

const X: &str = "(x [batch, 5, 4, 3])";

/// Weights of these names, each with this shape.
fn weights(given: &[(&str, &[usize])]) -> LayerWeights {
    given
        .iter()
        .fold(LayerWeights::default(), |weights, (name, shape)| weights.with(*name, host(shape)))
}

/// Expects a refusal of the operand "x" of `start`.
#[track_caller]
fn refused(result: longshore::Result<Symbol>, kind: &str, text: &str, remedy: &str) {
    operand(result, &format!("{kind} \"{kind}\": {text}\n  {X}; {remedy}"));
}

#[track_caller]
fn named(result: longshore::Result<Symbol>, text: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Name { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

#[track_caller]
fn shape(g: &Graph, symbol: Symbol, expected: &str) {
    assert_eq!(g.shape(symbol).unwrap().to_string(), expected);
}

#[test]
fn reduced_axes_become_1_or_go() {
    let (mut g, x) = start();
    let mut reduce = |axes: &[isize], keepdims, expected: &str| {
        let layer = Reduce::new(ReduceOp::Sum).axes(axes.iter().copied()).keepdims(keepdims);
        let y = g.reduce(x, layer).unwrap();
        shape(&g, y, expected);
    };
    reduce(&[], true, "[1, 1, 1, 1]");
    reduce(&[], false, "[]");
    reduce(&[1, -1], true, "[batch, 1, 4, 1]");
    reduce(&[-1, 1], false, "[batch, 4]");
    reduce(&[0], true, "[1, 5, 4, 3]");
    reduce(&[-4], false, "[5, 4, 3]");
    let noop = Reduce::new(ReduceOp::L2).noop_with_empty_axes(true).keepdims(false);
    let y = g.reduce(x, noop).unwrap();
    shape(&g, y, "[batch, 5, 4, 3]");
    let Op::Reduce(resolved) = g.nodes().last().unwrap().op() else { panic!("a reduction") };
    assert_eq!(resolved.operation, Operation::Value(ReduceOp::L2));
    assert_eq!(resolved.reduced, [false; 4]);
    let y = g.arg_max(x, ArgReduce::new(-2)).unwrap();
    shape(&g, y, "[batch, 5, 1, 3]");
    let y = g.arg_min(x, ArgReduce::new(1).keepdims(false).select_last_index(true)).unwrap();
    shape(&g, y, "[batch, 4, 3]");
    let Op::Reduce(resolved) = g.nodes().last().unwrap().op() else { panic!("a reduction") };
    assert_eq!(resolved.operation, Operation::Position { largest: false, last: true });
}

#[test]
fn reductions_refuse() {
    let (mut g, x) = start();
    for axis in [4, -5, isize::MAX, isize::MIN] {
        let text = format!("axis is {axis} but \"x\" has 4 axes");
        let remedy = "use an axis from -rank to rank - 1";
        let layer = Reduce::new(ReduceOp::Mean).axes([1, axis]);
        refused(g.reduce(x, layer), "reduce_mean", &text, remedy);
        refused(g.arg_max(x, ArgReduce::new(axis)), "arg_max", &text, remedy);
        refused(g.cumsum(x, CumSum::new().axis(axis)), "cumsum", &text, remedy);
        refused(g.log_softmax(x, axis), "log_softmax", &text, remedy);
        refused(g.hardmax(x, axis), "hardmax", &text, remedy);
    }
    let layer = Reduce::new(ReduceOp::LogSumExp).axes([1, -3]);
    let text = "axes are [1, -3] but axis 1 is named twice";
    refused(g.reduce(x, layer), "reduce_log_sum_exp", text, "name each axis once");
    let empty = g.input("e", [2, 0]);
    operand(
        g.arg_min(empty, ArgReduce::new(1)),
        "arg_min \"arg_min\": axis has no elements but a position needs at least 1\n  (e [2, 0]); \
         reduce another axis",
    );
    let scalar = g.input("s", [0usize; 0]);
    operand(
        g.arg_max(scalar, ArgReduce::new(0)),
        "arg_max \"arg_max\": axis is 0 but \"s\" has 0 axes\n  (s []); use an axis from -rank to rank - 1",
    );
    for (kind, result) in
        [("log_softmax", g.log_softmax(scalar, 0)), ("hardmax", g.hardmax(scalar, 0))]
    {
        operand(
            result,
            &format!(
                "{kind} \"{kind}\": x has no axes but softmax goes over one\n  (x []); reshape it to [1]"
            ),
        );
    }
}

#[test]
fn running_sums() {
    let (mut g, x) = start();
    let layer = CumSum::new().axis(-2).reverse(true).name("sums");
    let y = g.cumsum(x, layer.clone()).unwrap();
    shape(&g, y, "[batch, 5, 4, 3]");
    let Op::CumSum(resolved) = g.nodes().last().unwrap().op() else { panic!("running sums") };
    assert_eq!((resolved.axis, resolved.exclusive, resolved.reverse), (2, false, true));
    assert!(matches!(g.cumsum(x, layer).unwrap_err(), Error::Name { .. }));
    let scalar = g.input("s", [0usize; 0]);
    operand(
        g.cumsum(scalar, CumSum::new()),
        "cumsum \"cumsum\": axis is 0 but \"s\" has 0 axes\n  (s []); use an axis from -rank to rank - 1",
    );
}

#[test]
fn the_largest_elements_and_their_indices() {
    let (mut g, x) = start();
    let layer = TopK::new(2).axis(2).largest(false).name("least");
    let found = g.top_k(x, layer.clone()).unwrap();
    shape(&g, found.values, "[batch, 5, 2, 3]");
    shape(&g, found.indices, "[batch, 5, 2, 3]");
    assert_eq!(g.symbol("least"), Some(found.values));
    assert_eq!(g.symbol("least/indices"), Some(found.indices));
    let Op::TopK(resolved) = g.nodes().last().unwrap().op() else { panic!("a search") };
    assert_eq!((resolved.axis, resolved.k, resolved.largest), (2, 2, false));
    let count = g.nodes().len();
    assert!(matches!(g.top_k(x, layer).unwrap_err(), Error::Name { .. }));
    // A plan has what is used alone.
    g.output("y", found.indices);
    assert_eq!(g.plan(3).unwrap().steps().len(), 1);
    g.output("z", found.values);
    assert_eq!(g.plan(3).unwrap().steps().len(), 2);

    let mut refuse = |k: usize, axis: isize, text: &str, remedy: &str| {
        operand(
            g.top_k(x, TopK::new(k).axis(axis)).map(|found| found.values),
            &format!("top_k \"top_k\": {text}\n  (x [batch, 5, 4, 3], k {k}); {remedy}"),
        );
    };
    let remedy = "use a k from 1 to that many";
    refuse(0, 1, "k is 0 but axis 1 of \"x\" has 5 elements", remedy);
    refuse(4, -1, "k is 4 but axis 3 of \"x\" has 3 elements", remedy);
    refuse(
        usize::MAX,
        1,
        &format!("k is {} but axis 1 of \"x\" has 5 elements", usize::MAX),
        remedy,
    );
    let remedy = "use an axis from -rank to rank - 1";
    refuse(1, 4, "axis is 4 but \"x\" has 4 axes", remedy);
    refuse(1, isize::MIN, &format!("axis is {} but \"x\" has 4 axes", isize::MIN), remedy);
    let text = "\"x\" has the batch on axis 0 but elements are taken of a fixed length";
    refuse(1, 0, text, "use fixed dimensions");
    assert_eq!(g.nodes().len(), count, "what is refused leaves no node");
    let long = g.input("long", [(1 << 24) + 1]);
    operand(
        g.top_k(long, TopK::new(1)).map(|found| found.indices),
        "top_k \"top_k\": axis has 16777217 elements but an index is an f32, which tells 16777216 apart\n  \
         (long [16777217], k 1); split it, and take the elements of what the parts give",
    );
}

#[test]
fn rows_beyond_every_device_are_refused_when_planning() {
    let mut g = Graph::new();
    let x = g.input("x", [(1 << 24) + 1]);
    let y = g.reduce(x, Reduce::new(ReduceOp::Sum).axes([0])).unwrap();
    g.output("y", y);
    limit(
        g.plan(1).map(|_| ()),
        "reduce_sum \"reduce_sum\": a row needs 16777217 elements but the longest row that every device \
         gets through is 16777216 elements; reshape it to several rows, and reduce those again",
    );
}

#[test]
fn batch_normalization() {
    let all: [(&str, &[usize]); 4] =
        [("gamma", &[4]), ("beta", &[4]), ("moving_mean", &[4]), ("moving_variance", &[4])];
    let (mut g, x) = start();
    let layer = BatchNormalization::new().axis(2);
    let first = layer.clone().name("first");
    let y = g.batch_normalization(x, first, &weights(&all)).unwrap();
    shape(&g, y, "[batch, 5, 4, 3]");
    let kind = "batch_normalization";
    refused(
        g.batch_normalization(x, BatchNormalization::new(), &weights(&all)),
        kind,
        "gamma has shape [4] but there are 3 channels, so [3] is needed",
        "give one number for each channel",
    );
    refused(
        g.batch_normalization(x, layer.clone().axis(0), &weights(&all)),
        kind,
        "axis is the batch but the channels have a fixed number",
        "normalize another axis",
    );
    refused(
        g.batch_normalization(x, layer.clone().axis(4), &weights(&all)),
        kind,
        "axis is 4 but \"x\" has 4 axes",
        "use an axis from -rank to rank - 1",
    );
    named(
        g.batch_normalization(x, layer.clone().scale(false), &weights(&all)),
        "batch_normalization \"batch_normalization\": the layer takes no weight named \"gamma\"; known: \
         beta, moving_mean, moving_variance; rename it or leave it out",
    );
    named(
        g.batch_normalization(x, layer, &weights(&all[1..])),
        "batch_normalization \"batch_normalization\": the layer's weights have no \"gamma\"; known: beta, \
         moving_mean, moving_variance; add it",
    );
}

#[test]
fn local_response_normalization() {
    let (mut g, x) = start();
    let y = g.lrn(x, Lrn::new(9).name("first")).unwrap();
    shape(&g, y, "[batch, 5, 4, 3]");
    let mut refuse = |layer: Lrn, size: usize, text: &str, remedy: &str| {
        operand(
            g.lrn(x, layer),
            &format!("lrn \"lrn\": {text}\n  (x [batch, 5, 4, 3], size {size}); {remedy}"),
        );
    };
    refuse(Lrn::new(0), 0, "size is 0 but a window has at least 1 channel", "use 1");
    let negative = "but the power of a negative number is none";
    refuse(Lrn::new(2).alpha(-1.5), 2, &format!("alpha is -1.5 {negative}"), "use 0 or more");
    refuse(Lrn::new(2).bias(f32::NAN), 2, &format!("bias is NaN {negative}"), "use 0 or more");
    let text = "axis is the batch but the channels have a fixed number";
    refuse(Lrn::new(2).axis(0), 2, text, "normalize another axis");
    let remedy = "use an axis from -rank to rank - 1";
    refuse(Lrn::new(2).axis(-5), 2, "axis is -5 but \"x\" has 4 axes", remedy);
}

#[test]
fn layer_and_root_mean_square_normalization() {
    let (mut g, x) = start();
    let layer = LayerNormalization::new().axis([1, -1]);
    let given = weights(&[("gamma", &[5, 3]), ("beta", &[3])]);
    let first = layer.clone().name("first");
    let made = g.layer_normalization_with_moments(x, first, &given).unwrap();
    shape(&g, made.output, "[batch, 5, 4, 3]");
    shape(&g, made.mean, "[batch, 1, 4, 1]");
    shape(&g, made.inv_std_dev, "[batch, 1, 4, 1]");
    let kind = "layer_normalization";
    let remedy = "give one number for each place of a row";
    for (wrong, named) in [(&[3, 5][..], "gamma"), (&[1, 5, 3], "gamma"), (&[5], "gamma")] {
        let given = weights(&[("gamma", wrong), ("beta", &[3])]);
        let text = format!("{named} has shape {wrong:?} but the normalized axes are [5, 3]");
        refused(g.layer_normalization(x, layer.clone().name(kind), &given), kind, &text, remedy);
    }
    let given = weights(&[("gamma", &[3]), ("beta", &[3])]);
    refused(
        g.layer_normalization(x, LayerNormalization::new().name(kind).axis([0]), &given),
        kind,
        "axis includes the batch but a weight has one number for each place of a row",
        "use fixed dimensions",
    );
    refused(
        g.layer_normalization(x, LayerNormalization::new().name(kind).axis([3, -1]), &given),
        kind,
        "axes are [3, -1] but axis 3 is named twice",
        "name each axis once",
    );
    named(
        g.layer_normalization(x, LayerNormalization::new().name(kind).center(false), &given),
        "layer_normalization \"layer_normalization\": the layer takes no weight named \"beta\"; known: \
         gamma; rename it or leave it out",
    );
    named(
        g.rms_normalization(x, RmsNormalization::new(), &given),
        "rms_normalization \"rms_normalization\": the layer takes no weight named \"beta\"; known: scale; \
         rename it or leave it out",
    );
    let scale = weights(&[("scale", &[2])]);
    refused(
        g.rms_normalization(x, RmsNormalization::new(), &scale),
        "rms_normalization",
        "scale has shape [2] but the normalized axes are [3]",
        remedy,
    );
}

#[test]
fn group_and_instance_normalization() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 6]));
    let given = |length: usize| weights(&[("gamma", &[length]), ("beta", &[length])]);
    for length in [2, 6] {
        let y = g.group_normalization(x, GroupNormalization::new(2), &given(length)).unwrap();
        shape(&g, y, "[batch, 5, 6]");
    }
    let mut refuse = |groups: isize, axis: isize, text: &str, remedy: &str| {
        let kind = "group_normalization";
        let layer = GroupNormalization::new(groups).axis(axis).name("n");
        operand(
            g.group_normalization(x, layer, &given(4)),
            &format!("{kind} \"n\": {text}\n  (x [batch, 5, 6], groups {groups}); {remedy}"),
        );
    };
    for groups in [0, 4, 7, -2] {
        let text = format!("groups is {groups} but 6 channels are to be divided equally");
        refuse(groups, -1, &text, "use a divisor, or -1 for one channel to a group");
    }
    let text = "axis is the first but that one counts the items";
    refuse(1, 0, text, "give x a first dimension of 1, and its channels another");
    let text = "gamma has shape [4] but there are 6 channels, so [6] is needed";
    refuse(3, 2, text, "give one number for each channel");
    let text = "axis is 3 but \"x\" has 3 axes";
    refuse(3, 3, text, "use an axis from -rank to rank - 1");
    let y = g
        .instance_normalization(x, InstanceNormalization::new().axis(1).name("i"), &given(5))
        .unwrap();
    shape(&g, y, "[batch, 5, 6]");
    let moments = g.nodes().iter().find(|node| node.name() == "i/moments").unwrap();
    assert_eq!(moments.shape(), &Shape::new([Dim::Batch, 5.into(), 2.into()]));
}

#[test]
fn mean_variance_normalization() {
    let (mut g, x) = start();
    let y = g.mean_variance_normalization(x, MeanVarianceNormalization::new()).unwrap();
    shape(&g, y, "[batch, 5, 4, 3]");
    let layer = MeanVarianceNormalization::new().axes([0, 4]).name("mean_variance_normalization");
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 4, 3]));
    refused(
        g.mean_variance_normalization(x, layer),
        "mean_variance_normalization",
        "axis is 4 but \"x\" has 4 axes",
        "use an axis from -rank to rank - 1",
    );
}

#[test]
fn symbols_of_other_graphs_are_refused_everywhere() {
    let (_, foreign) = start();
    let mut g = Graph::new();
    let scale = weights(&[("scale", &[3])]);
    let both = weights(&[("gamma", &[3]), ("beta", &[3])]);
    let all = both.clone().with("moving_mean", host(&[3])).with("moving_variance", host(&[3]));
    for result in [
        g.reduce(foreign, Reduce::new(ReduceOp::Sum)),
        g.cumsum(foreign, CumSum::new()),
        g.top_k(foreign, TopK::new(1)).map(|found| found.values),
        g.arg_max(foreign, ArgReduce::new(0)),
        g.arg_min(foreign, ArgReduce::new(0)),
        g.log_softmax(foreign, 0),
        g.hardmax(foreign, 0),
        g.lrn(foreign, Lrn::new(1)),
        g.batch_normalization(foreign, BatchNormalization::new(), &all),
        g.layer_normalization(foreign, LayerNormalization::new(), &both),
        g.rms_normalization(foreign, RmsNormalization::new(), &scale),
        g.group_normalization(foreign, GroupNormalization::new(1), &both),
        g.instance_normalization(foreign, InstanceNormalization::new(), &both),
        g.mean_variance_normalization(foreign, MeanVarianceNormalization::new()),
    ] {
        assert!(result.unwrap_err().to_string().contains("is a symbol of another graph"));
    }
}
