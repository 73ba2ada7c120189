//! Pooling over windows and over whole images.

pub mod global_pool2d;
pub mod pool2d;
