//! The operators on the host executor, and its sessions: no adapter is needed, and none looked for.
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

mod bands;
mod memory;
mod own;
mod polls;
mod refusals;
mod saved;
mod sharing;

longshore_testing::run_tests_on!(longshore_testing::executor::Host);
