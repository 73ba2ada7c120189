//! Tests that need an adapter, and fail without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::float_cmp,
    reason = "sizes in tests are small, and many results must be exact"
)]
#![allow(
    clippy::doc_markdown,
    clippy::many_single_char_names,
    clippy::match_same_arms,
    clippy::unreadable_literal,
    reason = "the oracle and the graphs read like the formulas and papers they follow"
)]

#[path = "../operators/mod.rs"]
mod operators;

mod dispatch;
mod harness;

mod embedding;
mod failure;
mod own;
mod reading;
mod session;
mod split;
mod staging;
mod threads;
mod turns;
