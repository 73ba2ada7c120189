//! Functions of single elements.

pub mod activation;
pub mod arithmetic;
pub mod binary;
pub mod p_relu;
pub mod select;
pub mod trigonometry;
pub mod unary;
