//! The instance level as a whole: real workers in real jails. Needs root, `atoll-launcher` and
//! `atoll-wasm-worker`, which a build of the whole workspace puts beside these tests.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod cache;
mod calls;
mod conformance;
mod endings;
mod figures;
mod fixtures;
mod hostile;
mod loss;
mod parts;
mod refusals;
mod scripts;
mod sharing;
mod specification;
mod streams;
mod support;
mod taken_over;
mod together;
