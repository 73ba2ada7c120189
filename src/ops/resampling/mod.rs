//! Resampling of images, lines and volumes.

pub mod grid_sample;
pub mod resize;
pub mod resize2d;
pub mod resize_axes;
pub mod rule;
pub mod up_sampling;
