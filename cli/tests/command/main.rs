//! The built command, run as users run it; most tests need an adapter and fail without.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

mod corners;
mod demo;
mod inspect;
mod models;
mod names;
mod reading;
mod readme;
mod run;
mod saved;
mod support;
mod usage;
mod verify;
mod writing;
