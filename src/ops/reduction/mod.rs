//! Reductions along axes, and softmax.

pub mod reduce;
pub mod softmax;
