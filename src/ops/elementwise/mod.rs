//! Functions of single elements.
//!
//! `functions.rs` is the table of those of one and of two operands: builders, kernels, the host's
//! arithmetic, the importer, the saved format and the tests take from it what they need.

mod activation;
mod arithmetic;
pub mod binary;
mod functions;
mod kernel;
mod math;
pub mod p_relu;
pub mod select;
mod table;

pub use functions::{Activation, BinaryOp, UnaryOp};
pub(crate) use math::exponential;
pub(crate) use table::{Visit, VisitTwo};
