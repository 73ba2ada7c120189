//! What the test binaries share: the naive oracle, the one comparer, the golden cases, seeded numbers.
#![allow(
    dead_code,
    reason = "each test binary compiles this module for itself and uses a part of it"
)]
#![allow(
    clippy::doc_markdown,
    clippy::float_cmp,
    clippy::items_after_statements,
    clippy::match_same_arms,
    clippy::many_single_char_names,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::too_many_arguments,
    clippy::unreadable_literal,
    reason = "the oracle reads as formulas, in their own names and constants"
)]

pub mod compare;
pub mod conformance;
pub mod fixture;
pub mod onnx;
pub mod oracle;
pub mod random;
