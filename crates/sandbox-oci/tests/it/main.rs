//! Real containers of the runtimes of this host. Needs root and `runsc`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod conformance;
mod figures;
mod hostile;
mod isolation;
mod limits;
mod support;
mod warm;
