//! Normalizations.

pub mod batch_normalization;
pub mod lrn;
pub mod moments;
#[expect(clippy::module_inception, reason = "the folder is the subject, the file the operator")]
pub mod normalization;
