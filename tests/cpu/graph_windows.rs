//! What layers with windows refuse: the variant, then the exact text.

use longshore::graph::LayerWeights;
use longshore::ops::Pads;
use longshore::{
    Conv2d, Conv2dTranspose, DepthwiseConv2d, Error, Graph, Padding, Result, SeparableConv2d,
    Symbol,
};

use crate::graph::{batch_of, host, kernel};

const MAX: usize = usize::MAX;

/// Checks that a layer over (batch, 8, 7, 4) refuses an operand with this text.
#[track_caller]
fn refuses(text: &str, layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[8, 7, 4]));
    let error = layer(&mut g, x).unwrap_err();
    assert!(matches!(error, Error::Operand { .. }), "{error:?}");
    assert_eq!(error.to_string(), text);
    assert_eq!(g.nodes().len(), 1, "a refused layer leaves no node");
}

/// A convolution over (batch, 8, 7, 4); the text is what follows the node's title.
#[track_caller]
fn conv(layer: Conv2d, weight: &[usize], text: &str) {
    let site = format!("\n  (x [batch, 8, 7, 4], kernel {weight:?}); ");
    let text = format!("conv2d \"conv2d\": {}", text.replace("; ", &site));
    refuses(&text, |g, x| g.conv2d(x, layer, &kernel(weight)));
}

#[track_caller]
fn transpose(layer: Conv2dTranspose, weight: &[usize], text: &str) {
    let site = format!("\n  (x [batch, 8, 7, 4], kernel {weight:?}); ");
    let text = format!("conv2d_transpose \"conv2d_transpose\": {}", text.replace("; ", &site));
    refuses(&text, |g, x| g.conv2d_transpose(x, layer, &kernel(weight)));
}

#[test]
fn the_message_of_the_design_comes_out_as_written() {
    let mut g = Graph::new();
    let image = g.input("image", [1, 64, 64, 4]);
    let layer = Conv2d::new(8, (3, 3)).name("edges");
    let error = g.conv2d(image, layer, &kernel(&[3, 3, 3, 8])).unwrap_err();
    assert!(matches!(&error, Error::Operand { operand, .. } if operand == "kernel"), "{error:?}");
    assert_eq!(
        error.to_string(),
        "conv2d \"edges\": kernel has 3 input channels but \"image\" has 4\n  \
         (image [1, 64, 64, 4], kernel [3, 3, 3, 8]); make Cin equal in both"
    );
}

#[test]
fn channels_and_groups() {
    let divisor = "but it must divide both Cin 4 and filters 6; choose a common divisor";
    for groups in [0, 3, 4, 5, MAX] {
        let text = format!("groups is {groups} {divisor}");
        conv(Conv2d::new(6, 3).groups(groups), &[3, 3, 2, 6], &text);
    }
    conv(
        Conv2d::new(6, 3).groups(2),
        &[3, 3, 4, 6],
        "kernel has 4 input channels but \"x\" has 4 in 2 groups, so 2 each; make Cin equal in both",
    );
    conv(
        Conv2d::new(6, 3),
        &[3, 3, 0, 6],
        "kernel has 0 input channels but \"x\" has 4; make Cin equal in both",
    );
    let needed = "and at least 1 is needed; make both equal and positive";
    let text = format!("kernel gives 6 channels but the layer asks for 5, {needed}");
    conv(Conv2d::new(5, 3), &[3, 3, 4, 6], &text);
    let text = format!("kernel gives 0 channels but the layer asks for 0, {needed}");
    conv(Conv2d::new(0, 3), &[3, 3, 4, 0], &text);
}

#[test]
fn kernels_and_biases() {
    let rank = |found: usize| {
        format!(
            "kernel has {found} dimensions but a convolution kernel has 4: (kh, kw, Cin/groups, Cout); \
             reshape it"
        )
    };
    conv(Conv2d::new(6, 3), &[3, 3, 4], &rank(3));
    conv(Conv2d::new(6, 3), &[3, 3, 1, 4, 6], &rank(5));
    conv(
        Conv2d::new(6, 3),
        &[3, 2, 4, 6],
        "kernel is 3 by 2 but the layer's kernel_size is (3, 3); make both equal",
    );
    conv(
        Conv2d::new(6, MAX),
        &[1, 1, 4, 6],
        "kernel is 1 by 1 but the layer's kernel_size is (18446744073709551615, \
         18446744073709551615); make both equal",
    );
    for bias in [&[5][..], &[1, 6], &[]] {
        let text = format!(
            "conv2d \"conv2d\": bias has shape {bias:?} but the result has 6 channels, so [6] is needed\n  \
             (x [batch, 8, 7, 4], kernel [3, 3, 4, 6]); give one number for each output channel"
        );
        let weights = kernel(&[3, 3, 4, 6]).bias(host(bias));
        refuses(&text, |g, x| g.conv2d(x, Conv2d::new(6, 3), &weights));
    }
}

#[test]
fn zeros_among_strides_dilation_and_kernel_size() {
    let text = |what: &str, pair: &str| {
        format!("{what} is {pair} but both must be at least 1; use positive numbers")
    };
    let plain = || Conv2d::new(6, 3);
    conv(plain().strides((0, 1)), &[3, 3, 4, 6], &text("strides", "(0, 1)"));
    conv(plain().strides((2, 0)), &[3, 3, 4, 6], &text("strides", "(2, 0)"));
    conv(plain().dilation((1, 0)), &[3, 3, 4, 6], &text("dilation", "(1, 0)"));
    conv(Conv2d::new(6, (0, 3)), &[0, 3, 4, 6], &text("kernel_size", "(0, 3)"));
    let plain = || Conv2dTranspose::new(6, 3);
    transpose(plain().strides((0, 1)), &[3, 3, 6, 4], &text("strides", "(0, 1)"));
    transpose(plain().dilation((1, 0)), &[3, 3, 6, 4], &text("dilation", "(1, 0)"));
    transpose(Conv2dTranspose::new(6, (3, 0)), &[3, 0, 6, 4], &text("kernel_size", "(3, 0)"));
}

#[test]
fn windows_larger_than_the_padded_image() {
    let text = |axis: &str, span: &str, padded: &str, output: &str| {
        format!(
            "kernel {axis} spans {span} pixels with its dilation but the padded image has {padded}, \
             so the output would have {output}; use a smaller kernel or dilation, or more padding"
        )
    };
    conv(Conv2d::new(6, (9, 1)), &[9, 1, 4, 6], &text("height", "9", "8", "0"));
    let far = Conv2d::new(6, (1, 5)).dilation((1, 2));
    conv(far, &[1, 5, 4, 6], &text("width", "9", "7", "-1"));
    let explicit = Padding::Explicit(Pads { top: 1, bottom: 1, left: 1, right: 0 });
    let wide = Conv2d::new(6, (10, 9)).padding(explicit);
    conv(wide, &[10, 9, 4, 6], &text("width", "9", "8", "0"));
    // Numbers that do not fit a machine word are computed all the same.
    let dilated = Conv2d::new(6, 3).dilation(MAX);
    let found = ["36893488147419103231", "8", "-36893488147419103222"];
    conv(dilated, &[3, 3, 4, 6], &text("height", found[0], found[1], found[2]));
    let pads = Padding::Explicit(Pads { top: MAX, bottom: MAX, ..Pads::default() });
    let padded = Conv2d::new(6, 3).padding(pads);
    let found = ["3", "36893488147419103238", "36893488147419103236"];
    conv(padded, &[3, 3, 4, 6], &text("height", found[0], found[1], found[2]));
}

#[test]
fn images_that_are_none() {
    for (item, rank) in [(&[7, 4][..], 3), (&[1, 8, 7, 4], 5), (&[], 1)] {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(item));
        let shape = g.shape(x).unwrap().to_string();
        let text = |node: &str, site: &str| {
            format!(
                "{node}: \"x\" has {rank} dimensions but an image has 4: (batch, height, width, channels)\n  \
                 (x {shape}, {site}); reshape it"
            )
        };
        let error = g.conv2d(x, Conv2d::new(6, 3), &kernel(&[3, 3, 4, 6])).unwrap_err();
        assert_eq!(error.to_string(), text("conv2d \"conv2d\"", "kernel [3, 3, 4, 6]"));
        let layer = Conv2dTranspose::new(6, 3);
        let error = g.conv2d_transpose(x, layer, &kernel(&[3, 3, 6, 4])).unwrap_err();
        let title = "conv2d_transpose \"conv2d_transpose\"";
        assert_eq!(error.to_string(), text(title, "kernel [3, 3, 6, 4]"));
    }
    let mut g = Graph::new();
    let empty = g.input("x", batch_of(&[0, 7, 4]));
    let layer = Conv2d::new(6, 3).padding(Padding::Same);
    let error = g.conv2d(empty, layer, &kernel(&[3, 3, 4, 6])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv2d \"conv2d\": kernel height spans 3 pixels with its dilation but the padded image has 2, \
         so the output would have 0\n  (x [batch, 0, 7, 4], kernel [3, 3, 4, 6]); use a smaller kernel \
         or dilation, or more padding"
    );
}

#[test]
fn depthwise_conv2d() {
    let depthwise = |layer: DepthwiseConv2d, weight: &[usize], text: &str| {
        let site = format!("\n  (x [batch, 8, 7, 4], kernel {weight:?}); ");
        let text = format!("depthwise_conv2d \"depthwise_conv2d\": {}", text.replace("; ", &site));
        refuses(&text, |g, x| g.depthwise_conv2d(x, layer, &kernel(weight)));
    };
    depthwise(
        DepthwiseConv2d::new(3),
        &[3, 3, 3, 1],
        "kernel has 3 input channels but \"x\" has 4; make Cin equal in both",
    );
    depthwise(
        DepthwiseConv2d::new(3).depth_multiplier(2),
        &[3, 3, 4, 1],
        "kernel gives 1 channels but the layer asks for 2, and at least 1 is needed; make both equal \
         and positive",
    );
    let text = "depthwise_conv2d \"depthwise_conv2d\": bias has shape [4] but the result has 8 channels, \
                so [8] is needed\n  (x [batch, 8, 7, 4], kernel [3, 3, 4, 2]); give one number for each \
                output channel";
    let weights = kernel(&[3, 3, 4, 2]).bias(host(&[4]));
    let layer = DepthwiseConv2d::new(3).depth_multiplier(2);
    refuses(text, |g, x| g.depthwise_conv2d(x, layer, &weights));
}

#[test]
fn a_separable_conv2d_that_fails_halfway_leaves_nothing() {
    let weights = LayerWeights::separable(host(&[3, 3, 4, 2]), host(&[1, 1, 7, 5]));
    let layer = SeparableConv2d::new(5, 3).depth_multiplier(2);
    let text = "separable_conv2d \"separable_conv2d\": kernel has 7 input channels but \
                \"separable_conv2d/depthwise\" has 8\n  (separable_conv2d/depthwise [batch, 6, 5, 8], \
                kernel [1, 1, 7, 5]); make Cin equal in both";
    refuses(text, |g, x| {
        let refused = g.separable_conv2d(x, layer.clone(), &weights);
        // Its names are free again.
        assert_eq!(g.symbol("separable_conv2d/depthwise"), None);
        refused
    });
    let weights = LayerWeights::separable(host(&[3, 3, 4, 2]), host(&[3, 3, 8, 5]));
    let text = "separable_conv2d \"separable_conv2d\": kernel is 3 by 3 but the layer's kernel_size is \
                (1, 1)\n  (separable_conv2d/depthwise [batch, 6, 5, 8], kernel [3, 3, 8, 5]); make both equal";
    refuses(text, |g, x| g.separable_conv2d(x, layer.clone(), &weights));
}

#[test]
fn conv2d_transpose() {
    transpose(
        Conv2dTranspose::new(6, 3),
        &[3, 3, 4],
        "kernel has 3 dimensions but a transposed convolution's kernel has 4: (kh, kw, filters, Cin); \
         reshape it",
    );
    transpose(
        Conv2dTranspose::new(6, 3),
        &[3, 3, 6, 5],
        "kernel has 5 input channels but \"x\" has 4; make Cin equal in both",
    );
    transpose(
        Conv2dTranspose::new(5, 3),
        &[3, 3, 6, 4],
        "kernel gives 6 channels but the layer asks for 5, and at least 1 is needed; make both equal \
         and positive",
    );
    for (added, found) in [((2, 0), 2), ((0, 9), 9), ((1, MAX), MAX)] {
        let text = format!(
            "output_padding is {found} but it must be less than the stride 2; use a smaller output_padding"
        );
        let layer = Conv2dTranspose::new(6, 3).strides(2).output_padding(added);
        transpose(layer, &[3, 3, 6, 4], &text);
    }
    let weights = kernel(&[3, 3, 6, 4]).bias(host(&[4]));
    let text = "conv2d_transpose \"conv2d_transpose\": bias has shape [4] but the result has 6 channels, \
                so [6] is needed\n  (x [batch, 8, 7, 4], kernel [3, 3, 6, 4]); give one number for each \
                output channel";
    refuses(text, |g, x| g.conv2d_transpose(x, Conv2dTranspose::new(6, 3), &weights));
    for (padding, name) in [
        (Padding::Explicit(Pads::default()), "explicit padding"),
        (Padding::SameLower, "padding SameLower"),
    ] {
        let mut g = Graph::new();
        let x = g.input("x", batch_of(&[8, 7, 4]));
        let layer = Conv2dTranspose::new(6, 3).padding(padding);
        let error = g.conv2d_transpose(x, layer, &kernel(&[3, 3, 6, 4])).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "conv2d_transpose \"conv2d_transpose\": {name} of a transposed convolution is not \
                 supported; use Padding::Valid or Padding::Same, or make the layer by its `onnx`"
            )
        );
    }
}

#[test]
fn transposed_outputs_that_are_empty_or_beyond_counting() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[1, 7, 4]));
    let layer = Conv2dTranspose::new(6, 2).padding(Padding::Same).output_padding(0);
    let error = g.conv2d_transpose(x, layer, &kernel(&[2, 2, 6, 4])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "conv2d_transpose \"conv2d_transpose\": x is 1 pixels long but the output would have 0, and at \
         least 1 is needed\n  (x [batch, 1, 7, 4], kernel [2, 2, 6, 4]); use a larger image or kernel"
    );
    let layer = Conv2dTranspose::new(6, 3).strides(MAX);
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[8, 7, 4]));
    let error = g.conv2d_transpose(x, layer, &kernel(&[3, 3, 6, 4])).unwrap_err();
    assert!(matches!(&error, Error::Operand { .. }), "{error:?}");
    // 7 * MAX + MAX
    assert!(error.to_string().contains("147573952589676412920"), "{error}");
}
