//! Layers over lines, and transposed convolutions by ONNX's rules: shapes, and what is refused.

use longshore::graph::LayerWeights;
use longshore::ops::{Op, Pads, Pair};
use longshore::{
    Conv1d, Conv1dTranspose, Conv2dTranspose, DepthwiseConv1d, Error, Graph, Padding, Padding1d,
    Result, SeparableConv1d, Shape, Symbol,
};

use crate::graph::{batch_of, host, kernel};

/// Checks the shape of a layer over lines of 9 steps and 4 channels.
#[track_caller]
fn gives(result: &[usize], layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[9, 4]));
    let y = layer(&mut g, x).unwrap();
    assert_eq!(g.shape(y), Some(&Shape::new(batch_of(result))));
}

#[track_caller]
fn refused(item: &[usize], layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) -> Error {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(item));
    let error = layer(&mut g, x).unwrap_err();
    assert_eq!(g.nodes().len(), 1, "a refused layer leaves no node");
    error
}

#[track_caller]
fn refuses(text: &str, layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) {
    let error = refused(&[9, 4], layer);
    assert!(matches!(error, Error::Operand { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
}

#[test]
fn convolutions() {
    let conv = |layer: Conv1d, weight: &[usize], result: &[usize]| {
        gives(result, |g, x| g.conv1d(x, layer, &kernel(weight)));
    };
    conv(Conv1d::new(6, 3), &[3, 4, 6], &[7, 6]);
    conv(Conv1d::new(6, 3).padding(Padding1d::Same).strides(2), &[3, 4, 6], &[5, 6]);
    conv(Conv1d::new(6, 4).padding(Padding1d::SameLower), &[4, 4, 6], &[9, 6]);
    conv(Conv1d::new(6, 3).padding(Padding1d::Causal).dilation(4), &[3, 4, 6], &[9, 6]);
    conv(Conv1d::new(6, 3).padding(Padding1d::Causal).strides(2), &[3, 4, 6], &[5, 6]);
    let ends = Padding1d::Explicit { before: 1, after: 4 };
    conv(Conv1d::new(6, 3).padding(ends).groups(2), &[3, 2, 6], &[12, 6]);
    let layer = DepthwiseConv1d::new(2).depth_multiplier(3).strides(3);
    gives(&[3, 12], |g, x| g.depthwise_conv1d(x, layer, &kernel(&[2, 4, 3])));
    let weights = LayerWeights::separable(host(&[2, 4, 3]), host(&[1, 12, 5]));
    let layer = SeparableConv1d::new(5, 2).depth_multiplier(3).dilation(2);
    gives(&[7, 5], |g, x| g.separable_conv1d(x, layer.name("s"), &weights));
}

#[test]
fn pads_of_lines() {
    let pads = |layer: Conv1d| {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&[9, 4]));
        g.conv1d(x, layer, &kernel(&[4, 4, 6])).unwrap();
        match g.nodes().last().unwrap().op() {
            Op::Conv2d(resolved) => resolved.pads,
            op => panic!("{op:?}"),
        }
    };
    let sides = |left, right| Pads { top: 0, bottom: 0, left, right };
    let of = |padding| pads(Conv1d::new(6, 4).padding(padding));
    assert_eq!(of(Padding1d::Valid), sides(0, 0));
    assert_eq!(of(Padding1d::Same), sides(1, 2));
    assert_eq!(of(Padding1d::SameLower), sides(2, 1));
    assert_eq!(of(Padding1d::Causal), sides(3, 0));
    assert_eq!(of(Padding1d::Explicit { before: 5, after: 1 }), sides(5, 1));
    assert_eq!(pads(Conv1d::new(6, 4).padding(Padding1d::Causal).dilation(2)), sides(6, 0));
}

#[test]
fn what_convolutions_refuse() {
    let text = |text: &str, weight: &[usize]| {
        let site = format!("\n  (x [batch, 9, 4], kernel {weight:?}); ");
        format!("conv1d \"conv1d\": {}", text.replace("; ", &site))
    };
    for (layer, weight, what) in [
        (
            Conv1d::new(6, 3),
            &[1, 3, 4, 6][..],
            "kernel has 4 dimensions but a convolution kernel over lines has 3: \
             (k, Cin/groups, Cout); reshape it",
        ),
        (
            Conv1d::new(6, 3),
            &[5, 4, 6],
            "kernel is 5 long but the layer's kernel_size is 3; make both equal",
        ),
        (
            Conv1d::new(6, 3).strides(0),
            &[3, 4, 6],
            "strides is 0 but it must be at least 1; use a positive number",
        ),
        (
            Conv1d::new(6, 3).dilation(0),
            &[3, 4, 6],
            "dilation is 0 but it must be at least 1; use a positive number",
        ),
        (
            Conv1d::new(6, 3).dilation(5),
            &[3, 4, 6],
            "kernel length spans 11 pixels with its dilation but the padded image has 9, so the \
             output would have -1; use a smaller kernel or dilation, or more padding",
        ),
        (
            Conv1d::new(6, 3).groups(4),
            &[3, 1, 6],
            "groups is 4 but it must divide both Cin 4 and filters 6; choose a common divisor",
        ),
    ] {
        refuses(&text(what, weight), |g, x| g.conv1d(x, layer, &kernel(weight)));
    }
    let error = refused(&[1, 9, 4], |g, x| g.conv1d(x, Conv1d::new(6, 3), &kernel(&[3, 4, 6])));
    assert_eq!(
        error.to_string(),
        "conv1d \"conv1d\": \"x\" has 4 dimensions but a line has 3: (batch, steps, channels)\n  \
         (x [batch, 1, 9, 4], kernel [3, 4, 6]); reshape it"
    );
    // A pad beyond counting is beyond planning.
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[9, 4]));
    let layer = Conv1d::new(6, 3).padding(Padding1d::Causal).dilation(usize::MAX);
    assert!(g.conv1d(x, layer, &kernel(&[3, 4, 6])).is_err());
    let layer = Conv1d::new(6, 2).padding(Padding1d::Causal).dilation(usize::MAX);
    let y = g.conv1d(x, layer, &kernel(&[2, 4, 6])).unwrap();
    g.output("y", y);
    assert!(matches!(g.plan(1), Err(Error::Limit { .. })));
}

#[test]
fn transposed_convolutions() {
    let conv = |layer: Conv1dTranspose, weight: &[usize], result: &[usize]| {
        gives(result, |g, x| g.conv1d_transpose(x, layer, &kernel(weight)));
    };
    conv(Conv1dTranspose::new(6, 3).strides(2), &[3, 6, 4], &[19, 6]);
    conv(Conv1dTranspose::new(6, 2).strides(3), &[2, 6, 4], &[27, 6]);
    conv(Conv1dTranspose::onnx(6, 2).strides(3), &[2, 6, 4], &[26, 6]);
    conv(Conv1dTranspose::new(6, 3).strides(2).padding(Padding1d::Same), &[3, 6, 4], &[18, 6]);
    conv(Conv1dTranspose::onnx(6, 3).groups(2).output_shape(20), &[3, 3, 4], &[20, 6]);
    let ends = Padding1d::Explicit { before: 2, after: 1 };
    let layer = Conv1dTranspose::onnx(6, 3).strides(2).padding(ends).output_padding(1);
    conv(layer, &[3, 6, 4], &[17, 6]);
    let error = refused(&[9, 4], |g, x| {
        let layer = Conv1dTranspose::new(6, 3).padding(Padding1d::Causal);
        g.conv1d_transpose(x, layer, &kernel(&[3, 6, 4]))
    });
    assert_eq!(
        error.to_string(),
        "conv1d_transpose \"conv1d_transpose\": padding Causal of a transposed convolution is not \
         supported; use Padding1d::Valid or Padding1d::Same"
    );
}

/// The output's size and the crop of a layer over (batch, 5, 4, 6) with a kernel of 3 by 4.
fn onnx(layer: Conv2dTranspose) -> (Pair, Pair) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[5, 4, 6]));
    let y = g.conv2d_transpose(x, layer, &kernel(&[3, 4, 2, 6])).unwrap();
    let shape = g.shape(y).unwrap().resolve(1);
    match g.nodes().last().unwrap().op() {
        Op::Conv2dTranspose(resolved) => (Pair::new(shape[1], shape[2]), resolved.crop),
        op => panic!("{op:?}"),
    }
}

#[test]
fn onnx_rules_of_output_and_crop() {
    let layer = || Conv2dTranspose::onnx(2, (3, 4)).strides((2, 1));
    let pair = Pair::new;
    // The full result is 11 by 7.
    assert_eq!(onnx(layer()), (pair(11, 7), pair(0, 0)));
    assert_eq!(onnx(layer().output_padding((1, 5))), (pair(12, 12), pair(0, 0)));
    let pads = Pads { top: 1, bottom: 2, left: 3, right: 0 };
    assert_eq!(onnx(layer().padding(Padding::Explicit(pads))), (pair(8, 4), pair(1, 3)));
    assert_eq!(onnx(layer().padding(Padding::Same)), (pair(10, 4), pair(0, 1)));
    assert_eq!(onnx(layer().padding(Padding::SameLower)), (pair(10, 4), pair(1, 2)));
    let added = layer().output_padding((0, 1));
    assert_eq!(onnx(added.padding(Padding::SameLower)), (pair(10, 4), pair(1, 2)));
    let shaped = || layer().output_shape((6, 4));
    assert_eq!(onnx(shaped()), (pair(6, 4), pair(3, 2)));
    assert_eq!(onnx(shaped().padding(Padding::SameLower)), (pair(6, 4), pair(3, 2)));
    assert_eq!(onnx(shaped().padding(Padding::Same)), (pair(6, 4), pair(2, 1)));
    assert_eq!(onnx(shaped().output_padding(1)), (pair(6, 4), pair(3, 2)));
    // Longer than the full result: nothing is cropped.
    assert_eq!(onnx(layer().output_shape((13, 20))), (pair(13, 20), pair(0, 0)));
    let wide = Conv2dTranspose::onnx(2, (3, 4)).dilation((3, 2)).padding(Padding::Same);
    assert_eq!(onnx(wide), (pair(5, 4), pair(3, 3)));
}

#[test]
fn options_that_a_rule_does_not_have() {
    let unsupported = |layer: Conv2dTranspose, what: &str| {
        let error =
            refused(&[5, 4, 6], |g, x| g.conv2d_transpose(x, layer, &kernel(&[3, 4, 2, 6])));
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
        let text = format!("conv2d_transpose \"conv2d_transpose\": {what}");
        assert_eq!(error.to_string(), text);
    };
    unsupported(
        Conv2dTranspose::new(2, (3, 4)).output_shape(9),
        "output_shape of a transposed convolution is not supported; make the layer by its `onnx`",
    );
    let explicit = Padding::Explicit(Pads::default());
    unsupported(
        Conv2dTranspose::onnx(2, (3, 4)).output_shape(9).padding(explicit),
        "explicit padding beside output_shape of a transposed convolution is not supported; leave \
         the padding out: ONNX derives it from the output's shape",
    );
}

#[test]
fn groups_of_transposed_convolutions() {
    let text = |what: &str, weight: &[usize]| {
        let site = format!("\n  (x [batch, 9, 4], kernel {weight:?}); ");
        format!("conv1d_transpose \"conv1d_transpose\": {}", what.replace("; ", &site))
    };
    for (groups, weight, what) in [
        (
            3,
            [3, 2, 4],
            "groups is 3 but it must divide both Cin 4 and filters 6; choose a common divisor",
        ),
        (
            0,
            [3, 2, 4],
            "groups is 0 but it must divide both Cin 4 and filters 6; choose a common divisor",
        ),
        (
            2,
            [3, 6, 4],
            "kernel gives 6 channels of each group but the layer asks for 6 in 2 groups; make \
             both equal and positive",
        ),
        (2, [3, 3, 2], "kernel has 2 input channels but \"x\" has 4; make Cin equal in both"),
    ] {
        refuses(&text(what, &weight), |g, x| {
            let layer = Conv1dTranspose::new(6, 3).groups(groups);
            g.conv1d_transpose(x, layer, &kernel(&weight))
        });
    }
    let layer = Conv1dTranspose::new(0, 3).groups(2);
    let needed = "kernel gives 0 channels of each group but the layer asks for 0 in 2 groups; make \
                  both equal and positive";
    refuses(&text(needed, &[3, 0, 4]), |g, x| g.conv1d_transpose(x, layer, &kernel(&[3, 0, 4])));
}
