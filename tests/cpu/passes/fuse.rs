//! Fusion: chains into one node, what is refused, and the order of operands.

use std::collections::BTreeSet;

use longshore::Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
use longshore::internals::kernels::{Binding, SHADERS, Shader};
use longshore::passes::fuse_epilogues;
use longshore::{
    BatchNormalization, Conv2d, Conv2dTranspose, CumSum, Dense, Gemm, Graph, GridSample,
    InstanceNormalization, LayerWeights, Lrn, MatMul, Pad, Passes, PlanOptions, Pooling, Reduce,
    ReduceOp, Resize2d, Symbol, TopK,
};
use ndarray::arr1;

use super::{apply, leaves};
use crate::graph::{batch_of, host, kernel};

fn conv(g: &mut Graph, x: Symbol, name: &str) -> Symbol {
    let named = |shape: &[usize], part: &str| host(shape).with_name(format!("{name}/{part}"));
    let weights = LayerWeights::new(named(&[1, 1, 2, 2], "k")).bias(named(&[2], "b"));
    g.conv2d(x, Conv2d::new(2, 1).name(name), &weights).unwrap()
}

/// The nodes without the outputs.
fn nodes(g: &Graph) -> Vec<String> {
    let (lines, _) = apply(fuse_epilogues, g);
    lines.into_iter().filter(|line| !line.starts_with("output")).collect()
}

#[test]
fn a_residual_block_becomes_a_step_for_each_convolution() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let y = conv(&mut g, x, "one");
    let y = g.activation(y, Relu).unwrap();
    let y = conv(&mut g, y, "two");
    let y = g.add(y, x).unwrap();
    let y = g.activation(y, Relu).unwrap();
    g.output("y", y);
    let (after, report) = apply(fuse_epilogues, &g);
    let expected = [
        r#"input "x": [batch, 3, 3, 2]"#,
        r#"conv2d "relu" + relu of "x", weights "one/k", "one/b": [batch, 3, 3, 2]"#,
        r#"conv2d "relu_1" + add, relu of "relu", "x", weights "two/k", "two/b": [batch, 3, 3, 2]"#,
        r#"output "y" is "relu_1""#,
    ];
    assert_eq!(after, expected);
    let done = [
        r#"relu "relu" into conv2d "one""#,
        r#"add "add" with "x" into conv2d "two""#,
        r#"relu "relu_1" into conv2d "add""#,
    ];
    assert_eq!(report.done(), done);
    let plan = g.plan(2).unwrap();
    assert_eq!(plan.steps().len(), 2);
    // Values, weights, then the extra operand.
    assert_eq!(plan.steps()[1].operands.len(), 4);
    assert_eq!(plan.steps()[1].operands[3].place, plan.inputs()[0].place);
}

#[test]
fn the_later_of_two_producers_takes_the_other_as_its_operand() {
    for first_is_left in [true, false] {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&[3, 3, 2]));
        let one = conv(&mut g, x, "one");
        let two = conv(&mut g, x, "two");
        let y = if first_is_left { g.add(one, two) } else { g.add(two, one) };
        g.output("y", y.unwrap());
        // Whether the extra operand is the left one is part of the stage.
        let stage = if first_is_left { "add from" } else { "add" };
        let last = format!(
            "conv2d \"add\" + {stage} of \"x\", \"one\", weights \"two/k\", \"two/b\": \
             [batch, 3, 3, 2]"
        );
        assert_eq!(nodes(&g)[2], last);
        assert_eq!(g.plan(1).unwrap().steps().len(), 2);
    }
}

#[test]
fn the_other_producer_is_taken_where_the_later_one_cannot_be() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let one = conv(&mut g, x, "one");
    let two = g.softmax(x, -1).unwrap();
    let y = g.add(two, one).unwrap();
    g.output("y", y);
    let last = "conv2d \"add\" + add from of \"x\", \"softmax\", weights \"one/k\", \"one/b\": \
                [batch, 3, 3, 2]";
    let nodes = nodes(&g);
    assert_eq!(nodes[1], "softmax \"softmax\" of \"x\": [batch, 3, 3, 2]");
    assert_eq!(nodes[2], last);
}

#[test]
fn what_others_need_is_kept() {
    // An output, a value with two users, and one that is used twice by one node.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let named = conv(&mut g, x, "named");
    let y = g.activation(named, Relu).unwrap();
    g.output("named", named);
    g.output("y", y);
    leaves(fuse_epilogues, &g);
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let shared = conv(&mut g, x, "shared");
    let (a, b) = (g.activation(shared, Relu).unwrap(), g.activation(shared, Tanh).unwrap());
    g.output("a", a);
    g.output("b", b);
    leaves(fuse_epilogues, &g);
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let twice = conv(&mut g, x, "twice");
    let y = g.multiply(twice, twice).unwrap();
    g.output("y", y);
    leaves(fuse_epilogues, &g);
}

#[test]
fn an_output_may_be_the_last_of_a_chain() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let a = g.activation(x, Relu).unwrap();
    let a = g.activation(a, Tanh).unwrap();
    let b = g.activation(a, Sigmoid).unwrap();
    g.output("a", a);
    g.output("b", b);
    let expected = [
        "input \"x\": [batch, 3]",
        "relu \"tanh\" + tanh of \"x\": [batch, 3]",
        "sigmoid \"sigmoid\" of \"tanh\": [batch, 3]",
    ];
    assert_eq!(nodes(&g), expected);
}

#[test]
fn a_kernel_takes_four_stages_and_an_activation_three_more() {
    let lengths = |dense: bool, count: usize| {
        let mut g = Graph::new();
        let mut x = g.input("x", batch_of(&[3]));
        if dense {
            x = g.dense(x, Dense::new(3), &kernel(&[3, 3])).unwrap();
        }
        for _ in 0..count {
            x = g.activation(x, Tanh).unwrap();
        }
        g.output("y", x);
        g.plan(1).unwrap().steps().len()
    };
    assert_eq!([4, 5, 8, 9].map(|count| lengths(false, count)), [1, 2, 2, 3]);
    assert_eq!([4, 5, 8, 9].map(|count| lengths(true, count)), [1, 2, 2, 3]);
}

#[test]
fn one_extra_operand_may_serve_several_stages_and_two_may_not() {
    let build = |same: bool| {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&[3]));
        let one = g.input("one", batch_of(&[3]));
        let two = if same { one } else { g.input("two", batch_of(&[3])) };
        let y = g.dense(x, Dense::new(3), &kernel(&[3, 3])).unwrap();
        let y = g.add(y, one).unwrap();
        let y = g.multiply(two, y).unwrap();
        g.output("y", y);
        g
    };
    let same = nodes(&build(true));
    assert_eq!(
        same[2],
        "dense \"multiply\" + add, multiply from of \"x\", \"one\", weights \"kernel\": [batch, 3]"
    );
    assert_eq!(build(true).plan(2).unwrap().steps().len(), 1);
    assert_eq!(nodes(&build(false)).len(), 5);
}

#[test]
fn the_extra_operand_has_the_results_last_axes_or_one_element() {
    let fuses = |result: &[usize], extra: &[usize], batched: bool| {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(result));
        let extra =
            if batched { g.input("e", batch_of(extra)) } else { g.input("e", extra.to_vec()) };
        let y = g.activation(x, Tanh).unwrap();
        let y = g.add(y, extra).unwrap();
        g.output("y", y);
        fuse_epilogues(&g).unwrap().1.changed()
    };
    for extra in [&[][..], &[1], &[5], &[4, 5], &[1, 5], &[1, 1, 5], &[1, 1], &[1, 4, 5]] {
        assert!(fuses(&[4, 5], extra, false), "{extra:?}");
    }
    assert!(fuses(&[4, 5], &[4, 5], true));
    for (extra, batched) in
        [(&[4, 1][..], false), (&[1, 4, 1], false), (&[4, 1], true), (&[1, 5], true)]
    {
        assert!(!fuses(&[4, 5], extra, batched), "{extra:?} {batched}");
    }
    assert!(fuses(&[1, 5], &[1, 5], true));
    // An axis of length 1 in the middle is one of the last axes.
    assert!(fuses(&[2, 1, 5], &[1, 5], false));
    assert!(!fuses(&[0, 5], &[0, 5], false), "an operand without elements has no period");
}

#[test]
fn a_value_that_is_broadcast_itself_takes_nothing() {
    let mut g = Graph::new();
    let x = g.input("x", [5]);
    let wide = g.input("wide", [3, 5]);
    let y = g.activation(x, Tanh).unwrap();
    let y = g.add(y, wide).unwrap();
    g.output("y", y);
    leaves(fuse_epilogues, &g);
}

#[test]
fn linear_takes_no_stage_and_softmax_none_at_all() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3]));
    let y = g.dense(x, Dense::new(3).activation(Softmax), &kernel(&[3, 3])).unwrap();
    let y = g.activation(y, Tanh).unwrap();
    g.output("y", y);
    leaves(fuse_epilogues, &g);
    let mut g = Graph::new();
    let mut x = g.input("x", batch_of(&[3]));
    for activation in [Linear, Linear, Tanh, Linear, Tanh, Tanh, Tanh] {
        x = g.activation(x, activation).unwrap();
    }
    g.output("y", x);
    let expected = "linear \"tanh_3\" + tanh, tanh, tanh, tanh of \"x\": [batch, 3]";
    assert_eq!(nodes(&g)[1], expected);
}

#[test]
fn a_product_takes_a_bias_and_a_function() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 3]));
    let y = g.input("y", batch_of(&[3, 4]));
    let bias = g.constant("bias", host(&[4])).unwrap();
    let z = g.matmul(x, y).unwrap();
    let z = g.add(bias, z).unwrap();
    let z = g.activation(z, Relu).unwrap();
    g.output("z", z);
    let expected = r#"matmul "relu" + add from, relu of "x", "y", "bias": [batch, 5, 4]"#;
    assert_eq!(nodes(&g)[3], expected);
    let plan = g.plan(2).unwrap();
    assert_eq!(plan.steps().len(), 1);
    // Both operands, then the extra one; what is added to the product is none.
    assert_eq!(plan.steps()[0].operands.len(), 3);
    assert_eq!(plan.steps()[0].work.operands_bound(3), [0, 1, 1, 2]);
}

#[test]
fn a_product_with_an_addend_takes_another_operand_behind_it() {
    let build = |extra: &[usize]| {
        let mut g = Graph::new();
        let x = g.input("x", [5, 3]);
        let (y, c) = (g.input("y", [3, 4]), g.input("c", [5, 1]));
        let extra = g.input("extra", extra.to_vec());
        let z = g.gemm(x, y, Some(c), Gemm::new().beta(0.5)).unwrap();
        let z = g.multiply(z, extra).unwrap();
        g.output("z", z);
        g
    };
    let fused = build(&[5, 4]);
    let expected = r#"matmul "multiply" + multiply of "x", "y", "c", "extra": [5, 4]"#;
    assert_eq!(nodes(&fused)[4], expected);
    let plan = fused.plan(1).unwrap();
    assert_eq!(plan.steps()[0].work.operands_bound(4), [0, 1, 2, 3]);
    assert_eq!(plan.steps()[0].operands[3].place, plan.inputs()[3].place);
    // It broadcasts along the last axis, which no epilogue does.
    leaves(fuse_epilogues, &build(&[5, 1]));
    // The product's own operand may be the other one too.
    let mut g = Graph::new();
    let x = g.input("x", [3, 3]);
    let y = g.matmul(x, x).unwrap();
    let y = g.add(y, x).unwrap();
    g.output("y", y);
    assert_eq!(nodes(&g)[1], r#"matmul "add" + add of "x", "x", "x": [3, 3]"#);
}

/// Adds a layer to a graph.
type Layer = fn(&mut Graph, Symbol) -> Symbol;

fn norm(channels: usize) -> LayerWeights {
    LayerWeights::default().with("gamma", host(&[channels])).with("beta", host(&[channels]))
}

fn batch_norm(g: &mut Graph, x: Symbol) -> Symbol {
    let weights = norm(2).with("moving_mean", host(&[2])).with("moving_variance", host(&[2]));
    g.batch_normalization(x, BatchNormalization::new(), &weights).unwrap()
}

#[test]
fn normalizations_take_what_follows_behind_their_moments() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[3, 3, 2]));
    let y = g.instance_normalization(x, InstanceNormalization::new().name("n"), &norm(2));
    let y = g.activation(y.unwrap(), Relu).unwrap();
    let y = g.add(y, x).unwrap();
    let y = batch_norm(&mut g, y);
    let y = g.multiply(x, y).unwrap();
    g.output("y", y);
    let expected = [
        r#"moments "n/moments" of "x": [batch, 2, 2]"#,
        r#"normalization "add" + relu, add of "x", "n/moments", "x", weights "gamma", "beta": [batch, 3, 3, 2]"#,
        r#"batch_normalization "multiply" + multiply from of "add", "x", weights "gamma", "beta", "moving_mean", "moving_variance": [batch, 3, 3, 2]"#,
    ];
    assert_eq!(nodes(&g)[1..], expected);
    let only = PlanOptions::new().passes(Passes::none().with("fuse_epilogues").unwrap());
    let plan = g.plan_with(2, only).unwrap();
    let bound: Vec<Vec<usize>> = plan.steps()[1..]
        .iter()
        .map(|step| step.work.operands_bound(step.operands.len()))
        .collect();
    // x, moments, scale, bias and the extra one; x, the four weights and the extra one.
    assert_eq!(bound, [vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4, 5]]);
    assert_eq!(plan.steps()[1].operands[4].place, plan.inputs()[0].place);
    assert_eq!(plan.steps()[2].operands[5].place, plan.inputs()[0].place);
}

#[test]
fn windows_take_what_follows() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[4, 4, 2]));
    let y = g.max_pooling2d(x, Pooling::new(2)).unwrap();
    let y = g.activation(y, Relu).unwrap();
    let y = g.resize2d(y, Resize2d::new(4)).unwrap();
    let y = g.add(y, x).unwrap();
    g.output("y", y);
    let expected = [
        r#"pool2d "relu" + relu of "x": [batch, 2, 2, 2]"#,
        r#"resize2d "add" + add of "relu", "x": [batch, 4, 4, 2]"#,
    ];
    assert_eq!(nodes(&g)[1..], expected);
    let plan = g.plan(3).unwrap();
    let kernels: Vec<&str> = plan.steps().iter().map(|step| step.kernel.entry).collect();
    assert_eq!(kernels, ["general", "nearest"]);
}

/// Each family's node takes a stage exactly if its kernel has a place for the extra operand.
#[test]
fn the_families_that_take_stages_are_those_whose_kernels_do() {
    let image = batch_of(&[3, 3, 2]);
    let layers: [Layer; 20] = [
        |g, x| conv(g, x, "conv"),
        |g, x| g.conv2d_transpose(x, Conv2dTranspose::new(2, 1), &kernel(&[1, 1, 2, 2])).unwrap(),
        |g, x| g.dense(x, Dense::new(2), &kernel(&[2, 2])).unwrap(),
        |g, x| g.activation(x, Relu).unwrap(),
        |g, x| g.add(x, x).unwrap(),
        |g, x| g.matmul_with(x, x, MatMul::new().transpose_left(true)).unwrap(),
        |g, x| g.resize2d(x, Resize2d::new(3)).unwrap(),
        |g, x| g.max_pooling2d(x, Pooling::new(2)).unwrap(),
        |g, x| batch_norm(g, x),
        |g, x| g.instance_normalization(x, InstanceNormalization::new(), &norm(2)).unwrap(),
        |g, x| g.softmax(x, -1).unwrap(),
        |g, x| g.lrn(x, Lrn::new(1)).unwrap(),
        |g, x| g.reduce(x, Reduce::new(ReduceOp::Sum).axes([-1])).unwrap(),
        |g, x| g.cumsum(x, CumSum::new().axis(-1)).unwrap(),
        |g, x| g.top_k(x, TopK::new(2)).unwrap().values,
        |g, x| g.select(x, x, x).unwrap(),
        |g, x| g.transpose(x, &[0, 2, 1, 3]).unwrap(),
        |g, x| g.gather(x, &arr1(&[1, 0, 1]).into_dyn(), -1).unwrap(),
        |g, x| g.pad(x, Pad::new([(0, 0), (1, 1), (0, 0), (0, 0)])).unwrap(),
        |g, x| g.grid_sample(x, x, GridSample::new()).unwrap(),
    ];
    let mut planned = BTreeSet::new();
    for layer in layers {
        let mut g = Graph::new();
        let x = g.input("x", image.clone());
        let y = layer(&mut g, x);
        let y = g.activation(y, Tanh).unwrap();
        g.output("y", y);
        let plain = PlanOptions::new().passes(Passes::none());
        let plan = g.plan_with(1, plain).unwrap();
        let steps = plan.steps();
        planned.extend(steps.iter().filter_map(|step| step.work.shader()).map(Shader::stem));
        // The layer's last step is the one before the function.
        let shader = steps[steps.len() - 2].work.shader().unwrap();
        let fuses = fuse_epilogues(&g).unwrap().1.changed();
        assert_eq!(fuses, shader.bindings().contains(&Binding::Extra), "{}", shader.stem());
    }
    // So every kernel has filled the parameters of its shader, all of them and no other.
    assert_eq!(planned, SHADERS.iter().map(|shader| shader.stem()).collect());
}
