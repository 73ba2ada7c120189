//! What comes back is what was saved, to the last bit of every option and weight.

use std::collections::BTreeSet;

use half::f16;
use longshore::Coordinates;
use longshore::array::{DType, Npz};
use longshore::graph::{Node, Weight};
use longshore::ops::ResizeMode;
use longshore::ops::{BinaryOp, Op, Stage};
use longshore::{
    Activation, Conv2dTranspose, CumSum, Dim, Gemm, Graph, GroupNormalization, HostArray,
    LayerWeights, Lrn, MatMul, Pad, PadMode, Padding, Pads, Pooling, Reduce, ReduceOp, Resize,
    Saved, Slice, TopK, UnaryOp, UpSampling2d,
};
use ndarray::{ArrayD, IxDyn, arr0, array};

use super::{again, changed, counted, everything, layer, network, prepared};

const IMAGE: [Dim; 4] = [Dim::Batch, Dim::Fixed(6), Dim::Fixed(5), Dim::Fixed(4)];

/// The numbers that a careless format loses.
const SPECIAL: [f32; 9] = [
    -0.0,
    0.1,
    1.0e-45,
    f32::MAX,
    f32::MIN_POSITIVE,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    16_777_217.0,
];

/// The bits of every f32 in the operations of a graph.
fn constants(graph: &Graph) -> Vec<u32> {
    let bits = graph.nodes().iter().filter_map(|node| match node.op() {
        Op::Activation(UnaryOp::LeakyRelu(x)) => Some(vec![x.to_bits()]),
        Op::Activation(UnaryOp::Affine { scale, offset }) => {
            Some(vec![scale.to_bits(), offset.to_bits()])
        }
        Op::Pad(rule) => match rule.mode {
            PadMode::Constant(x) => Some(vec![x.to_bits()]),
            _ => None,
        },
        Op::MatMul(rule) => Some(vec![rule.alpha.to_bits(), rule.beta.to_bits()]),
        _ => None,
    });
    bits.flatten().collect()
}

#[test]
fn options_keep_every_bit() {
    let mut g = Graph::new();
    let x = g.input("x", [2, 2]);
    let mut expected = Vec::new();
    // A NaN with a payload, which no name of NaN keeps.
    for value in SPECIAL.into_iter().chain([f32::from_bits(0xffc1_2345)]) {
        let y = g.activation(x, Activation::LeakyRelu(value)).unwrap();
        let affine = Activation::Affine { scale: value, offset: -value };
        let y = g.activation(y, affine).unwrap();
        let y = g.pad(y, Pad::new([(1, 0), (0, 2)]).mode(PadMode::Constant(value))).unwrap();
        g.output(format!("y {}", expected.len()), y);
        expected.extend([value, value, -value, value].map(f32::to_bits));
    }
    assert_eq!(constants(&g), expected);
    assert_eq!(constants(&again(&g)), expected);
    let text = Saved::new(&g).unwrap().description;
    for written in ["-0.0", "0.1", "1e-45", "\"inf\"", "\"-inf\"", "\"nan 0x7fc00000\""] {
        assert!(text.contains(&format!("{{\"leaky_relu\": {written}}}")), "{written} in {text}");
    }
    assert!(text.contains("\"nan 0xffc12345\""), "{text}");
}

#[test]
fn functions_are_read_by_the_names_that_they_had() {
    for (name, activation) in [
        ("relu6", Activation::Relu6),
        ("selu", Activation::Selu),
        ("hard_sigmoid", Activation::HardSigmoid),
        ("silu", Activation::Silu),
    ] {
        let mut g = Graph::new();
        let x = g.input("x", [2]);
        let y = g.activation(x, activation).unwrap();
        g.output("y", y);
        let saved = Saved::new(&g).unwrap();
        let (before, rest) = saved.description.split_once("{\"activation\": ").unwrap();
        let (_, behind) = rest.split_once(", \"operands\"").unwrap();
        let description = format!("{before}{{\"activation\": \"{name}\"}}, \"operands\"{behind}");
        let loaded = Saved { description, ..saved }.graph().unwrap();
        assert_eq!(everything(&loaded), everything(&g), "{name}");
    }
}

#[test]
fn products_keep_their_factors() {
    for (alpha, beta) in [(1.0, 1.0), (0.5, 1.0), (1.0, -0.0), (f32::NAN, 2.5), (1.0, 0.0)] {
        let mut g = Graph::new();
        let [a, b, c] = [("a", [3, 2]), ("b", [3, 4]), ("c", [1, 4])].map(|(n, s)| g.input(n, s));
        let gemm = Gemm::new().alpha(alpha).beta(beta).trans_a(true);
        let y = g.gemm(a, b, c, gemm.clone()).unwrap();
        let z = g.gemm(a, b, None, gemm).unwrap();
        let options = MatMul::new().transpose_left(true);
        let p = g.matmul_with(a, b, options).unwrap();
        for (name, symbol) in [("y", y), ("z", z), ("p", p)] {
            g.output(name, symbol);
        }
        assert_eq!(constants(&again(&g)), constants(&g));
    }
}

/// A weight of a dtype, with its extremes.
fn weight(dtype: DType) -> HostArray<'static> {
    match dtype {
        DType::Bool => array![true, false].into(),
        DType::I8 => array![i8::MIN, i8::MAX].into(),
        DType::I16 => array![i16::MIN, i16::MAX].into(),
        DType::I32 => array![i32::MIN, i32::MAX].into(),
        DType::I64 => array![i64::MIN, i64::MAX].into(),
        DType::U8 => array![0_u8, u8::MAX].into(),
        DType::U16 => array![1_u16, u16::MAX].into(),
        DType::U32 => array![1_u32, u32::MAX].into(),
        DType::U64 => array![1_u64, u64::MAX].into(),
        DType::F16 => array![f16::MIN_POSITIVE_SUBNORMAL, f16::NAN].into(),
        DType::F32 => array![1e-45_f32, f32::NEG_INFINITY].into(),
        DType::F64 => array![0.1_f64, f64::from_bits(0x7ff8_0000_0000_0001)].into(),
    }
}

#[test]
fn weights_keep_their_dtypes_labels_and_bytes() {
    let mut g = Graph::new();
    for dtype in DType::ALL {
        let array = weight(dtype).with_name(format!("the {dtype} ones"));
        let y = g.constant(dtype.name(), array).unwrap();
        g.output(dtype.name(), y);
    }
    again(&g);
    let saved = Saved::new(&g).unwrap();
    let npz = Npz::from_bytes("weights", saved.weights).unwrap();
    assert_eq!(npz.names().len(), DType::ALL.len());
    for dtype in DType::ALL {
        let array = npz.array(&format!("the_{dtype}_ones")).unwrap();
        assert_eq!(array.to_npy_bytes(), weight(dtype).to_npy_bytes(), "{dtype}");
    }
}

#[test]
fn every_order_of_bytes_and_axes_and_every_rank_is_kept() {
    let fortran = counted(&[2, 3]).reversed_axes();
    let empty: ArrayD<f32> = ArrayD::zeros(IxDyn(&[2, 0, 3]));
    let mut g = Graph::new();
    let values = [
        ("fortran", HostArray::from(fortran)),
        ("scalar", HostArray::from(arr0(2.5_f32))),
        ("empty", HostArray::from(empty)),
    ];
    for (name, array) in values {
        let y = g.constant(name, array).unwrap();
        g.output(name, y);
    }
    again(&g);
}

#[test]
fn shared_weights_are_saved_and_loaded_once() {
    let shared = Weight::from(HostArray::from(counted(&[2, 2])).with_name("shared"));
    let weights = LayerWeights::new(&shared);
    let mut g = Graph::new();
    let mut x = g.input("x", [Dim::Batch, 2.into()]);
    for _ in 0..3 {
        x = g.dense(x, longshore::Dense::new(2), &weights).unwrap();
    }
    g.output("y", x);
    // The same numbers in an array of its own are a weight of its own.
    let own = g.constant("own", HostArray::from(counted(&[2, 2])).with_name("shared")).unwrap();
    g.output("own", own);
    let loaded = again(&g);
    let saved = Saved::new(&g).unwrap();
    let npz = Npz::from_bytes("weights", saved.weights).unwrap();
    assert_eq!(npz.names().collect::<Vec<_>>(), ["shared", "shared_2"]);
    let weights = |graph: &Graph| graph.plan(1).unwrap().weights().len();
    assert_eq!((weights(&g), weights(&loaded)), (2, 2));
}

#[test]
fn names_of_any_kind_are_kept() {
    let mut g = Graph::new();
    let names = ["", "batch", "ä \"quoted\"\n", "../../etc", "\u{0}", "relu_1", "relu"];
    for name in names {
        let x = g.input(name, [Dim::Batch]);
        // The names that builders choose are taken by inputs that come later.
        let y = g.activation(x, Activation::Relu).unwrap();
        g.output(format!("out {name}"), y);
    }
    let loaded = again(&g);
    for name in names {
        let [one, other] = [&g, &loaded].map(|graph| {
            let symbol = graph.symbol(name).unwrap();
            graph.shape(symbol).unwrap().to_string()
        });
        assert_eq!(one, other);
    }
}

#[test]
fn stages_are_kept() {
    let mut g = Graph::new();
    let x = g.input("x", IMAGE);
    let conv = longshore::Conv2d::new(4, (1, 1));
    let y = g.conv2d(x, conv, &layer("mix", &[1, 1, 4, 4], 4)).unwrap();
    let y = g.activation(y, Activation::Clip { min: -0.5, max: f32::INFINITY }).unwrap();
    let y = g.binary(BinaryOp::Subtract, x, y).unwrap();
    let y = g.activation(y, Activation::Elu(0.3)).unwrap();
    g.output("y", y);
    let g = prepared(&g);
    let stages: Vec<&Stage> = g.nodes().iter().flat_map(Node::stages).collect();
    assert!(matches!(stages[1], Stage::Binary { swapped: true, .. }), "{stages:?}");
    assert_eq!(stages.len(), 3, "{g}");
    again(&g);
}

/// Windows, rows and movements whose node does not say how it was asked for.
#[test]
fn options_that_were_resolved_are_found_again() {
    let mut g = Graph::new();
    let x = g.input("x", IMAGE);
    let mut ends = vec![x];
    let ceil = |pads: Pads| Pooling::new((3, 2)).strides(2).padding(Padding::Explicit(pads));
    let pads = Pads { top: 1, bottom: 0, left: 0, right: 1 };
    for padding in [Padding::Same, Padding::SameLower, Padding::Valid] {
        let pooling = Pooling::new((3, 2)).strides((2, 3)).padding(padding);
        ends.push(g.max_pooling2d(x, pooling.clone()).unwrap());
        ends.push(g.average_pooling2d(x, pooling.count_include_pad(true)).unwrap());
        let layer = Conv2dTranspose::new(3, (3, 2)).strides((2, 3)).padding(padding);
        if padding != Padding::SameLower {
            let weights = super::layer("up", &[3, 2, 3, 4], 3);
            ends.push(g.conv2d_transpose(x, layer, &weights).unwrap());
        }
        let layer = Conv2dTranspose::onnx(3, (3, 2)).strides((2, 3)).padding(padding);
        let weights = super::layer("up", &[3, 2, 3, 4], 3);
        ends.push(g.conv2d_transpose(x, layer.clone(), &weights).unwrap());
        // Larger and smaller than the full result.
        for size in [(40, 41), (7, 8)] {
            let layer = layer.clone().output_shape(size);
            ends.push(g.conv2d_transpose(x, layer, &weights).unwrap());
        }
    }
    ends.push(g.lp_pooling2d(x, 3, ceil(pads).ceil_mode(true)).unwrap());
    ends.push(g.max_pooling2d(x, ceil(Pads::default()).ceil_mode(true)).unwrap());
    ends.push(g.max_pooling2d(x, ceil(Pads::default())).unwrap());
    ends.push(g.slice(x, Slice::new([5, 4], [-100, 0]).axes([1, 2]).steps([-2, -1])).unwrap());
    ends.push(g.slice(x, Slice::new([3, 0], [3, 9]).axes([1, 2]).steps([1, 3])).unwrap());
    ends.push(g.flip(x, &[1, 3]).unwrap());
    ends.push(g.reduce(x, Reduce::new(ReduceOp::L2).axes([1, 3]).keepdims(false)).unwrap());
    ends.push(g.reduce(x, Reduce::new(ReduceOp::SumSquare).noop_with_empty_axes(true)).unwrap());
    ends.push(g.lrn(x, Lrn::new(3).alpha(0.25).axis(1)).unwrap());
    ends.push(g.cumsum(x, CumSum::new().axis(-1).exclusive(true)).unwrap());
    ends.push(g.cumsum(x, CumSum::new().axis(0).reverse(true)).unwrap());
    let smallest = g.top_k(x, TopK::new(3).axis(-2).largest(false)).unwrap();
    ends.extend([smallest.values, smallest.indices]);
    ends.push(g.up_sampling2d(x, UpSampling2d::lanczos5((2, 3))).unwrap());
    for (number, end) in ends.into_iter().enumerate() {
        g.output(format!("y {number}"), end);
    }
    again(&g);
}

#[test]
fn every_scale_of_a_resize_is_kept() {
    let mut g = Graph::new();
    let x = g.input("x", IMAGE);
    let mut ends = Vec::new();
    for mode in [ResizeMode::Nearest, ResizeMode::Linear, ResizeMode::Cubic] {
        ends.push(g.resize(x, Resize::scales([1.0, 1.7, 0.6, 1.0]).mode(mode)).unwrap());
        let policies = [
            longshore::ops::AspectRatio::NotLarger,
            longshore::ops::AspectRatio::NotSmaller,
            longshore::ops::AspectRatio::Stretch,
        ];
        for policy in policies {
            let resize = Resize::sizes([9, 3]).axes([1, 2]).mode(mode);
            ends.push(g.resize(x, resize.keep_aspect_ratio_policy(policy)).unwrap());
        }
        let crop = Resize::scales([2.0, 2.0]).axes([2, 1]).mode(mode);
        let crop = crop.coordinates(Coordinates::TfCropAndResize).roi([0.25, -0.5, 0.75, 1.5]);
        ends.push(g.resize(x, crop.extrapolation_value(f32::NAN)).unwrap());
    }
    let empty = g.input("empty", [2usize, 0]);
    let crop = Resize::sizes([0]).axes([1]).coordinates(Coordinates::TfCropAndResize);
    ends.push(g.resize(empty, crop.roi([0.25, 0.75])).unwrap());
    for (number, end) in ends.into_iter().enumerate() {
        g.output(format!("y {number}"), end);
    }
    again(&g);
}

#[test]
fn groups_are_kept() {
    let mut g = Graph::new();
    let x = g.input("x", IMAGE);
    // Groups in which the kernel's third length is their number, and a depthwise kernel.
    let grouped = longshore::Conv2d::new(6, (1, 1)).groups(2);
    let grouped = g.conv2d(x, grouped, &layer("grouped", &[1, 1, 2, 6], 6)).unwrap();
    let depthwise = longshore::DepthwiseConv2d::new((2, 2)).depth_multiplier(3);
    let depthwise = g.depthwise_conv2d(x, depthwise, &layer("deep", &[2, 2, 4, 3], 12)).unwrap();
    let one_each = longshore::Conv2d::new(8, (1, 1)).groups(4);
    let one_each = g.conv2d(x, one_each, &layer("each", &[1, 1, 1, 8], 8)).unwrap();
    let scale = |length: usize| HostArray::from(counted(&[length]));
    let by_group = LayerWeights::default().with("gamma", scale(2)).with("beta", scale(4));
    let normalized = g.group_normalization(x, GroupNormalization::new(2), &by_group).unwrap();
    for (number, end) in [grouped, depthwise, one_each, normalized].into_iter().enumerate() {
        g.output(format!("y {number}"), end);
    }
    again(&g);
}

#[test]
fn a_loaded_graph_is_a_graph_like_any_other() {
    let mut loaded = again(&network());
    let x = loaded.symbol("edges").unwrap();
    let y = loaded.activation(x, Activation::Tanh).unwrap();
    loaded.output("more", y);
    assert_eq!(loaded.rename(y, "edges").unwrap_err().to_string().lines().count(), 1);
    assert!(loaded.plan(3).unwrap().steps().len() >= 3);
    again(&loaded);
    // And what was loaded before is as it was.
    assert_eq!(everything(&again(&network())), everything(&network()));
}

#[test]
fn unused_weights_are_not_saved() {
    let mut g = network();
    let before = Saved::new(&g).unwrap();
    let x = g.symbol("edges").unwrap();
    // The first half of a layer whose second half is refused leaves its weight behind.
    let array = |shape: &[usize]| HostArray::from(counted(shape)).with_name("lost");
    let weights = LayerWeights::separable(array(&[1, 1, 2, 1]), array(&[1, 1, 2, 9]));
    let refused = g.separable_conv2d(x, longshore::SeparableConv2d::new(3, (1, 1)), &weights);
    assert!(refused.is_err());
    assert_eq!(Saved::new(&g).unwrap(), before);
    // What comes after it is found by its place among what is used.
    let kept = HostArray::from(counted(&[2])).with_name("kept");
    let y = g.constant("kept", kept).unwrap();
    g.output("kept", y);
    let saved = Saved::new(&g).unwrap();
    assert!(!saved.description.contains("lost"), "{}", saved.description);
    let loaded = saved.graph().unwrap();
    assert_eq!(Saved::new(&loaded).unwrap(), saved);
    assert_eq!(loaded.to_string(), g.to_string());
}

#[test]
fn every_member_of_a_node_is_read() {
    // Each of these is one number or word in the description; reading must depend on it.
    let saved = Saved::new(&network()).unwrap();
    let changes = [
        (
            "\"dilation\": {\"height\": 1, \"width\": 1}",
            "\"dilation\": {\"height\": 1, \"width\": 2}",
        ),
        ("\"leaky_relu\": 0.1", "\"leaky_relu\": 0.2"),
        ("{\"unary\": \"relu\"}", "{\"unary\": \"relu6\"}"),
        ("\"name\": \"edges\"", "\"name\": \"corners\""),
        ("{\"name\": \"again\", \"node\": 3}", "{\"name\": \"again\", \"node\": 2}"),
        ("\"label\": \"edges/bias\"", "\"label\": \"edges/other\""),
    ];
    let mut seen = BTreeSet::new();
    let before = everything(&saved.graph().unwrap());
    for (from, to) in changes {
        let after = changed(&saved, from, to).graph().map(|graph| everything(&graph));
        assert_ne!(after.as_ref().ok(), Some(&before), "{from}");
        seen.insert(after.ok());
    }
    // All but the dilation make another graph.
    assert_eq!(seen.len(), changes.len());
}

#[test]
fn whole_numbers_that_inputs_take_are_kept() {
    let mut g = Graph::new();
    let x = g.input("ids", [3usize]);
    g.whole_input(x, -4..=255).unwrap();
    let y = g.relu(x).unwrap();
    g.output("y", y);
    for graph in [again(&g), again(&prepared(&g)), again(&again(&g))] {
        assert_eq!(graph.whole_range("ids"), Some(-4..=255));
    }
    let saved = Saved::new(&g).unwrap();
    assert!(saved.description.contains("\"ids\": [-4, 255]"), "{}", saved.description);
    for (from, to, got) in [
        ("\"ids\": [", "\"idz\": [", "whole numbers of \"idz\" are from -4 to 255"),
        ("\"ids\": [", "\"relu\": [", "whole numbers of \"relu\" are from -4 to 255"),
        ("[-4, 255]", "[4, -255]", "whole numbers of \"ids\" are from 4 to -255"),
    ] {
        let lie = Saved { description: saved.description.replace(from, to), ..saved.clone() };
        let text = lie.graph().unwrap_err().to_string();
        assert!(text.contains(got), "{text}");
    }
}
