//! The operators that networks are drawn of, by the names of the graph's methods.

use std::sync::LazyLock;

use longshore::UnaryOp;

use super::{
    Network, convolutions, lines, moving, normalizations, pointwise, pooling, products, rows,
    sampling, views,
};

type Draw = fn(&mut Network, &str) -> bool;

/// Operators of `docs/operators.md` that no network has.
pub const NOT_DRAWN: &[&str] = &[
    // The user's own kernels have no oracle.
    "own",
];

/// Operators that passes look for, drawn more often than others.
pub const OFTEN: &[&str] = &[
    "add",
    "concat",
    "constant",
    "constant",
    "constant",
    "conv2d",
    "conv2d_transpose",
    "dense",
    "dense",
    "flatten",
    "group_normalization",
    "multiply",
    "pad",
    "permute",
    "relu",
    "tanh",
    "transpose",
    "transpose",
    "zero_padding2d",
];

/// Finds an operator.
pub fn often(name: &str) -> (&'static str, Draw) {
    *DECK.iter().find(|(other, _)| *other == name).unwrap()
}

/// Every operator but functions of one operand, and what draws it.
const OTHERS: &[(&str, Draw)] = &[
    ("conv2d", convolutions::conv2d),
    ("depthwise_conv2d", convolutions::depthwise_conv2d),
    ("separable_conv2d", convolutions::separable_conv2d),
    ("conv2d_transpose", convolutions::conv2d_transpose),
    ("conv1d", lines::conv1d),
    ("depthwise_conv1d", lines::conv1d),
    ("separable_conv1d", lines::separable_conv1d),
    ("conv1d_transpose", lines::onnx_transpose),
    ("matmul", products::matmul),
    ("matmul_with", products::matmul),
    ("gemm", products::gemm),
    ("dense", convolutions::dense_layer),
    ("up_sampling2d", sampling::up_sampling2d),
    ("up_sampling1d", sampling::repeated),
    ("up_sampling3d", sampling::repeated),
    ("resize", sampling::resize_layer),
    ("resize2d", sampling::resize2d),
    ("grid_sample", sampling::grid_sample),
    ("max_pooling2d", pooling::windows),
    ("average_pooling2d", pooling::windows),
    ("lp_pooling2d", pooling::windows),
    ("max_pooling1d", pooling::lines),
    ("average_pooling1d", pooling::lines),
    ("lp_pooling1d", pooling::lines),
    ("global_max_pooling2d", pooling::whole),
    ("global_average_pooling2d", pooling::whole),
    ("global_lp_pooling2d", pooling::whole),
    ("global_max_pooling1d", pooling::whole),
    ("global_average_pooling1d", pooling::whole),
    ("transpose", moving::transpose),
    ("permute", moving::transpose),
    ("concat", moving::concat),
    ("concatenate", moving::concat),
    ("split", moving::split),
    ("slice", moving::slice),
    ("flip", moving::slice),
    ("cropping2d", moving::slice),
    ("expand", moving::expand),
    ("tile", moving::tile),
    ("repeat_vector", moving::tile),
    ("depth_to_space", moving::blocks),
    ("space_to_depth", moving::blocks),
    ("pad", moving::pad),
    ("zero_padding2d", moving::pad),
    ("center_crop_pad", moving::center_crop_pad),
    ("gather", moving::gather),
    ("reshape", views::reshape),
    ("reshape_to", views::reshape),
    ("flatten", views::flatten),
    ("flatten_at", views::flatten),
    ("squeeze", views::squeeze),
    ("unsqueeze", views::unsqueeze),
    ("identity", views::same),
    ("dropout", views::same),
    ("cast", views::same),
    ("constant", pointwise::constant),
    ("add", pointwise::binary),
    ("multiply", pointwise::binary),
    ("subtract", pointwise::binary),
    ("divide", pointwise::binary),
    ("power", pointwise::binary),
    ("minimum", pointwise::binary),
    ("maximum", pointwise::binary),
    ("binary", pointwise::binary),
    ("fmod", pointwise::binary),
    ("modulo", pointwise::binary),
    ("equal", pointwise::binary),
    ("greater", pointwise::binary),
    ("greater_equal", pointwise::binary),
    ("less", pointwise::binary),
    ("less_equal", pointwise::binary),
    ("logical_and", pointwise::binary),
    ("logical_or", pointwise::binary),
    ("logical_xor", pointwise::binary),
    ("p_relu", pointwise::p_relu),
    ("sum", pointwise::several),
    ("mean", pointwise::several),
    ("max", pointwise::several),
    ("min", pointwise::several),
    ("select", pointwise::select),
    ("softmax", rows::softmax_layer),
    ("log_softmax", rows::softmax_layer),
    ("hardmax", rows::hardmax),
    ("reduce_mean", rows::reduce),
    ("reduce_sum", rows::reduce),
    ("reduce_max", rows::reduce),
    ("reduce_min", rows::reduce),
    ("reduce_prod", rows::reduce),
    ("reduce_l1", rows::reduce),
    ("reduce_l2", rows::reduce),
    ("reduce_sum_square", rows::reduce),
    ("reduce_log_sum", rows::reduce),
    ("reduce_log_sum_exp", rows::reduce),
    ("cumsum", rows::cumsum),
    ("top_k", rows::top_k),
    ("arg_max", rows::position),
    ("arg_min", rows::position),
    ("batch_normalization", normalizations::batch),
    ("layer_normalization", normalizations::layer),
    ("layer_normalization_with_moments", normalizations::layer),
    ("rms_normalization", normalizations::layer),
    ("group_normalization", normalizations::group),
    ("instance_normalization", normalizations::group),
    ("mean_variance_normalization", normalizations::mean_variance),
    ("lrn", normalizations::lrn),
];

/// Every operator, functions of one operand included, and what draws it.
pub static DECK: LazyLock<Vec<(&str, Draw)>> = LazyLock::new(|| {
    let mut names: Vec<&str> = UnaryOp::all().map(UnaryOp::name).collect();
    names.dedup();
    let functions = names.into_iter().map(|name| (name, pointwise::activation as Draw));
    OTHERS.iter().copied().chain(functions).collect()
});
