//! Convolutions and transposed convolutions.

pub mod conv1d;
pub mod conv1d_transpose;
pub mod conv2d;
pub mod conv2d_transpose;
pub mod convolve;
pub mod convolve_transpose;
pub mod line;
pub mod space;
pub mod window;
