//! The operators, family by family: sessions, single dispatches and random graphs, against the oracle.
//!
//! A test is a function that takes the executor under test; `list.rs` names it.

pub mod activation;
pub mod arithmetic;
pub mod batch_normalization;
pub mod binary;
pub mod concat_in_place;
pub mod conformance;
pub mod constants;
pub mod conv1d;
pub mod conv2d;
pub mod conv2d_depthwise;
pub mod conv2d_transpose;
pub mod conv2d_transpose_onnx;
pub mod copy;
pub mod copy_layers;
pub mod cumsum;
pub mod dense;
pub mod dense_parts;
pub mod elementwise_golden;
pub mod epilogue;
pub mod gather;
pub mod golden_reductions;
pub mod grid_sample;
pub mod long_rows;
pub mod lrn;
pub mod matmul;
pub mod moments;
pub mod moved_rows;
pub mod movement_golden;
pub mod networks;
pub mod normalization;
pub mod pad;
pub mod passes;
pub mod pool2d;
pub mod pool2d_golden;
pub mod random_graph;
pub mod reduce;
pub mod resize;
pub mod resize2d;
pub mod select;
pub mod several;
pub mod softmax;
pub mod top_k;
pub mod unary;
pub mod whole_numbers;
