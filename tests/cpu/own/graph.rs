//! Own kernels as nodes.
