//! The agent and its host, with real programs: through both ends of the conversation to a sandbox
//! of the level `process`. Needs root.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod behind;
mod conformance;
mod container;
mod jobs;
