//! Affine folding: batch normalisation and arithmetic with constants, by channel, become part of
//! the kernel and bias of the layer before or behind.
