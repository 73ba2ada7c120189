//! Tests that need no adapter.
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

mod batches;
mod compare;
mod conversions;
mod failures;
mod folder;
mod graph;
mod graph_elementwise;
mod graph_errors;
mod graph_joining;
mod graph_lines;
mod graph_matmul;
mod graph_movement;
mod graph_names;
mod graph_rows;
mod graph_windows;
mod grid_sample;
mod ledger;
mod ledger_calls;
mod ledger_canceled;
mod ledger_everywhere;
mod ledger_guards;
mod loss;
mod names;
mod npy;
mod npz;
mod onnx;
mod oracle;
mod own;
mod pack;
mod pages;
mod passes;
mod plan;
mod plan_limits;
mod plan_parts;
mod pooling;
mod reading;
mod resize;
mod rooms;
mod saved;
mod shaders;
mod structure;
mod writing;
