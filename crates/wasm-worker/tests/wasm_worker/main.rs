//! The worker as a whole: the real executable, spoken to in its own protocol.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod commands;
mod components;
mod files;
mod fixtures;
mod harness;
mod limits;
mod refusals;
