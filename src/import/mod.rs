//! Models from files: networks that other tools have written, as graphs.

pub mod onnx;
