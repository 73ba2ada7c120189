//! How numbers, lengths and shapes are written in a saved graph, for serde's `with`.

pub(crate) mod length;
pub(crate) mod number;
pub(crate) mod shape;
