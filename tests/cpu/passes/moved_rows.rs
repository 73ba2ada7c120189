//! Rows of moved axes: normalizations between layers with channels first.

use longshore::Activation::{Gelu, Relu};
use longshore::passes::move_transposes;
use longshore::{
    ArgReduce, Conv2d, Dense, Graph, GroupNormalization, HostArray, InstanceNormalization,
    LayerNormalization, LayerWeights, MeanVarianceNormalization, Padding, Passes, PlanOptions,
    Reduce, ReduceOp, Symbol,
};
use ndarray::ArrayD;

use super::{apply, leaves};
use crate::graph::{batch_of, host, kernel};

const TO_LAST: [usize; 4] = [0, 2, 3, 1];
const TO_FIRST: [usize; 4] = [0, 3, 1, 2];

/// A convolution of channels that come first.
fn conv(g: &mut Graph, x: Symbol, channels: [usize; 2]) -> Symbol {
    let x = g.transpose(x, &TO_LAST).unwrap();
    let layer = Conv2d::new(channels[1], 3).padding(Padding::Same);
    let y = g.conv2d(x, layer, &kernel(&[3, 3, channels[0], channels[1]])).unwrap();
    g.transpose(y, &TO_FIRST).unwrap()
}

fn norm(shape: &[usize]) -> LayerWeights {
    LayerWeights::default()
        .with("gamma", host(shape).with_name("gamma"))
        .with("beta", host(shape).with_name("beta"))
}

/// Two convolutions with a layer between them, as the pass leaves them: what stands between the
/// convolutions, and the report.
fn between(layer: impl Fn(&mut Graph, Symbol) -> Symbol) -> (Vec<String>, Vec<String>) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let y = layer(&mut g, y);
    let y = conv(&mut g, y, [6, 3]);
    g.output("y", y);
    let (lines, report) = apply(move_transposes, &g);
    let at = |name: &str| lines.iter().position(|line| line.starts_with(name)).unwrap();
    let inside = lines[at("conv2d \"conv2d\"") + 1..at("conv2d \"conv2d_1\"")].to_vec();
    let options = PlanOptions::new().passes(Passes::none());
    let plain = g.plan_with(2, options.clone()).unwrap();
    let only = options.passes(Passes::none().with("move_transposes").unwrap());
    let moved = g.plan_with(2, only).unwrap();
    // One before the network, one behind it; all others are gone.
    let count = |steps: &[longshore::plan::Step]| {
        steps.iter().filter(|step| step.node.starts_with("transpose ")).count()
    };
    assert_eq!(count(moved.steps()), 2, "{lines:#?}");
    let gone = count(plain.steps()) - 2;
    assert_eq!(moved.steps().len(), plain.steps().len() - gone);
    (inside, report.done().to_vec())
}

#[test]
fn instance_normalization_needs_no_transpose() {
    let (inside, _) = between(|g, x| {
        let layer = InstanceNormalization::new().axis(1).name("n");
        g.instance_normalization(x, layer, &norm(&[6])).unwrap()
    });
    let expected = [
        r#"moments "n/moments" of "conv2d": [batch, 6, 2]"#,
        r#"normalization "n/moved1" of "conv2d", "n/moments", weights "gamma", "beta": [batch, 5, 7, 6]"#,
    ];
    assert_eq!(inside, expected);
}

#[test]
fn group_normalization_splits_the_channels_where_they_are() {
    let (inside, _) = between(|g, x| {
        let layer = GroupNormalization::new(2).axis(1).name("n");
        let y = g.group_normalization(x, layer, &norm(&[6])).unwrap();
        g.activation(y, Relu).unwrap()
    });
    let expected = [
        r#"moments "n/moments" of "conv2d": [batch, 2, 2]"#,
        r#"normalization "n/moved1" of "conv2d", "n/moments", weights "gamma", "beta": [batch, 5, 7, 6]"#,
        r#"relu "relu/moved1" of "n/moved1": [batch, 5, 7, 6]"#,
    ];
    assert_eq!(inside, expected);
}

#[test]
fn a_reshaped_normalization_becomes_one_of_groups() {
    // As networks are written for ONNX's older operator sets.
    for groups in [1, 2] {
        let (inside, done) = between(|g, x| {
            let parts = g.reshape(x, [groups, 210 / groups]).unwrap();
            let layer = InstanceNormalization::new().axis(1).name("n");
            let y = g.instance_normalization(parts, layer, &norm(&[groups as usize])).unwrap();
            g.reshape(y, [6, 5, 7]).unwrap()
        });
        assert_eq!(inside.len(), 2, "{inside:#?}");
        let kept = if groups == 1 { String::new() } else { format!(" {groups},") };
        let moments = format!("moments \"n/moments\" of \"conv2d\": [batch,{kept} 2]");
        assert_eq!(inside[0], moments);
        let normalization = r#"normalization "n/lifted/moved1" of "conv2d", "n/moments""#;
        assert!(inside[1].starts_with(normalization), "{inside:#?}");
        assert!(inside[1].ends_with(": [batch, 5, 7, 6]"), "{inside:#?}");
        let line = "normalization \"n\" over what its operand is a reshape of";
        assert!(done.iter().any(|done| done == line), "{done:?}");
    }
}

#[test]
fn a_reshape_that_others_need_stays_behind_the_lifted_one() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let parts = g.reshape(y, [2, 105]).unwrap();
    let layer = InstanceNormalization::new().axis(1).name("n");
    let z = g.instance_normalization(parts, layer, &norm(&[2])).unwrap();
    let y = g.reshape(z, [6, 5, 7]).unwrap();
    let y = conv(&mut g, y, [6, 3]);
    let flat = g.reshape(z, [210]).unwrap();
    g.output("y", y);
    g.output("z", z);
    g.output("flat", flat);
    let (lines, _) = apply(move_transposes, &g);
    let transposes = lines.iter().filter(|line| line.starts_with("transpose")).count();
    assert_eq!(transposes, 3, "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("reshape \"n\" of \"n/lifted\"")),
        "{lines:#?}"
    );
    let flat = "reshape \"reshape_2\" of \"n/lifted\": [batch, 210]";
    assert!(lines.iter().any(|line| line == flat), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("of \"reshape\"")), "{lines:#?}");
}

#[test]
fn parts_of_several_axes_cannot_be_found_where_the_value_is_held() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    // 21 = 3 * 7, of which no axis has the other 10.
    let parts = g.reshape(y, [10, 21]).unwrap();
    let layer = InstanceNormalization::new().axis(1);
    let y = g.instance_normalization(parts, layer, &norm(&[10])).unwrap();
    g.output("y", y);
    leaves(move_transposes, &g);
}

#[test]
fn layer_normalization_takes_its_weights_along() {
    // Channels alone, as before a block of dense layers.
    let (inside, done) = between(|g, x| {
        let layer = LayerNormalization::new().axis([1]).name("n");
        g.layer_normalization(x, layer, &norm(&[6])).unwrap()
    });
    let expected = [
        r#"moments "n/moments" of "conv2d": [batch, 5, 7, 2]"#,
        r#"normalization "n/moved1" of "conv2d", "n/moments", weights "gamma", "beta": [batch, 5, 7, 6]"#,
    ];
    assert_eq!(inside, expected);
    let weight = "a transpose into a weight of normalization \"n\"";
    assert!(!done.iter().any(|line| line == weight), "{done:?}");
    // The whole image: the weights' numbers move.
    let (inside, done) = between(|g, x| {
        let layer = LayerNormalization::new().axis([1, 2, 3]).name("n");
        g.layer_normalization(x, layer, &norm(&[6, 5, 7])).unwrap()
    });
    assert_eq!(inside[0], r#"moments "n/moments" of "conv2d": [batch, 2]"#);
    assert_eq!(done.iter().filter(|line| *line == weight).count(), 2, "{done:?}");
}

#[test]
fn moments_in_another_order_are_read_in_that_order() {
    // Rows along the height: items, channels and columns are kept, and held with channels last.
    let (inside, _) = between(|g, x| {
        let layer = LayerNormalization::new().axis([2]).name("n");
        g.layer_normalization(x, layer, &norm(&[5])).unwrap()
    });
    let expected = [
        r#"moments "n/moments/moved1" of "conv2d": [batch, 7, 6, 2]"#,
        r#"normalization "n/moved1" of "conv2d", "n/moments/moved1", weights "gamma", "beta": [batch, 5, 7, 6]"#,
    ];
    assert_eq!(inside, expected);
    // Over the batch as well.
    let (inside, _) = between(|g, x| {
        let layer = MeanVarianceNormalization::new().axes([0, 3]).name("n");
        g.mean_variance_normalization(x, layer).unwrap()
    });
    assert_eq!(inside[0], r#"moments "n/moments/moved1" of "conv2d": [5, 6, 2]"#);
}

#[test]
fn means_and_deviations_that_are_values_move_as_well() {
    let (inside, _) = between(|g, x| {
        let layer = LayerNormalization::new().axis([3]).name("n");
        let found = g.layer_normalization_with_moments(x, layer, &norm(&[7])).unwrap();
        let y = g.multiply(found.output, found.inv_std_dev).unwrap();
        g.add(y, found.mean).unwrap()
    });
    assert!(
        inside.contains(&r#"moments "n/mean/moved1" of "conv2d": [batch, 5, 1, 6]"#.to_owned())
    );
    let deviation = r#"moments "n/inv_std_dev/moved1" of "conv2d": [batch, 5, 1, 6]"#;
    assert!(inside.contains(&deviation.to_owned()), "{inside:#?}");
}

#[test]
fn weights_that_cannot_be_read_keep_their_layer_where_it_was() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let nan = HostArray::from(ArrayD::from_elem(vec![6, 5, 7], f32::NAN));
    let layer = LayerNormalization::new().axis([1, 2, 3]).name("n");
    let weights = LayerWeights::default().with("gamma", nan.clone()).with("beta", nan);
    let y = g.layer_normalization(y, layer, &weights).unwrap();
    let y = conv(&mut g, y, [6, 3]);
    let y = conv(&mut g, y, [3, 3]);
    g.output("y", y);
    let (lines, report) = apply(move_transposes, &g);
    let left = "normalization \"n\": its weights cannot be moved";
    assert_eq!(report.left(), [left]);
    let transposes = lines.iter().filter(|line| line.starts_with("transpose")).count();
    // Around the normalization, and at the ends; the moments are those of the same order.
    assert_eq!(transposes, 4, "{lines:#?}");
    // Where rows are held in another order, the moments stay with their normalization.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 3, 4, 5]));
    let y = g.transpose(x, &[0, 4, 3, 2, 1]).unwrap();
    let layer = LayerNormalization::new().axis([1, 3]).name("n");
    let nan = HostArray::from(ArrayD::from_elem(vec![5, 3], f32::NAN));
    let weights = LayerWeights::default().with("gamma", nan.clone()).with("beta", nan);
    let y = g.layer_normalization(y, layer, &weights).unwrap();
    let mut y = g.transpose(y, &[0, 4, 3, 2, 1]).unwrap();
    for _ in 0..2 {
        y = g.transpose(y, &[0, 1, 2, 4, 3]).unwrap();
    }
    g.output("y", y);
    let (lines, _) = apply(move_transposes, &g);
    let transposes = lines.iter().filter(|line| line.starts_with("transpose")).count();
    assert_eq!(transposes, 2, "{lines:#?}");
}

#[test]
fn a_block_with_channels_last_inside_keeps_none() {
    // A depthwise part with channels first, a normalization and two dense layers with channels
    // last, and the sum with what came in.
    let (inside, _) = between(|g, x| {
        let y = conv(g, x, [6, 6]);
        let y = g.transpose(y, &TO_LAST).unwrap();
        let y = g.layer_normalization(y, LayerNormalization::new(), &norm(&[6])).unwrap();
        let y = g.dense(y, Dense::new(12).activation(Gelu), &kernel(&[6, 12])).unwrap();
        let y = g.dense(y, Dense::new(6), &kernel(&[12, 6])).unwrap();
        let y = g.transpose(y, &TO_FIRST).unwrap();
        g.add(x, y).unwrap()
    });
    assert!(!inside.iter().any(|line| line.starts_with("transpose")), "{inside:#?}");
}

#[test]
fn positions_and_what_drops_axes_need_no_transpose() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let y = g.arg_max(y, ArgReduce::new(1).keepdims(false)).unwrap();
    g.output("y", y);
    let (lines, _) = apply(move_transposes, &g);
    let transposes = lines.iter().filter(|line| line.starts_with("transpose")).count();
    assert_eq!(transposes, 1, "{lines:#?}");
    assert!(lines.contains(&r#"arg_max "arg_max" of "conv2d": [batch, 5, 7]"#.to_owned()));
}

#[test]
fn moments_that_others_read_keep_their_reshape() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let parts = g.reshape(y, [2, 105]).unwrap();
    let layer = InstanceNormalization::new().axis(1).name("n");
    let y = g.instance_normalization(parts, layer, &norm(&[2])).unwrap();
    let y = g.reshape(y, [6, 5, 7]).unwrap();
    let y = conv(&mut g, y, [6, 3]);
    g.output("y", y);
    let moments = g.symbol("n/moments").unwrap();
    g.output("moments", moments);
    leaves(move_transposes, &g);
}

#[test]
fn a_reshaped_normalization_with_stages_stays() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let parts = g.reshape(y, [2, 105]).unwrap();
    let layer = InstanceNormalization::new().axis(1).name("n");
    let y = g.instance_normalization(parts, layer, &norm(&[2])).unwrap();
    let y = g.activation(y, Relu).unwrap();
    let y = g.reshape(y, [6, 5, 7]).unwrap();
    let y = conv(&mut g, y, [6, 3]);
    g.output("y", y);
    let (fused, _) = longshore::passes::fuse_epilogues(&g).unwrap();
    leaves(move_transposes, &fused);
}

#[test]
fn an_operand_of_an_epilogue_keeps_a_normalization_where_it_is() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[2, 5, 7]));
    let y = conv(&mut g, x, [2, 6]);
    let layer = InstanceNormalization::new().axis(1).name("n");
    let z = g.instance_normalization(y, layer, &norm(&[6])).unwrap();
    let other = g.input("other", batch_of(&[6, 5, 7]));
    let y = g.add(z, other).unwrap();
    let y = conv(&mut g, y, [6, 3]);
    g.output("y", y);
    let (fused, _) = longshore::passes::fuse_epilogues(&g).unwrap();
    assert!(fused.to_string().contains("+ add"), "{fused}");
    leaves(move_transposes, &fused);
}

/// Beyond six axes, kernels walk over rows in some orders only: what they can do stays what it is.
#[test]
fn rows_of_more_axes_than_kernels_walk_in_any_order_stay() {
    let shape = [2, 3, 2, 3, 2, 3, 2];
    // Six runs of axes for the transposes, and seven for the rows.
    let (back, apart) = ([0, 2, 6, 4, 5, 1, 3], [0, 5, 1, 6, 3, 4, 2]);
    for layer in 0..3 {
        let mut g = Graph::new();
        let x = g.input("x", shape);
        // Held with the last three axes between the others.
        let y = g.transpose(x, &back).unwrap();
        let y = if layer == 0 {
            let layer = LayerNormalization::new().axis([4, 5, 6]);
            let lengths: Vec<usize> = back[4..].iter().map(|&axis| shape[axis]).collect();
            g.layer_normalization(y, layer, &norm(&lengths)).unwrap()
        } else {
            let sum = Reduce::new(ReduceOp::Sum).axes([4, 5, 6]).keepdims(layer == 1);
            g.reduce(y, sum).unwrap()
        };
        let y = if layer == 2 {
            let y = g.transpose(y, &[1, 0, 2, 3]).unwrap();
            g.transpose(y, &[1, 0, 2, 3]).unwrap()
        } else {
            g.transpose(y, &apart).unwrap()
        };
        g.output("y", y);
        let plan = g.plan(1).unwrap();
        assert!(plan.steps()[0].node.starts_with("transpose "), "{plan}");
    }
}
