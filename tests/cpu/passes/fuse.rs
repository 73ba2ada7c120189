//! Fusion: chains into one node, what is refused, and the order of operands.

use longshore::Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
use longshore::kernels::Binding;
use longshore::passes::fuse_epilogues;
use longshore::{
    Conv2d, Conv2dTranspose, Dense, Graph, LayerWeights, Passes, PlanOptions, Resize2d, Symbol,
};

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
    let two = g.resize2d(x, Resize2d::new(3)).unwrap();
    let y = g.add(two, one).unwrap();
    g.output("y", y);
    let last = "conv2d \"add\" + add from of \"x\", \"resize2d\", weights \"one/k\", \"one/b\": \
                [batch, 3, 3, 2]";
    let nodes = nodes(&g);
    assert_eq!(nodes[1], "resize2d \"resize2d\" of \"x\": [batch, 3, 3, 2]");
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

/// Each family's node takes a stage exactly if its kernel has a place for the extra operand.
/// Adds a layer to a graph.
type Layer = fn(&mut Graph, Symbol) -> Symbol;

#[test]
fn the_families_that_take_stages_are_those_whose_kernels_do() {
    let image = batch_of(&[3, 3, 2]);
    let layers: [Layer; 7] = [
        |g, x| conv(g, x, "conv"),
        |g, x| g.conv2d_transpose(x, Conv2dTranspose::new(2, 1), &kernel(&[1, 1, 2, 2])).unwrap(),
        |g, x| g.dense(x, Dense::new(2), &kernel(&[2, 2])).unwrap(),
        |g, x| g.activation(x, Relu).unwrap(),
        |g, x| g.add(x, x).unwrap(),
        |g, x| g.resize2d(x, Resize2d::new(3)).unwrap(),
        |g, x| g.softmax(x, -1).unwrap(),
    ];
    for layer in layers {
        let mut g = Graph::new();
        let x = g.input("x", image.clone());
        let y = layer(&mut g, x);
        let y = g.activation(y, Tanh).unwrap();
        g.output("y", y);
        let plain = PlanOptions::new().passes(Passes::none());
        let family = g.plan_with(1, &plain).unwrap().steps()[0].kernel.family;
        let fuses = fuse_epilogues(&g).unwrap().1.changed();
        assert_eq!(fuses, family.bindings().contains(&Binding::Extra), "{}", family.stem());
    }
}
