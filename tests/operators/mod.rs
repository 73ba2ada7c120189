//! The operators, family by family: sessions, single dispatches and random graphs, against the oracle.
//!
//! These modules are compiled into each target that has an executor to test. The target's own
//! `harness` opens the runtime, and its `dispatch` runs one piece of work in poisoned memory.

pub mod golden;
mod golden_reductions;
pub mod network;
mod window;

mod activation;
mod arithmetic;
mod batch_normalization;
mod binary;
mod concat_in_place;
mod conformance;
mod conv1d;
mod conv2d;
mod conv2d_depthwise;
mod conv2d_transpose;
mod conv2d_transpose_onnx;
mod copy;
mod copy_layers;
mod dense;
mod dense_parts;
mod elementwise_golden;
mod epilogue;
mod gather;
mod grid_sample;
mod long_rows;
mod lrn;
mod matmul;
mod moments;
mod moved_rows;
mod movement_golden;
mod networks;
mod normalization;
mod pad;
mod passes;
mod pool2d;
mod pool2d_golden;
mod random_graph;
mod reduce;
mod resize;
mod resize2d;
mod select;
mod several;
mod softmax;
mod unary;
