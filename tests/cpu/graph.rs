//! Shape rules that hold: every layer and option against numbers worked out by hand.

use longshore::ops::reduction::softmax::Softmax;
use longshore::ops::{Op, Pads, Pair};
use longshore::{
    Activation, Conv2d, Conv2dTranspose, Dense, DepthwiseConv2d, Dim, Graph, HostArray,
    LayerWeights, Padding, Resize2d, Result, SeparableConv2d, Shape, Symbol, UpSampling2d,
};
use ndarray::{ArrayD, IxDyn};

pub fn host(shape: &[usize]) -> HostArray<'static> {
    HostArray::from(ArrayD::<f32>::zeros(IxDyn(shape)))
}

pub fn kernel(shape: &[usize]) -> LayerWeights {
    LayerWeights::new(host(shape))
}

/// The dimensions of a shape after the batch.
pub fn batch_of(rest: &[usize]) -> Vec<Dim> {
    std::iter::once(Dim::Batch).chain(rest.iter().copied().map(Dim::Fixed)).collect()
}

/// Checks the result's shape of a layer over one input of a batch.
#[track_caller]
fn gives(
    item: &[usize],
    result: &[usize],
    layer: impl FnOnce(&mut Graph, Symbol) -> Result<Symbol>,
) {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(item));
    let y = layer(&mut g, x).unwrap();
    assert_eq!(g.shape(y), Some(&Shape::new(batch_of(result))));
}

#[track_caller]
fn conv(layer: Conv2d, weight: &[usize], result: &[usize]) {
    gives(&[8, 7, 4], result, |g, x| g.conv2d(x, layer, &kernel(weight)));
}

#[test]
fn conv2d() {
    conv(Conv2d::new(6, (3, 3)), &[3, 3, 4, 6], &[6, 5, 6]);
    conv(Conv2d::new(6, 3).padding(Padding::Same), &[3, 3, 4, 6], &[8, 7, 6]);
    conv(Conv2d::new(6, 3).padding(Padding::Same).strides(2), &[3, 3, 4, 6], &[4, 4, 6]);
    conv(Conv2d::new(1, (3, 2)).strides((3, 2)), &[3, 2, 4, 1], &[2, 3, 1]);
    conv(Conv2d::new(6, (3, 2)).dilation((2, 3)), &[3, 2, 4, 6], &[4, 4, 6]);
    let both = Conv2d::new(6, 3).dilation((2, 3)).strides((3, 2));
    conv(both.clone(), &[3, 3, 4, 6], &[2, 1, 6]);
    conv(both.padding(Padding::Same), &[3, 3, 4, 6], &[3, 4, 6]);
    let sides = Padding::Explicit(Pads { top: 1, bottom: 0, left: 2, right: 3 });
    conv(Conv2d::new(6, 3).padding(sides), &[3, 3, 4, 6], &[7, 10, 6]);
    let wide = Padding::Explicit(Pads { top: 3, bottom: 3, left: 4, right: 4 });
    conv(Conv2d::new(2, (11, 9)).padding(wide), &[11, 9, 4, 2], &[4, 7, 2]);
    conv(Conv2d::new(2, (11, 9)).padding(Padding::Same), &[11, 9, 4, 2], &[8, 7, 2]);
    conv(Conv2d::new(6, 3).groups(2), &[3, 3, 2, 6], &[6, 5, 6]);
    conv(Conv2d::new(8, 1).groups(4), &[1, 1, 1, 8], &[8, 7, 8]);
    conv(Conv2d::new(6, 1).strides(usize::MAX), &[1, 1, 4, 6], &[1, 1, 6]);
    conv(Conv2d::new(6, 1).dilation(usize::MAX), &[1, 1, 4, 6], &[8, 7, 6]);
}

/// Returns the padding a convolution resolved to.
fn pads(height: usize, width: usize, layer: Conv2d, size: (usize, usize)) -> Pads {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[height, width, 1]));
    let y = g.conv2d(x, layer, &kernel(&[size.0, size.1, 1, 1])).unwrap();
    assert!(g.shape(y).is_some());
    match g.nodes().last().unwrap().op() {
        Op::Conv2d(resolved) => resolved.pads,
        other => panic!("{other:?}"),
    }
}

#[test]
fn same_pads_each_axis_by_its_own_length_and_its_dilated_kernel() {
    let sides = |top, bottom, left, right| Pads { top, bottom, left, right };
    let pads = |height, width, layer: Conv2d, size| {
        let lower = pads(height, width, layer.clone().padding(Padding::SameLower), size);
        let upper = pads(height, width, layer.padding(Padding::Same), size);
        // SAME_LOWER is SAME_UPPER turned round.
        assert_eq!(lower, sides(upper.bottom, upper.top, upper.right, upper.left));
        upper
    };
    // Height and width differ: a rule that takes one for the other pads by -30.
    assert_eq!(pads(32, 64, Conv2d::new(1, 3), (3, 3)), sides(1, 1, 1, 1));
    assert_eq!(pads(32, 64, Conv2d::new(1, 3).dilation(2), (3, 3)), sides(2, 2, 2, 2));
    // An odd total has its larger half after.
    assert_eq!(pads(8, 8, Conv2d::new(1, (4, 2)), (4, 2)), sides(1, 2, 0, 1));
    assert_eq!(pads(8, 7, Conv2d::new(1, 3).strides(2), (3, 3)), sides(0, 1, 1, 1));
    assert_eq!(pads(5, 6, Conv2d::new(1, 3).strides((3, 4)), (3, 3)), sides(0, 1, 0, 1));
    // A stride beyond the kernel needs none.
    assert_eq!(pads(7, 9, Conv2d::new(1, 1).strides(3), (1, 1)), sides(0, 0, 0, 0));
}

#[test]
fn depthwise_and_separable_conv2d() {
    let depthwise = |layer: DepthwiseConv2d, weight: &[usize], result: &[usize]| {
        gives(&[8, 7, 4], result, |g, x| g.depthwise_conv2d(x, layer, &kernel(weight)));
    };
    depthwise(DepthwiseConv2d::new(3), &[3, 3, 4, 1], &[6, 5, 4]);
    let tripled = DepthwiseConv2d::new((2, 3)).depth_multiplier(3).padding(Padding::Same);
    depthwise(tripled.strides(2), &[2, 3, 4, 3], &[4, 4, 12]);
    let separable = |layer: SeparableConv2d, results: &[usize]| {
        let weights = LayerWeights::separable(host(&[3, 3, 4, 2]), host(&[1, 1, 8, 5]));
        gives(&[8, 7, 4], results, |g, x| g.separable_conv2d(x, layer, &weights.bias(host(&[5]))));
    };
    separable(SeparableConv2d::new(5, 3).depth_multiplier(2), &[6, 5, 5]);
    let strided = SeparableConv2d::new(5, 3).depth_multiplier(2).strides(2).dilation(2);
    separable(strided.padding(Padding::Same).activation(Activation::Softmax), &[4, 4, 5]);
}

#[test]
fn conv2d_transpose() {
    let transpose = |layer: Conv2dTranspose, size: [usize; 2], result: [usize; 2]| {
        let weights = kernel(&[size[0], size[1], 2, 3]).bias(host(&[2]));
        gives(&[5, 4, 3], &[result[0], result[1], 2], |g, x| {
            g.conv2d_transpose(x, layer, &weights)
        });
    };
    let same = |kernel: usize, stride: usize| {
        Conv2dTranspose::new(2, kernel).strides(stride).padding(Padding::Same)
    };
    transpose(Conv2dTranspose::new(2, 3), [3, 3], [7, 6]);
    transpose(Conv2dTranspose::new(2, 3).strides(2), [3, 3], [11, 9]);
    transpose(Conv2dTranspose::new(2, 1).strides(3), [1, 1], [15, 12]);
    transpose(Conv2dTranspose::new(2, 3).strides(2).output_padding(1), [3, 3], [12, 10]);
    transpose(Conv2dTranspose::new(2, (1, 3)).strides((2, 1)), [1, 3], [10, 6]);
    transpose(Conv2dTranspose::new(2, 3).dilation((2, 1)), [3, 3], [9, 6]);
    transpose(same(3, 1), [3, 3], [5, 4]);
    transpose(same(3, 2), [3, 3], [10, 8]);
    transpose(same(4, 2), [4, 4], [10, 8]);
    transpose(same(1, 2), [1, 1], [10, 8]);
    transpose(same(3, 2).output_padding(1), [3, 3], [10, 8]);
    transpose(same(3, 2).output_padding((0, 1)), [3, 3], [9, 8]);
    transpose(same(4, 3).output_padding(2), [4, 4], [14, 11]);
    transpose(same(3, 2).dilation(2), [3, 3], [10, 8]);
}

#[test]
fn dense() {
    let dense = |item: &[usize], result: &[usize]| {
        let weights = kernel(&[7, 5]).bias(host(&[5]));
        gives(item, result, |g, x| g.dense(x, Dense::new(5), &weights));
    };
    dense(&[7], &[5]);
    dense(&[3, 7], &[3, 5]);
    dense(&[2, 1, 3, 2, 7], &[2, 1, 3, 2, 5]);
    let mut g = Graph::new();
    let x = g.input("x", [7]);
    let y = g.dense(x, Dense::new(5).activation(Activation::Softmax), &kernel(&[7, 5])).unwrap();
    assert_eq!(g.shape(y), Some(&Shape::new([5])));
}

#[test]
fn resampling() {
    gives(&[5, 4, 3], &[10, 12, 3], |g, x| g.up_sampling2d(x, UpSampling2d::nearest((2, 3))));
    gives(&[5, 4, 3], &[5, 4, 3], |g, x| g.up_sampling2d(x, UpSampling2d::bicubic(1)));
    gives(&[5, 4, 3], &[7, 2, 3], |g, x| g.resize2d(x, Resize2d::new((7, 2))));
    gives(&[5, 4, 0], &[7, 2, 0], |g, x| g.resize2d(x, Resize2d::new((7, 2))));
}

#[test]
fn flatten_and_reshape() {
    gives(&[5, 4, 3], &[60], Graph::flatten);
    gives(&[], &[1], Graph::flatten);
    gives(&[5, 0], &[0], Graph::flatten);
    gives(&[5, 4, 3], &[4, 15], |g, x| g.reshape(x, [4, -1]));
    gives(&[5, 4, 3], &[1, 60, 1], |g, x| g.reshape(x, [1, -1, 1]));
    gives(&[5, 4, 3], &[6, 10], |g, x| g.reshape(x, [6, 10]));
    gives(&[1, 1], &[], |g, x| g.reshape(x, []));
    gives(&[0, 3], &[7, 0], |g, x| g.reshape(x, [7, 0]));
    gives(&[0, 3], &[7, 0], |g, x| g.reshape(x, [7, -1]));
}

#[test]
fn element_wise_operations_and_softmax_keep_the_shape() {
    gives(&[5, 4, 3], &[5, 4, 3], |g, x| g.activation(x, Activation::Gelu));
    gives(&[5, 4, 3], &[5, 4, 3], |g, x| g.activation(x, Activation::Softmax));
    for axis in [-4, -1, 0, 3] {
        gives(&[5, 4, 3], &[5, 4, 3], |g, x| g.softmax(x, axis));
    }
    let meets = |left: &[Dim], right: &[Dim], result: &[Dim]| {
        for swapped in [false, true] {
            let mut g = Graph::new();
            let (l, r) = (g.input("l", left.to_vec()), g.input("r", right.to_vec()));
            let (l, r) = if swapped { (r, l) } else { (l, r) };
            let (sum, product) = (g.add(l, r).unwrap(), g.multiply(l, r).unwrap());
            assert_eq!(g.shape(sum), Some(&Shape::new(result.to_vec())));
            assert_eq!(g.shape(product), Some(&Shape::new(result.to_vec())));
        }
    };
    let fixed = |lengths: &[usize]| lengths.iter().copied().map(Dim::Fixed).collect::<Vec<_>>();
    meets(&batch_of(&[5, 4, 3]), &fixed(&[3]), &batch_of(&[5, 4, 3]));
    meets(&batch_of(&[5, 4, 3]), &fixed(&[]), &batch_of(&[5, 4, 3]));
    meets(&batch_of(&[1, 4, 1]), &fixed(&[1, 5, 1, 3]), &batch_of(&[5, 4, 3]));
    meets(&batch_of(&[5]), &batch_of(&[5]), &batch_of(&[5]));
    meets(&batch_of(&[5]), &fixed(&[0, 5]).split_off(1), &batch_of(&[5]));
    meets(&fixed(&[2, 1, 2, 1, 2, 1]), &fixed(&[3, 1, 3, 1, 3]), &fixed(&[2, 3, 2, 3, 2, 3]));
}

#[test]
fn softmax_as_an_activation_is_a_node_of_its_own() {
    let mut g = Graph::new();
    let x = g.input("x", batch_of(&[8, 7, 4]));
    let layer = Conv2d::new(6, 3).activation(Activation::Softmax).name("edges");
    let y = g.conv2d(x, layer, &kernel(&[3, 3, 4, 6])).unwrap();
    let titles: Vec<String> = g.nodes().iter().map(longshore::graph::Node::title).collect();
    assert_eq!(titles, ["input \"x\"", "conv2d \"edges/linear\"", "softmax \"edges\""]);
    assert_eq!(g.symbol("edges"), Some(y));
    assert_eq!(g.nodes()[2].op(), &Op::Softmax(Softmax { axis: 3 }));
}

#[test]
fn nodes_are_numbered_as_keras_does() {
    let mut g = Graph::new();
    let mut x = g.input("relu", [Dim::Batch, 2.into()]);
    for _ in 0..3 {
        x = g.activation(x, Activation::Relu).unwrap();
    }
    let names: Vec<&str> = g.nodes().iter().map(longshore::graph::Node::name).collect();
    assert_eq!(names, ["relu", "relu_1", "relu_2", "relu_3"]);
    g.rename(x, "last").unwrap();
    assert_eq!((g.symbol("last"), g.symbol("relu_3")), (Some(x), None));
    assert_eq!(Pair::from(3), Pair::new(3, 3));
}
