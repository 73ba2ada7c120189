//! What the test binaries share: the naive oracle, the one comparer, the golden cases, seeded numbers.
#![allow(
    dead_code,
    reason = "each test binary compiles this module for itself and uses a part of it"
)]

pub mod compare;
pub mod fixture;
pub mod oracle;
pub mod random;
