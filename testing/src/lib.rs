//! What the tests and benches of longshore share: the naive oracle, the one comparer, the golden
//! cases, seeded numbers, random networks, and the tests that every executor has.

#![allow(missing_docs, reason = "this crate is not published")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
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
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::must_use_candidate,
    clippy::too_many_arguments,
    clippy::unreadable_literal,
    reason = "the oracle reads as formulas, in their own names and constants"
)]

use std::path::{Path, PathBuf};

pub mod compare;
pub mod conformance;
mod declare;
pub mod executor;
pub mod fixture;
pub mod golden;
mod list;
pub mod loss;
pub mod network;
pub mod onnx;
mod operators;
pub mod oracle;
pub mod polls;
pub mod random;
mod session;
pub mod watch;
mod window;

pub use declare::run_test;

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder above");
    if built.is_dir() {
        return built.to_owned();
    }
    // A prebuilt binary on another machine is told, by the name that Cargo has for it.
    std::env::var("CARGO_MANIFEST_DIR").expect("the repository's path").into()
}

/// Returns the path of a file or folder of tests/fixtures.
pub fn fixture_path(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}
