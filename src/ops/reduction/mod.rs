//! Reductions along axes, and softmax.

pub mod reduce;
pub mod softmax;

/// Up to this rank, kernels walk over rows along axes in any order.
pub(crate) const MOST_AXES: usize = 6;
